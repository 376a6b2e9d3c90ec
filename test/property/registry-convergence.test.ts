import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DEFAULT_NETWORK_CONSTANTS,
  type HeldRecord,
  hashValue,
  parseKey,
  toHex,
  utf8Encode,
} from '../../src/records/index.ts';
import { MemoryStorage, openRegistry, type Registry } from '../../src/registry/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { headerOnly, unsignedRecord } from '../support/unsigned-record.ts';

const START = 1_700_000_000_000;
const MINUTE = 60_000;
const constants = { ...DEFAULT_NETWORK_CONSTANTS, maxTtlMs: 60 * MINUTE };
const KEYS = ['a', 'b', `sha256:${toHex(hashValue(utf8Encode('value')))}`];

/** Versions that a publisher could sign: all put within the first minutes, living for some, so that runs cross their deadlines. */
const version = fc
  .record({
    key: fc.constantFrom(...KEYS),
    publisher: fc.integer({ min: 1, max: 3 }),
    putAt: fc.nat(5),
    value: fc.constantFrom('x', 'y'),
    ttl: fc.integer({ min: 1, max: 20 }),
    deleted: fc.boolean(),
  })
  .map(({ key, publisher, putAt, value, ttl, deleted }) => {
    const isImmutable = key.startsWith('sha256:');
    return unsignedRecord(key, {
      publisher,
      seq: isImmutable ? 0 : (START + putAt * MINUTE) * 1000,
      expiresAt: START + (putAt + ttl) * MINUTE,
      value: isImmutable ? 'value' : value,
      deleted: deleted && !isImmutable,
    });
  });

/** What happens to one registry: records arriving, some twice, some without their value, and minutes passing. */
interface Delivery {
  readonly index: number;
  readonly isHeaderOnly: boolean;
  readonly minutes: number;
}

const delivery: fc.Arbitrary<Delivery> = fc.record({
  index: fc.nat(100),
  isHeaderOnly: fc.boolean(),
  minutes: fc.nat(4),
});

const END = START + 40 * MINUTE;

/** Random deliveries, then every version once in a given order, all before the end; the registry at the end of its run. */
async function run(versions: readonly HeldRecord[], deliveries: readonly Delivery[], order: readonly number[]) {
  const clock = new ManualClock(START + 5 * MINUTE);
  const registry = await openRegistry({ storage: new MemoryStorage({ clock }), clock, constants });
  for (const { index, isHeaderOnly, minutes } of deliveries) {
    const record = versions[index % versions.length]!;
    await registry.merge(isHeaderOnly ? headerOnly(record) : record);
    await clock.advance(Math.min(minutes * MINUTE, END - MINUTE - clock.now()));
  }
  for (const index of order) await registry.merge(versions[index]!);
  return { clock, registry };
}

async function contents(registry: Registry): Promise<unknown> {
  const cells = await Promise.all(KEYS.map((key) => registry.read(parseKey(key).id)));
  return cells.map((held) => held.map(({ header, value }) => ({ ...header, key: header.key.text, value })));
}

test('registries that saw the same versions in any order, at any times, any number of times, agree', async () => {
  const scenario = fc.array(version, { minLength: 1, maxLength: 8 }).chain((versions) => {
    const order = fc.shuffledSubarray([...versions.keys()], { minLength: versions.length });
    const history = fc.tuple(fc.array(delivery, { maxLength: 10 }), order);
    return fc.tuple(fc.constant(versions), history, history);
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ([versions, first, second]) => {
      const left = await run(versions, ...first);
      const right = await run(versions, ...second);
      for (const { clock } of [left, right]) await clock.advance(END - clock.now());
      expect(await contents(left.registry)).toEqual(await contents(right.registry));
      // Everything has expired by now: what is left are floors, and counters that came back to nothing.
      expect(left.registry.size()).toEqual({ records: 0, bytes: 0 });
    }),
    { numRuns: 150 },
  );
});

test('while they live, too: with the clocks at the same time, live records, tombstones and counters agree', async () => {
  const scenario = fc.array(version, { minLength: 1, maxLength: 8 }).chain((versions) => {
    const order = fc.shuffledSubarray([...versions.keys()], { minLength: versions.length });
    return fc.tuple(fc.constant(versions), fc.array(delivery, { maxLength: 10 }), order, order, fc.nat(25));
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ([versions, deliveries, first, second, minutes]) => {
      const still = deliveries.map((each) => ({ ...each, minutes: 0 }));
      const left = await run(versions, still, first);
      const right = await run(versions, [], second);
      for (const { clock } of [left, right]) await clock.advance(minutes * MINUTE);
      expect(await contents(left.registry)).toEqual(await contents(right.registry));
      expect(left.registry.size()).toEqual(right.registry.size());
    }),
    { numRuns: 150 },
  );
});
