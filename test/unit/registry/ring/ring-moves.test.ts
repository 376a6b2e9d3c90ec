import { describe, expect, test } from 'vitest';
import type { StorageEntry } from '../../../../src/registry/index.ts';
import { RingWorld } from '../../../support/ring-world.ts';

/** More than a page per shard: moving pauses, and waits for the clock. */
const COUNT = 900;

const key = (n: number) => {
  const bytes = new Uint8Array(64);
  new DataView(bytes.buffer).setUint32(0, n * 7_000_003);
  return bytes;
};

const entry = (world: RingWorld, version: number): StorageEntry => ({
  value: Uint8Array.of(version & 255, version >> 8),
  version,
  expiresAt: world.clock.now() + 1e9,
});

async function filled(shards: number, members: number, copies = 1) {
  const world = new RingWorld({ shards, copies });
  const all = world.members;
  world.members = all.slice(0, members);
  await world.open();
  for (let n = 0; n < COUNT; n++) await world.ring.storage.store(key(n), entry(world, n + 1));
  return { world, all };
}

async function expectAll(world: RingWorld) {
  for (let n = 0; n < COUNT; n++) {
    const outcome = await world.settled(world.ring.storage.retrieve(key(n)));
    expect(outcome, `key ${n}`).toMatchObject({ kind: 'done', value: { version: n + 1 } });
  }
}

/** Without the ring's document. */
const entriesOn = async (world: RingWorld, n: number) => (await world.bases[n]!.size()).entries - 1;

describe('a shard that joins', () => {
  test('gets its share while the ring serves, and every read finds its entry on either side', async () => {
    const { world, all } = await filled(4, 3);
    await world.kill();
    world.members = all;
    await world.open();
    expect((await world.ring.status()).isMoving).toBe(true);
    await expectAll(world);
    await world.heal();
    const counts = await Promise.all(world.bases.map((_, n) => entriesOn(world, n)));
    expect(counts.reduce((sum, count) => sum + count)).toBe(COUNT);
    for (const count of counts) expect(count / (COUNT / 4)).toBeCloseTo(1, 0);
    await expectAll(world);
  });

  test('killed half-way, the next start goes on with it', async () => {
    const { world, all } = await filled(3, 2);
    await world.kill();
    world.members = all;
    await world.open();
    await world.clock.advance(1);
    await world.kill();
    await world.open();
    await expectAll(world);
    await world.heal();
    await expectAll(world);
    expect((await world.ring.status()).isMoving).toBe(false);
  });

  test('a second copy of everything is made when two are asked for', async () => {
    const { world } = await filled(3, 3);
    await world.kill();
    world.copies = 2;
    await world.open();
    await expectAll(world);
    await world.heal();
    const counts = await Promise.all(world.bases.map((_, n) => entriesOn(world, n)));
    expect(counts.reduce((sum, count) => sum + count)).toBe(2 * COUNT);
  });
});

describe('draining', () => {
  test('empties a shard while the ring serves, and a start without it is fine then, and only then', async () => {
    const { world, all } = await filled(3, 3);
    await world.kill();
    world.members = all.slice(0, 2);
    await expect(world.open()).rejects.toThrow(/keeps records in shard-2 as well.*drain shard-2/);
    world.members = all;
    await world.open();
    await world.ring.drain('shard-2');
    await world.ring.storage.store(key(0), entry(world, 1));
    await expectAll(world);
    await world.heal();
    expect((await world.ring.status()).shards[2]).toMatchObject({ state: 'drained', records: 0, weight: 0, share: 0 });
    expect(world.events).toContainEqual({ type: 'shard-drained', shard: 'shard-2' });
    expect(await entriesOn(world, 2)).toBe(0);
    await world.kill();
    world.members = all.slice(0, 2);
    await world.open();
    await expectAll(world);
  });

  test('waits for the hints it keeps for others', async () => {
    const { world } = await filled(3, 3);
    world.shard(0).mood = 'failing';
    for (let n = 0; n < 30; n++) await world.settled(world.ring.storage.store(key(n), entry(world, n + 1)));
    const { shards } = await world.ring.status();
    expect(shards[0]!.hints).toBeGreaterThan(0);
    const holder = (world.events.find(({ type }) => type === 'hint-stored') as { holder: string }).holder;
    await world.settled(world.ring.drain(holder));
    await world.clock.advance(5_000);
    expect((await world.ring.status()).shards.find(({ name }) => name === holder)).toMatchObject({ state: 'draining' });
    await world.heal();
    expect((await world.ring.status()).shards.find(({ name }) => name === holder)).toMatchObject({ state: 'drained' });
    await expectAll(world);
  });

  test.each([
    ['shard-9', /there is no storage shard-9; there are shard-0, shard-1/],
    ['shard-1', /keys are moving already/],
  ])('of %s is refused', async (name, message) => {
    const { world } = await filled(3, 3);
    await world.ring.drain('shard-0');
    await expect(world.ring.drain(name)).rejects.toThrow(message);
  });

  test('of the last one is refused', async () => {
    const { world } = await filled(2, 2);
    await world.ring.drain('shard-0');
    await world.heal();
    await expect(world.ring.drain('shard-1')).rejects.toThrow(/shard-1 is the last one/);
  });
});
