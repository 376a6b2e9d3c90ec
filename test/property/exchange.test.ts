/**
 * Random histories of writes, removals, steps of the migration, failures of either storage and kills, against the simplest model there is: of each
 * key, the last thing that was acknowledged, and what was tried after it. Whatever a read says must be one of these, whichever storage is in use.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNautilusError } from '../../src/core/index.ts';
import type { StorageEntry } from '../../src/registry/index.ts';
import { ExchangeWorld } from '../support/exchange-world.ts';
import type { Outcome } from '../support/settle-call.ts';
import type { Mood } from '../support/unreliable-storage.ts';

const RUNS = Number(process.env.RUNS ?? 60);
const KEYS = 8;
const SIDES = ['a', 'b', 'c'];
const LIFE_MS = 1e9;

type Step =
  | { readonly do: 'storeIf' | 'store' | 'remove' | 'read'; readonly key: number }
  /** Not waited for. */
  | { readonly do: 'begin'; readonly key: number }
  | { readonly do: 'mood'; readonly side: string; readonly mood: Mood }
  | { readonly do: 'migrate'; readonly side: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'kill' | 'stop' };

const key = fc.nat({ max: KEYS - 1 });
const side = fc.constantFrom(...SIDES);
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('storeIf' as const, 'store' as const), key }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('remove' as const, 'begin' as const), key }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), key }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('migrate' as const), side }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('mood' as const),
        side,
        mood: fc.constantFrom<Mood>('well', 'well', 'failing', 'lying', 'hanging'),
      }),
    },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 1, 2, 3, 5, 200) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('kill' as const, 'stop' as const) }) },
  ),
  { minLength: 10, maxLength: 60 },
);

/** What is known of a key; a version, or 0: nothing is there. */
interface Known {
  acknowledged: number;
  /** How often anything was acknowledged. */
  turn: number;
  /** Tried since, and not acknowledged: may have happened. */
  readonly tried: Set<number>;
  /** Under way, and waited for by nobody: may happen yet. */
  readonly open: Set<number>;
}

class History {
  readonly world = new ExchangeWorld();
  readonly #known: Known[] = Array.from({ length: KEYS }, () => ({
    acknowledged: 0,
    turn: 0,
    tried: new Set(),
    open: new Set(),
  }));
  #version = 0;
  switches = 0;

  async step(step: Step): Promise<void> {
    const { world } = this;
    switch (step.do) {
      case 'mood':
        world.side(step.side).mood = step.mood;
        return;
      case 'wait':
        await world.clock.advance(step.ms);
        return;
      case 'migrate':
        this.migrate(step.side);
        return;
      case 'kill':
        await world.kill();
        await world.open('a');
        return;
      case 'stop':
        await world.settled(world.exchanger.close());
        await world.kill();
        await world.open('a');
        return;
      case 'read':
        await this.read(step.key);
        return;
      default:
        await this.#write(step);
    }
  }

  migrate(to: string): void {
    try {
      const watching = this.world.exchanger.migrate([to]);
      (async () => {
        for await (const { phase } of watching) if (phase === 'switched') this.switches++;
      })().catch((error: unknown) => {
        if (!isNautilusError(error)) throw error;
      });
    } catch (error) {
      if (!isNautilusError(error)) throw error;
    }
  }

  async read(number: number): Promise<void> {
    const outcome = await this.#tolerated(this.world.storage.retrieve(toKey(number)));
    if (outcome.kind === 'done') this.#check(number, outcome.value);
  }

  /** Everything, by what the storage in use has. */
  async readAll(): Promise<void> {
    const outcome = await this.#tolerated(this.world.storage.scan({ limit: 100 }));
    if (outcome.kind === 'failed') throw outcome.error;
    for (let number = 0; number < KEYS; number++) {
      this.#check(
        number,
        outcome.value.find((entry) => entry.key[0] === number),
      );
    }
    expect(outcome.value.every((entry) => entry.key.length === 2)).toBe(true);
  }

  async #write({ do: kind, key: number }: Step & { readonly key: number }): Promise<void> {
    const { storage } = this.world;
    const known = this.#known[number]!;
    const version = kind === 'remove' ? 0 : ++this.#version;
    const entry = { value: Uint8Array.of(version), version: version || 1, expiresAt: this.world.clock.now() + LIFE_MS };
    if (kind === 'begin') {
      const { turn } = known;
      known.open.add(version);
      storage.store(toKey(number), entry).then(
        () => {
          known.open.delete(version);
          // Which of two that overlapped was the later one, nobody can tell.
          if (known.turn === turn && known.open.size === 0) this.#acknowledge(number, version);
          else known.tried.add(version);
        },
        () => {
          known.open.delete(version);
          known.tried.add(version);
        },
      );
      return;
    }
    if (kind === 'storeIf') {
      const held = await this.#tolerated(storage.retrieve(toKey(number)));
      const expected = (held.kind === 'done' ? held.value?.version : undefined) ?? 'absent';
      known.tried.add(version);
      const outcome = await this.#tolerated(storage.storeIf({ key: toKey(number), expected, entry }));
      if (outcome.kind === 'done' && outcome.value.kind === 'stored') this.#acknowledge(number, version);
      return;
    }
    known.tried.add(version);
    const call: Promise<unknown> =
      kind === 'store' ? storage.store(toKey(number), entry) : storage.remove(toKey(number));
    if ((await this.#tolerated(call)).kind === 'done') this.#acknowledge(number, version);
  }

  #acknowledge(number: number, version: number): void {
    const known = this.#known[number]!;
    known.acknowledged = version;
    known.turn++;
    known.tried.clear();
  }

  #check(number: number, entry: StorageEntry | undefined): void {
    const { acknowledged, tried, open } = this.#known[number]!;
    const seen = entry?.value[0] ?? 0;
    expect([acknowledged, ...tried, ...open], `key ${number}`).toContain(seen);
  }

  /** A storage may say that it cannot, and never answer; a bug is not among the things it may say. */
  async #tolerated<T>(call: Promise<T>): Promise<Outcome<T>> {
    const late = new Promise<never>((_, reject) => {
      this.world.clock.setTimer(5_000, () => reject(LATE));
    });
    const outcome = await this.world.settled(Promise.race([call, late]));
    call.catch(() => undefined);
    if (outcome.kind === 'failed' && outcome.error !== LATE && !isNautilusError(outcome.error)) throw outcome.error;
    return outcome;
  }
}

const LATE = new Error('nobody answers');

function toKey(number: number): Uint8Array {
  return Uint8Array.of(number, 255 - number);
}

test(
  'whatever fails or is killed, the storage in use has exactly what was acknowledged',
  async () => {
    let switches = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const run = new History();
        const { world } = run;
        await world.open('a');
        for (const step of history) await run.step(step);
        for (const name of SIDES) world.side(name).mood = 'well';
        await world.untilQuiet();
        await run.readAll();
        // Calls that are never answered end with the process.
        await run.step({ do: 'kill' });
        await world.untilQuiet();
        const last = SIDES.find((name) => name !== world.exchanger.current.url)!;
        run.migrate(last);
        await world.untilQuiet();
        expect(world.exchanger.current.url).toBe(last);
        await run.readAll();
        await world.kill();
        await world.open('a');
        expect(world.exchanger.current.url).toBe(last);
        await run.readAll();
        switches += run.switches;
      }),
      { numRuns: RUNS },
    );
    // At least the last one of each.
    expect(switches).toBeGreaterThanOrEqual(RUNS);
  },
  30_000 + RUNS * 200,
);
