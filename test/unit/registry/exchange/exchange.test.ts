import { expect, test } from 'vitest';
import { utf8Encode } from '../../../../src/records/index.ts';
import type { ExchangeProgress } from '../../../../src/registry/exchange/index.ts';
import { DOCUMENT_KEY } from '../../../../src/registry/ring/hint.ts';
import { ExchangeWorld } from '../../../support/exchange-world.ts';

const key = (n: number) => Uint8Array.of(n, n);
const KEYS = Array.from({ length: 9 }, (_, n) => n);

function entry(world: ExchangeWorld, version = 1, lifeMs = 1e9) {
  return { value: Uint8Array.of(version), version, expiresAt: world.clock.now() + lifeMs };
}

async function filled(url = 'a'): Promise<ExchangeWorld> {
  const world = new ExchangeWorld();
  await world.open(url);
  for (const n of KEYS) await world.storage.store(key(n), entry(world));
  return world;
}

/** What a migration says until it ends, with the clock moved as far as it takes. */
async function watched(world: ExchangeWorld, ...to: string[]) {
  const steps: ExchangeProgress[] = [];
  const watching = world.exchanger.migrate(to);
  const outcome = await world.settled(
    (async () => {
      for await (const step of watching) steps.push(step);
    })(),
  );
  return { steps, outcome };
}

async function contents(world: ExchangeWorld, url: string) {
  const entries = await world.bases.get(url)!.scan({ limit: 100 });
  return entries.map(({ key: [n], value: [version] }) => [n, version]);
}

test('everything moves, progress is told, and the next start with the old flag goes where the records are', async () => {
  const world = await filled();
  const { steps, outcome } = await watched(world, 'b');
  expect(outcome.kind).toBe('done');
  expect(new Set(steps.map(({ phase }) => phase))).toEqual(new Set(['copying', 'verifying', 'switched']));
  expect(steps.at(-1)).toMatchObject({ phase: 'switched', from: ['a'], to: ['b'], total: 9, entries: 9 });
  expect(await contents(world, 'b')).toEqual(KEYS.map((n) => [n, 1]));
  expect(world.storage.name).toBe('b');
  await world.kill();
  world.events.length = 0;
  await world.open('a');
  expect(world.storage.name).toBe('b');
  expect(world.messages).toBe('the records were moved from a to b, which is used: start with --storage b from now on');
  await world.kill();
  world.events.length = 0;
  await world.open('b');
  expect(world.storage.name).toBe('b');
  expect(world.codes).toEqual([]);
});

test('a start with a storage that has nothing to do with where the records are is refused', async () => {
  const world = await filled();
  await watched(world, 'b');
  await world.kill();
  await expect(world.open('c')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message:
      'the records of this node are in b, and nothing was moved to c: start with --storage b, then "nautilus storage migrate --to c"',
  });
});

test('a target that fails half-way leaves the storage in use in use, says why, and can be tried again', async () => {
  const world = await filled();
  const watching = world.exchanger.migrate(['b']);
  const outcome = world.settled(
    (async () => {
      for await (const { entries } of watching) if (entries >= 4) world.side('b').mood = 'lying';
    })(),
  );
  expect(await outcome).toMatchObject({
    kind: 'failed',
    error: {
      code: 'STORAGE_FAILED',
      message: 'nothing was migrated, the records stay in a: b: the test wants it to fail: be patient',
    },
  });
  expect(world.codes).toContain('MIGRATION_ROLLED_BACK');
  expect(world.storage.name).toBe('a');
  await world.storage.remove(key(0));
  await world.storage.store(key(1), entry(world, 2));
  world.side('b').mood = 'well';
  expect((await watched(world, 'b')).outcome.kind).toBe('done');
  expect(await contents(world, 'b')).toEqual([[1, 2], ...KEYS.slice(2).map((n) => [n, 1])]);
});

test.each(['failing', 'hanging'] as const)('a target that is %s ends the migration in time', async (mood) => {
  const world = await filled();
  world.side('b').mood = mood;
  const { outcome } = await watched(world, 'b');
  expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'STORAGE_FAILED' } });
  expect(await world.storage.contains(key(3))).toBe(true);
});

