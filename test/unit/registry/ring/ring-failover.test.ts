import { describe, expect, test } from 'vitest';
import { isNautilusError } from '../../../../src/core/index.ts';
import type { StorageEntry } from '../../../../src/registry/index.ts';
import { HashRing } from '../../../../src/registry/ring/hash-ring.ts';
import { groupOf } from '../../../../src/registry/ring/key-group.ts';
import { RingWorld, type RingWorldOptions } from '../../../support/ring-world.ts';
import type { Outcome } from '../../../support/settle-call.ts';

/** A key whose homes are these shards, in this order. */
function keyOn(world: RingWorld, ...homes: readonly number[]): Uint8Array {
  const ring = new HashRing(world.members, world.copies);
  for (let n = 0; ; n++) {
    const key = new Uint8Array(64);
    new DataView(key.buffer).setUint32(0, n * 7_919);
    const names = ring.homes(ring.virtualNode(groupOf(key)));
    if (homes.every((home, i) => names[i] === `shard-${home}`)) return key;
  }
}

const entry = (world: RingWorld, version: number): StorageEntry => ({
  value: Uint8Array.of(version),
  version,
  expiresAt: world.clock.now() + 1e9,
});

async function opened(options: Partial<RingWorldOptions> = {}) {
  const world = new RingWorld({ shards: 3, ...options });
  await world.open();
  return world;
}

/** Until its circuit opens. */
async function fails(world: RingWorld, n: number, mood: 'failing' | 'hanging' = 'failing') {
  world.shard(n).mood = mood;
  const key = keyOn(world, n);
  for (let call = 0; call < 3; call++) await world.settled(world.ring.storage.contains(key));
}

async function write(world: RingWorld, key: Uint8Array, expected: number | 'absent', version: number) {
  return world.settled(world.ring.storage.storeIf({ key, expected, entry: entry(world, version) }));
}

const stored = { kind: 'done', value: { kind: 'stored' } };
const read = (world: RingWorld, key: Uint8Array) => world.settled(world.ring.storage.retrieve(key));
const versionOf = (outcome: Outcome<StorageEntry | undefined>) =>
  outcome.kind === 'done' ? (outcome.value?.version ?? 'absent') : codeOf(outcome);
const codeOf = (outcome: Outcome<unknown>) =>
  outcome.kind === 'failed' && isNautilusError(outcome.error) ? outcome.error.code : outcome;
const stateOf = async (world: RingWorld, n: number) => (await world.ring.status()).shards[n]!;

