import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkQuorum, readQuorum, writeQuorum } from '../../../src/replication/quorum.ts';

describe('the majority rule', () => {
  test('is 11 acks and 10 answers at K = 20, and holds at one, two and three holders', () => {
    expect([20, 1, 2, 3].map((k) => [writeQuorum(k), readQuorum(k)])).toEqual([
      [11, 10],
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
  });

  test('makes every read meet every write, and no two writes miss each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), (k) => {
        expect(writeQuorum(k) + readQuorum(k)).toBeGreaterThan(k);
        expect(2 * writeQuorum(k)).toBeGreaterThan(k);
        expect(Math.max(writeQuorum(k), readQuorum(k))).toBeLessThanOrEqual(k);
      }),
    );
  });
});

describe('a chosen quorum', () => {
  test('is taken literally: five of three holders cannot be reached', () => {
    expect(writeQuorum(3, 5)).toBe(5);
    expect(writeQuorum(3, 'all')).toBe(3);
    expect(readQuorum(3, 'one')).toBe(1);
  });

  test.each([0, 21, -1, 1.5, Number.NaN])('cannot be %s at K = 20', (choice) => {
    expect(() => checkQuorum(choice, 20)).toThrow(/is none of: majority, one, all, or a number from 1 to 20/);
  });

  test('may be a word or a number of holders', () => {
    for (const choice of [undefined, 'majority', 'one', 'all', 1, 20] as const) checkQuorum(choice, 20);
  });
});
