/**
 * Puts and gets at one target, all the time. Each worker has its own keys, one operation at a time, so that what every get may return is known
 * exactly; beside them are old keys, which are only read. Not here: which failures are allowed (judge-outage.ts).
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { OutageTarget } from './outage-target.ts';
import type { SeededChoice } from './seeded-choice.ts';

const WORKERS = 4;
const KEYS_EACH = 20;
const OLD_KEYS = 30;
/** Between two rounds of a worker: the load is constant, and leaves the quick targets no more of the machine than the slow one. */
const PACE_MS = 10;

export interface Operation {
  readonly kind: 'put' | 'get';
  readonly key: string;
  /** performance.now() */
  readonly begunAt: number;
  readonly endedAt: number;
  /** Undefined: it succeeded. */
  readonly failure: unknown;
  /** The last acknowledgement of a put of that key, before this began; performance.now() */
  readonly writtenAt: number;
  /** A put since then has failed: it may have happened. */
  readonly isInDoubt: boolean;
  /** What a get returned and may not. */
  readonly wrong: string | undefined;
}

interface Known {
  acknowledged: string | undefined;
  writtenAt: number;
  readonly tried: string[];
}

export class OutageLoad {
  readonly target: OutageTarget;
  readonly operations: Operation[] = [];
  readonly oldKeys: readonly string[];
  readonly #choice: SeededChoice;
  readonly #book = new Map<string, Known>();
  #isOver = false;
  #workers: readonly Promise<void>[] = [];

  constructor(target: OutageTarget, choice: SeededChoice) {
    this.target = target;
    this.#choice = choice;
    this.oldKeys = Array.from({ length: OLD_KEYS }, (_, n) => `old/${n}`);
  }

  /** Puts the old keys, then goes on until `end`. */
  async begin(): Promise<void> {
    await Promise.all(this.oldKeys.map((key) => this.#put(key, `${key} `.repeat(10))));
    this.#workers = Array.from({ length: WORKERS }, (_, worker) => this.#work(worker));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#workers);
  }

  get keys(): readonly string[] {
    return [...this.#book.keys()];
  }

  /** Also beside the workers, for keys they do not write just then. */
  async get(key: string): Promise<void> {
    const known = this.#know(key);
    const { writtenAt, acknowledged, tried } = known;
    const allowed = [acknowledged, ...tried];
    await this.#run('get', key, { writtenAt, isInDoubt: tried.length > 0 }, async () => {
      const value = await this.target.get(key);
      return allowed.includes(value) ? undefined : `${value} instead of ${allowed.join(' | ')}`;
    });
  }

  async #work(worker: number): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const key = `worker-${worker}/${n % KEYS_EACH}`;
      await this.#put(key, `${n} `.repeat(20));
      await this.get(key);
      await this.get(this.#choice.one(this.oldKeys));
      await delay(PACE_MS);
    }
  }

  async #put(key: string, value: string): Promise<void> {
    const known = this.#know(key);
    const { writtenAt, tried } = known;
    tried.push(value);
    const isStored = await this.#run('put', key, { writtenAt, isInDoubt: tried.length > 1 }, async () => {
      await this.target.put(key, value);
      return undefined;
    });
    if (!isStored) return;
    known.acknowledged = value;
    known.writtenAt = performance.now();
    tried.length = 0;
  }

  async #run(
    kind: Operation['kind'],
    key: string,
    known: Pick<Operation, 'writtenAt' | 'isInDoubt'>,
    operation: () => Promise<string | undefined>,
  ): Promise<boolean> {
    const begunAt = performance.now();
    const outcome = await operation().then(
      (wrong) => ({ failure: undefined, wrong }),
      (failure: unknown) => ({ failure, wrong: undefined }),
    );
    this.operations.push({ kind, key, begunAt, endedAt: performance.now(), ...outcome, ...known });
    return outcome.failure === undefined;
  }

  #know(key: string): Known {
    let known = this.#book.get(key);
    if (known === undefined) {
      known = { acknowledged: undefined, writtenAt: Number.NEGATIVE_INFINITY, tried: [] };
      this.#book.set(key, known);
    }
    return known;
  }
}