describe('a ring with a shard that fails', () => {
  test.each(['failing', 'hanging'] as const)(
    'asks one that is %s no more after three failures, and says so',
    async (mood) => {
      const world = await opened();
      await fails(world, 0, mood);
      expect(await stateOf(world, 0)).toMatchObject({ state: 'down', lastError: expect.stringMatching(/./) });
      const { calls } = world.shard(0);
      const before = world.clock.monotonic();
      expect(versionOf(await read(world, keyOn(world, 0)))).toBe('SHARD_DOWN');
      expect(world.clock.monotonic()).toBe(before);
      expect(world.shard(0).calls).toBe(calls);
      expect(versionOf(await read(world, keyOn(world, 1)))).toBe('absent');
    },
  );

  test('takes writes for it as hints, reads them back, and judges the next by them', async () => {
    const world = await opened();
    const key = keyOn(world, 0);
    await write(world, key, 'absent', 1);
    await fails(world, 0);
    expect(await write(world, key, 'absent', 2)).toEqual(stored);
    expect(versionOf(await read(world, key))).toBe(2);
    expect(await write(world, key, 1, 3)).toMatchObject({ value: { kind: 'mismatch', current: { version: 2 } } });
    expect(await write(world, key, 2, 3)).toEqual(stored);
    expect((await stateOf(world, 0)).hints).toBe(1);
    expect(world.ring.storage.parts?.isWhole(key)).toBe(false);
  });

  test('brings hints home when it is back, merged with what it held, and lets go of them', async () => {
    const world = await opened();
    const [older, newer, untouched] = [keyOn(world, 0), Uint8Array.from(keyOn(world, 0)), keyOn(world, 1)];
    newer[63] = 1;
    await write(world, older, 'absent', 9);
    await write(world, newer, 'absent', 1);
    await write(world, untouched, 'absent', 4);
    await fails(world, 0);
    // A writer that cannot see what is there may come with something older.
    await write(world, older, 'absent', 5);
    await write(world, newer, 'absent', 5);
    await world.heal();
    expect(await world.bases[0]!.retrieve(older)).toMatchObject({ version: 9 });
    expect(await world.bases[0]!.retrieve(newer)).toMatchObject({ version: 5 });
    expect((await stateOf(world, 0)).hints).toBe(0);
    const entries = await Promise.all(world.bases.map(async (base) => (await base.size()).entries));
    // Three entries, and the ring's document in each.
    expect(entries.reduce((sum, count) => sum + count)).toBe(6);
    expect(world.events.filter(({ type }) => type === 'hint-home')).toHaveLength(2);
  });

  test('a removal meanwhile stays one, whatever the shard still holds', async () => {
    const world = await opened();
    const key = keyOn(world, 0);
    await write(world, key, 'absent', 1);
    await fails(world, 0);
    expect(codeOf(await world.settled(world.ring.storage.remove(key)))).toEqual({ kind: 'done', value: false });
    expect(versionOf(await read(world, key))).toBe('absent');
    await world.heal();
    expect(versionOf(await read(world, key))).toBe('absent');
    expect(await world.bases[0]!.contains(key)).toBe(false);
  });

  test('what is written right after it is back is written behind the hint', async () => {
    const world = await opened();
    const key = keyOn(world, 0);
    await fails(world, 0);
    await write(world, key, 'absent', 2);
    world.shard(0).mood = 'well';
    const back = new Promise<void>((resolve) => {
      world.ring.storage.parts?.subscribe((change) => {
        if (change.kind === 'returned') resolve();
      });
    });
    await world.clock.advance(10_000);
    await back;
    expect(await write(world, key, 2, 3)).toEqual(stored);
    await world.heal();
    expect(versionOf(await read(world, key))).toBe(3);
  });

  test('hints survive a kill, and are brought home by the next process, also half-way', async () => {
    const world = await opened();
    const keys = [0, 1, 2, 3].map((last) => keyOn(world, 0).with(63, last));
    await fails(world, 0);
    for (const key of keys) await write(world, key, 'absent', 2);
    await world.kill();
    await world.open(['failing']);
    for (const key of keys) expect(versionOf(await read(world, key))).toBe(2);
    expect((await stateOf(world, 0)).hints).toBe(4);
    // One has arrived, and the process died before it could let go of the hint.
    await world.bases[0]!.store(keys[0]!, entry(world, 2));
    await world.kill();
    await world.open();
    await world.heal();
    for (const key of keys) expect(versionOf(await read(world, key))).toBe(2);
  });

  test('says that it cannot tell when the shard that keeps a hint fails as well, even across a restart', async () => {
    const world = await opened();
    const key = keyOn(world, 0);
    await write(world, key, 'absent', 1);
    await fails(world, 0);
    await write(world, key, 'absent', 2);
    const holder = (world.events.find(({ type }) => type === 'hint-stored') as { holder: string }).holder;
    const n = Number(holder.split('-')[1]);
    await fails(world, n);
    world.shard(0).mood = 'well';
    await world.clock.advance(60_000);
    expect(versionOf(await read(world, key))).toBe('SHARD_DOWN');
    await world.kill();
    await world.open(world.bases.map((_, i) => (i === n ? 'failing' : 'well')));
    expect(versionOf(await read(world, key))).toBe('SHARD_DOWN');
    // What is newer than both is taken all the same.
    expect(await write(world, key, 'absent', 3)).toEqual(stored);
    await world.heal();
    expect(versionOf(await read(world, key))).toBe(3);
  });

  test('refuses a scan that would be short, and gives what is there to whoever asks for that', async () => {
    const world = await opened();
    const keys = [0, 1, 2].map((n) => keyOn(world, n));
    for (const key of keys) await write(world, key, 'absent', 1);
    await fails(world, 0);
    const hinted = keyOn(world, 0).with(63, 1);
    await write(world, hinted, 'absent', 2);
    const { storage } = world.ring;
    expect(codeOf(await world.settled(storage.scan({ limit: 10 })))).toBe('SHARD_DOWN');
    const present = await storage.parts!.scanPresent({ limit: 10 });
    expect(present.map(({ version }) => version).sort()).toEqual([1, 1, 2]);
    expect(storage.parts!.away()).toEqual(['shard-0']);
  });

  test('a full inbox turns away at once', async () => {
    const world = await opened({ init: { maxJobs: 3 } });
    world.shard(0).mood = 'hanging';
    const key = keyOn(world, 0);
    const calls = [0, 1, 2, 3].map((last) => world.ring.storage.retrieve(key.with(63, last)));
    const last = await world.settled(calls[3]!);
    expect([codeOf(last), world.clock.monotonic()]).toEqual(['RESOURCE_EXHAUSTED', 0]);
    await Promise.all(calls.slice(0, 3).map((call) => world.settled(call)));
  });

  test('with nobody left to keep a hint, a write is refused, not forgotten', async () => {
    const world = await opened({ shards: 2 });
    await fails(world, 0);
    await fails(world, 1);
    expect(codeOf(await write(world, keyOn(world, 0), 'absent', 1))).toBe('SHARD_DOWN');
  });
});

