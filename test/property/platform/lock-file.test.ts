/**
 * The lock under every order of events that fast-check can think of: the processes are simulated, each step of a file system call is a
 * scheduling point, and a process may be killed between any two of them.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acquireLock, type LockFiles, type LockRequest, releaseLock } from '../../../src/platform/lock-file.ts';

type Acquire = (files: LockFiles, request: LockRequest) => Promise<string | undefined>;

interface Step {
  readonly process: number;
  readonly run: () => void;
}

/** Processes on one file system. A step runs when the schedule says so; those of a killed process never do. */
class Machine {
  readonly files = new Map<string, string>([['lock', 'dead-before-we-came']]);
  readonly alive = new Set<number>();
  readonly holders = new Set<number>();
  readonly steps: Step[] = [];
  acquisitions = 0;
  violations = 0;

  step<T>(process: number, act: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.steps.push({ process, run: () => resolve(act()) });
    });
  }

  filesOf(process: number): LockFiles {
    return {
      create: (path, content) =>
        this.step(process, () => {
          if (this.files.has(path)) return false;
          this.files.set(path, content);
          return true;
        }),
      replace: (path, content) => this.step(process, () => void this.files.set(path, content)),
      read: (path) => this.step(process, () => this.files.get(path)),
      remove: (path) => this.step(process, () => void this.files.delete(path)),
    };
  }

  async live(process: number, rounds: number, acquire: Acquire): Promise<void> {
    this.alive.add(process);
    const files = this.filesOf(process);
    for (let round = 0; round < rounds; round++) {
      const content = `${process}/${round}`;
      const isAlive = (text: string) => this.step(process, () => this.alive.has(Number.parseInt(text, 10)));
      if ((await acquire(files, { path: 'lock', content, isAlive })) !== undefined) continue;
      this.holders.add(process);
      this.acquisitions++;
      if (this.holders.size > 1) this.violations++;
      await this.step(process, () => undefined);
      this.holders.delete(process);
      await releaseLock(files, 'lock', content);
    }
  }

  kill(process: number): void {
    this.alive.delete(process);
    this.holders.delete(process);
    for (let i = this.steps.length - 1; i >= 0; i--) {
      if (this.steps[i]?.process === process) this.steps.splice(i, 1);
    }
  }

  /** Runs until nothing is left to do. @param choices which step is next, and, one time in eight, that its process dies instead */
  async run(choices: readonly number[], mayKill: boolean): Promise<void> {
    for (let turn = 0; ; turn++) {
      await settled();
      if (this.steps.length === 0) return;
      if (turn > 5_000) throw new Error('no end in sight');
      const choice = choices[turn % choices.length] ?? 0;
      const index = (choice >> 3) % this.steps.length;
      if (mayKill && turn < choices.length && choice % 8 === 0) this.kill(this.steps[index]!.process);
      else this.steps.splice(index, 1)[0]!.run();
    }
  }
}

/** Every promise that is decided has been followed by its reader once the event loop comes round. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function race(acquire: Acquire, count: number, choices: readonly number[], mayKill: boolean): Promise<Machine> {
  const machine = new Machine();
  for (let process = 0; process < count; process++) void machine.live(process, 3, acquire);
  await machine.run(choices, mayKill);
  return machine;
}

/** What one would write first: remove the dead one's file, try again. */
const naiveAcquire: Acquire = async (files, { path, content, isAlive }) => {
  for (;;) {
    if (await files.create(path, content)) return undefined;
    const current = await files.read(path);
    if (current === undefined) continue;
    if (await isAlive(current, path)) return current;
    await files.remove(path);
  }
};

const processes = fc.integer({ min: 2, max: 5 });
const schedule = fc.array(fc.nat({ max: 1_023 }), { minLength: 60, maxLength: 240 });

describe('the lock', () => {
  it('has at most one living holder, whoever is killed whenever', async () => {
    await fc.assert(
      fc.asyncProperty(processes, schedule, async (count, choices) => {
        expect((await race(acquireLock, count, choices, true)).violations).toBe(0);
      }),
      { numRuns: 1_500 },
    );
  });

  it('can always be had again once its holders and contenders are gone, wherever they were killed', async () => {
    await fc.assert(
      fc.asyncProperty(processes, schedule, async (count, choices) => {
        const machine = await race(acquireLock, count, choices, true);
        for (const process of [...machine.alive]) machine.kill(process);
        let outcome: string | undefined = 'not finished';
        const newcomer = machine.filesOf(99);
        void acquireLock(newcomer, {
          path: 'lock',
          content: '99/0',
          isAlive: async (text) => text.startsWith('99/'),
        }).then((holder) => {
          outcome = holder;
        });
        await machine.run([0], false);
        expect(outcome).toBeUndefined();
        expect(machine.files.get('lock')).toBe('99/0');
      }),
      { numRuns: 500 },
    );
  });

  it('leaves no file behind when nobody is killed, and somebody wins the race for a dead lock', async () => {
    await fc.assert(
      fc.asyncProperty(processes, schedule, async (count, choices) => {
        const machine = await race(acquireLock, count, choices, false);
        expect(machine.violations).toBe(0);
        expect(machine.acquisitions).toBeGreaterThan(0);
        expect([...machine.files.keys()]).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('is tested by a search that does find the race in removing a dead lock', async () => {
    const search = await fc.check(
      fc.asyncProperty(processes, schedule, async (count, choices) => {
        expect((await race(naiveAcquire, count, choices, false)).violations).toBe(0);
      }),
      { numRuns: 1_500, endOnFailure: true },
    );
    expect(search.failed).toBe(true);
  });
});