test('a target with entries of somebody else is refused before anything is written', async () => {
  const world = await filled();
  world.side('b');
  await world.bases.get('b')!.store(key(77), entry(world));
  const { outcome } = await watched(world, 'b');
  expect(outcome).toMatchObject({
    kind: 'failed',
    error: {
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('b already holds entries: empty it, or choose another one'),
    },
  });
  expect(await contents(world, 'b')).toEqual([[77, 1]]);
});

test('there and back again: what was left behind is overwritten, nothing of it comes back', async () => {
  const world = await filled();
  await watched(world, 'b');
  await world.storage.remove(key(0));
  await world.storage.store(key(1), entry(world, 5));
  expect((await watched(world, 'a')).outcome.kind).toBe('done');
  expect(world.storage.name).toBe('a');
  expect(await contents(world, 'a')).toEqual([[1, 5], ...KEYS.slice(2).map((n) => [n, 1])]);
});

test('killed while copying, the next start goes on and says so', async () => {
  const world = await filled();
  world.exchanger.migrate(['b']);
  await world.clock.advance(2);
  expect((await contents(world, 'b')).length).toBeLessThan(KEYS.length);
  await world.kill();
  await expect(world.open('b')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('the migration to b was not finished: start with --storage a'),
  });
  await world.open('a');
  expect(world.codes).toEqual(['MIGRATION_RESUMED']);
  await world.untilQuiet();
  expect(world.storage.name).toBe('b');
  expect(await contents(world, 'b')).toEqual(KEYS.map((n) => [n, 1]));
});

test('another node does not start on half a copy', async () => {
  const world = await filled();
  world.exchanger.migrate(['b']);
  await world.clock.advance(2);
  const half = world.bases.get('b')!;
  const other = new ExchangeWorld();
  other.bases.set('b', half);
  await expect(other.open('b')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: 'b holds a copy that was not finished: give the --storage it was made from, or empty it',
  });
});

test('a storage that did not outlive the process has nothing to go on with: rolled back, and said', async () => {
  const world = await filled('fleeting');
  world.exchanger.migrate(['b']);
  await world.clock.advance(2);
  await world.kill();
  await world.open('fleeting');
  expect(world.codes).toEqual(['MIGRATION_ROLLED_BACK']);
  expect(world.messages).toBe('the migration to b is given up: fleeting did not outlive the process');
  expect(world.exchanger.progress).toBeUndefined();
});

test('a stop leaves the migration to the next start', async () => {
  const world = await filled();
  const watching = watched(world, 'b');
  await world.clock.advance(2);
  await world.settled(world.exchanger.close());
  expect((await watching).outcome).toMatchObject({ kind: 'failed', error: { code: 'ABORTED' } });
  await world.kill();
  await world.open('a');
  await world.untilQuiet();
  expect(world.storage.name).toBe('b');
});

test('only one migration at a time; the same one again is watched', async () => {
  const world = await filled();
  const first = watched(world, 'b');
  expect(() => world.exchanger.migrate(['c'])).toThrow(/on their way to b/);
  const second = await watched(world, 'b');
  expect(second.steps.at(-1)?.phase).toBe('switched');
  expect((await first).outcome.kind).toBe('done');
  expect(() => world.exchanger.migrate(['b'])).toThrow(/in b already/);
});

test('nothing is copied to a storage in use, alone or among others', async () => {
  const world = await filled();
  expect(() => world.exchanger.migrate(['a'])).toThrow(/the records are in a already: choose another storage/);
  expect(() => world.exchanger.migrate(['b', 'a'])).toThrow(/a is in use already: to share .* --storage for each/);
  expect(world.exchanger.progress).toBeUndefined();
});

test('several storages are told of as they have to be given again, and known together', async () => {
  const world = await filled();
  const { steps, outcome } = await watched(world, 'c', 'b');
  expect(outcome.kind).toBe('done');
  expect(steps.at(-1)).toMatchObject({ phase: 'switched', from: ['a'], to: ['c', 'b'] });
  expect(world.messages).toBe(
    'the records were moved from a to b, c: start with --storage for each of c, b from now on',
  );
  await world.kill();
  await world.open('a');
  expect(world.storage.name).toBe('c');
});