describe('a ring with two copies', () => {
  test('answers every read and write while one shard is away, and has both copies agree when it is back', async () => {
    const world = await opened({ copies: 2 });
    const keys = Array.from({ length: 30 }, (_, n) => Uint8Array.from({ length: 64 }, () => n * 8));
    for (const key of keys) await write(world, key, 'absent', 1);
    for (const mood of ['hanging', 'failing'] as const) {
      world.shard(1).mood = mood;
      for (const key of keys) expect(versionOf(await read(world, key))).not.toBe('SHARD_DOWN');
      for (const [n, key] of keys.entries()) {
        const held = versionOf(await read(world, key));
        expect(await write(world, key, held as number, 2 + n + (mood === 'failing' ? 100 : 0))).toEqual(stored);
      }
    }
    expect((await world.settled(world.ring.storage.scan({ limit: 100 }))).kind).toBe('done');
    await world.heal();
    for (const [n, key] of keys.entries()) {
      const copies = await Promise.all(world.bases.map((base) => base.retrieve(key)));
      expect(copies.filter((copy) => copy !== undefined).map(({ version }) => version)).toEqual([102 + n, 102 + n]);
    }
  });

  test('waits for a shard that hangs once per call, before its circuit is open', async () => {
    const world = await opened({ copies: 2 });
    const key = keyOn(world, 0, 1);
    expect(await write(world, key, 'absent', 1)).toEqual(stored);
    world.shard(0).mood = 'hanging';
    for (const call of [() => read(world, key), () => write(world, key, 1, 2)]) {
      const before = world.clock.monotonic();
      expect((await call()).kind).toBe('done');
      expect(world.clock.monotonic() - before).toBe(2_000);
    }
    expect(world.events).toContainEqual({ type: 'hint-stored', shard: 'shard-0', holder: expect.any(String) });
    expect(versionOf(await read(world, key))).toBe(2);
  });

  test('fills a shard that came back empty, and takes nothing from it before', async () => {
    const world = await opened({ copies: 2 });
    const key = keyOn(world, 0);
    await write(world, key, 'absent', 1);
    await world.kill();
    for (const { key: each } of await world.bases[0]!.scan({ limit: 100 })) await world.bases[0]!.remove(each);
    await world.open();
    expect(versionOf(await read(world, key))).toBe(1);
    await world.heal();
    expect(await world.bases[0]!.retrieve(key)).toMatchObject({ version: 1 });
    expect(world.events).toContainEqual(expect.objectContaining({ message: expect.stringMatching(/come back empty/) }));
  });

  test('copies that a kill left different are one again once they were scanned over', async () => {
    const world = await opened({ copies: 2 });
    const key = keyOn(world, 0, 1);
    await write(world, key, 'absent', 1);
    await world.bases[0]!.store(key, entry(world, 2));
    await world.settled(world.ring.storage.scan({ limit: 10 }));
    await world.clock.advance(2_000);
    expect(await world.bases[1]!.retrieve(key)).toMatchObject({ version: 2 });
  });
});
