import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedKeys } from '../../../src/registry/sorted-keys.ts';

test('any series of inserts and removals keeps the order of a plain sort, from any start', () => {
  const key = fc.string({ unit: fc.constantFrom('\u0000', 'a', 'b', '\u00ff'), minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key), { maxLength: 300 }), key, (steps, start) => {
      const keys = new SortedKeys();
      const oracle = new Set<string>();
      for (const [isInsert, step] of steps) {
        if (isInsert === oracle.has(step)) continue;
        if (isInsert) keys.add(step);
        else keys.delete(step);
        if (isInsert) oracle.add(step);
        else oracle.delete(step);
      }
      const expected = [...oracle].filter((candidate) => candidate >= start).sort();
      expect([...keys.from(start)]).toEqual(expected);
    }),
  );
});

test('ten thousand keys in hostile order split into chunks and are all found again', () => {
  const keys = new SortedKeys();
  const all = Array.from({ length: 10_000 }, (_, i) => String(i).padStart(5, '0'));
  for (const key of all.toReversed()) keys.add(key);
  expect([...keys.from('')]).toEqual(all);
  expect(keys.from('04999').next().value).toBe('04999');
  for (const key of all) if (key !== '07777') keys.delete(key);
  expect([...keys.from('')]).toEqual(['07777']);
});
