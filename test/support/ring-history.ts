/**
 * Random histories of a ring (writes, removals, failures, kills, drains, joins) against the simplest model there is: of each key, the last thing that
 * was acknowledged, and what was tried after it. Whatever a read says must be one of these; nothing older, and nothing that was removed, comes back.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { isNautilusError } from '../../src/core/index.ts';
import type { StorageEntry } from '../../src/registry/index.ts';
import { RingWorld } from './ring-world.ts';
import type { Outcome } from './settle-call.ts';
import type { Mood } from './unreliable-storage.ts';

const KEYS = 6;
const SHARDS = 4;
const LIFE_MS = 1e9;

export type Step =
  | { readonly do: 'storeIf' | 'store' | 'remove' | 'read'; readonly key: number }
  | { readonly do: 'mood'; readonly shard: number; readonly mood: Mood }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'kill' | 'scan' | 'heal' | 'join' }
  | { readonly do: 'drain'; readonly shard: number };

const key = fc.nat({ max: KEYS - 1 });
const shard = fc.nat({ max: SHARDS - 1 });
/** Ten to sixty of them. */
export const ringSteps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('storeIf' as const), key }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('store' as const), key }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), key }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('read' as const), key }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('mood' as const),
        shard,
        mood: fc.constantFrom<Mood>('well', 'well', 'failing', 'lying', 'hanging'),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 700, 3_000, 20_000) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom('kill' as const, 'scan' as const, 'heal' as const, 'join' as const) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), shard }) },
  ),
  { minLength: 10, maxLength: 60 },
);

/** What is known of a key; a version, or 0: nothing is there. */
interface Known {
  acknowledged: number;
  /** Tried since, and not acknowledged: may have happened, or happen yet. */
  tried: Set<number>;
}

class History {
  readonly world: RingWorld;
  readonly #known = new Map<number, Known>();
  #version = 0;

  constructor(copies: number) {
    this.world = new RingWorld({ shards: SHARDS, copies });
    this.world.members = this.world.members.slice(0, SHARDS - 1);
  }

  async step(step: Step): Promise<void> {
    const { world } = this;
    switch (step.do) {
      case 'mood':
        world.shard(step.shard).mood = step.mood;
        return;
      case 'wait':
        await world.clock.advance(step.ms);
        return;
      case 'heal':
        await world.heal();
        return;
      case 'kill':
        await this.#restart();
        return;
      case 'join':
        await this.#join();
        return;
      case 'drain':
        await this.#tolerated(world.ring.drain(`shard-${step.shard}`));
        return;
      case 'read':
        await this.read(step.key);
        return;
      case 'scan':
        await this.scan();
        return;
      default:
        await this.#write(step);
    }
  }

  async read(number: number): Promise<Outcome<StorageEntry | undefined>> {
    const outcome = await this.#tolerated(this.world.ring.storage.retrieve(toKey(number)));
    if (outcome.kind === 'done') this.#check(number, outcome.value);
    return outcome;
  }

  async scan(): Promise<Outcome<unknown>> {
    const outcome = await this.#tolerated(this.world.ring.storage.scan({ limit: 100 }));
    if (outcome.kind === 'failed') return outcome;
    for (let number = 0; number < KEYS; number++) {
      this.#check(
        number,
        outcome.value.find((entry) => entry.key[40] === number),
      );
    }
    return outcome;
  }

  async #write({ do: kind, key: number }: Step & { readonly key: number }): Promise<void> {
    const { storage } = this.world.ring;
    const known = this.#of(number);
    const version = kind === 'remove' ? 0 : ++this.#version;
    const entry = {
      value: Uint8Array.of(version & 255, version >> 8),
      version,
      expiresAt: this.world.clock.now() + LIFE_MS,
    };
    if (kind !== 'storeIf') {
      known.tried.add(version);
      const call: Promise<unknown> =
        kind === 'store' ? storage.store(toKey(number), entry) : storage.remove(toKey(number));
      if ((await this.#tolerated(call)).kind === 'done') this.#acknowledge(number, version);
      return;
    }
    // As the registry does: what cannot be read is taken for absent, and merged later.
    const held = await this.read(number);
    const expected = (held.kind === 'done' ? held.value?.version : undefined) ?? 'absent';
    known.tried.add(version);
    const outcome = await this.#tolerated(storage.storeIf({ key: toKey(number), expected, entry }));
    if (outcome.kind === 'failed') return;
    if (outcome.value.kind === 'stored') this.#acknowledge(number, version);
    else {
      known.tried.delete(version);
      if (outcome.value.kind === 'mismatch') this.#check(number, outcome.value.current);
    }
  }

  /** Another start, with one storage more. */
  async #join(): Promise<void> {
    const { world } = this;
    if (world.members.length === SHARDS) return;
    const before = world.members;
    world.members = [...before, { name: `shard-${before.length}`, weight: 1 }];
    await world.kill();
    try {
      await world.open();
    } catch (error) {
      // Keys are moving from an earlier change.
      expect(isNautilusError(error, 'CONFIG_INVALID')).toBe(true);
      world.members = before;
      await world.open();
    }
  }

  async #restart(): Promise<void> {
    const { world } = this;
    const moods = world.members.map((_, n) => world.shard(n).mood);
    await world.kill();
    try {
      await world.open(moods);
    } catch (error) {
      expect(isNautilusError(error)).toBe(true);
      await world.open();
    }
  }

  #of(number: number): Known {
    let known = this.#known.get(number);
    if (known === undefined) {
      known = { acknowledged: 0, tried: new Set() };
      this.#known.set(number, known);
    }
    return known;
  }

  #acknowledge(number: number, version: number): void {
    this.#known.set(number, { acknowledged: version, tried: new Set() });
  }

  #check(number: number, entry: StorageEntry | undefined): void {
    const { acknowledged, tried } = this.#of(number);
    const seen = entry === undefined ? 0 : entry.value[0]! + (entry.value[1]! << 8);
    expect([acknowledged, ...tried], `key ${number}`).toContain(seen);
  }

  /** A ring may say that it cannot; a bug is not among the things it may say. */
  async #tolerated<T>(call: Promise<T>): Promise<Outcome<T>> {
    const outcome = await this.world.settled(call);
    if (outcome.kind === 'failed' && !isNautilusError(outcome.error)) throw outcome.error;
    return outcome;
  }
}

function toKey(number: number): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes[0] = number * 37;
  bytes[40] = number;
  return bytes;
}

/** @throws AssertionError when something acknowledged is lost, older, or back, or the ring does not heal once all is well */
export async function checkRingHistory(copies: number, history: readonly Step[]): Promise<void> {
  const run = new History(copies);
  await run.world.open();
  for (const step of history) await run.step(step);
  await run.world.heal();
  for (let number = 0; number < KEYS; number++) {
    expect((await run.read(number)).kind, `key ${number} can be read`).toBe('done');
  }
  expect((await run.scan()).kind).toBe('done');
  const { shards } = await run.world.ring.status();
  expect(shards.map(({ hints }) => hints)).toEqual(shards.map(() => 0));
}