test('after a migration storages may join those in use and leave them, and the next start knows', async () => {
  const world = await filled();
  await watched(world, 'b');
  for (const urls of [['b', 'c'], ['c'], ['c']]) {
    await world.kill();
    await world.open(...urls);
    expect(world.storage.name).toBe(urls[0]);
  }
  await world.kill();
  await expect(world.open('b')).rejects.toMatchObject({ message: expect.stringMatching(/are in c, and nothing was/) });
  // What was moved from there before is what it was: gone.
  await world.open('a');
  expect(world.storage.name).toBe('c');
});

test('what a ring kept of itself in a storage that left it is nothing to be copied', async () => {
  const world = await filled();
  await world.bases.get('a')!.store(DOCUMENT_KEY, entry(world));
  expect((await watched(world, 'b')).outcome.kind).toBe('done');
  expect(await contents(world, 'b')).toEqual(KEYS.map((n) => [n, 1]));
});

test('an entry that somebody else takes out of the target is noticed and brought again', async () => {
  const world = await filled();
  const watching = world.exchanger.migrate(['b']);
  let mended = 0;
  const outcome = await world.settled(
    (async () => {
      let isSpoilt = false;
      for await (const { phase, differences } of watching) {
        if (phase === 'verifying' && !isSpoilt) {
          isSpoilt = true;
          await world.bases.get('b')!.remove(key(8));
        }
        if (phase === 'verifying') mended = Math.max(mended, differences);
      }
    })(),
  );
  expect(outcome.kind).toBe('done');
  expect(mended).toBe(1);
  expect(await contents(world, 'b')).toEqual(KEYS.map((n) => [n, 1]));
});

test('what expires during the migration is in neither', async () => {
  const world = await filled();
  await world.storage.store(key(50), entry(world, 1, 20));
  const { outcome } = await watched(world, 'b');
  expect(outcome.kind).toBe('done');
  await world.clock.advance(20);
  expect(await world.storage.contains(key(50))).toBe(false);
});

test('a note of the switch that cannot be written rolls back', async () => {
  const world = await filled();
  const { set } = world.state;
  world.state.set = async (name, value) => {
    if (new TextDecoder().decode(value).includes('"home":["b"]')) throw new Error('no space');
    return set.call(world.state, name, value);
  };
  const { outcome } = await watched(world, 'b');
  expect(outcome).toMatchObject({ kind: 'failed', error: { message: 'no space' } });
  expect(world.storage.name).toBe('a');
  await world.storage.store(key(60), entry(world));
  await world.kill();
  await world.open('a');
  expect(world.storage.name).toBe('a');
  expect(await world.storage.contains(key(60))).toBe(true);
});

test('a note of the switch that was written, whatever was said of it, counts', async () => {
  const world = await filled();
  const { set } = world.state;
  world.state.set = async (name, value) => {
    await set.call(world.state, name, value);
    if (new TextDecoder().decode(value).includes('"home":["b"]')) throw new Error('no answer');
  };
  expect((await watched(world, 'b')).outcome.kind).toBe('done');
  expect(world.storage.name).toBe('b');
});

test('while nobody can say where the records are, nothing is stored', async () => {
  const world = await filled();
  const { set, get } = world.state;
  let isGone = false;
  world.state.set = async (name, value) => {
    isGone ||= new TextDecoder().decode(value).includes('"home":["b"]');
    if (isGone) throw new Error('the disk is gone');
    return set.call(world.state, name, value);
  };
  world.state.get = async (name) => {
    if (isGone) throw new Error('the disk is gone');
    return get.call(world.state, name);
  };
  expect((await watched(world, 'b')).outcome).toMatchObject({ kind: 'failed' });
  await expect(world.storage.store(key(60), entry(world))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  expect(await world.storage.contains(key(1))).toBe(true);
});

test('state of a newer version, and state that is no state, are told apart', async () => {
  const world = new ExchangeWorld();
  await world.state.set('storage-exchange', utf8Encode('{"format":2}'));
  await expect(world.open('a')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  for (const text of ['{', '[]', 'null', '{"format":1}', '{"format":1,"home":["a"],"former":[],"target":{}}']) {
    await world.state.set('storage-exchange', utf8Encode(text));
    await expect(world.open('a'), text).rejects.toMatchObject({ code: 'STORAGE_DAMAGED' });
  }
});
