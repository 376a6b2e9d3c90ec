import { expect, test } from 'vitest';
import { comparePage, digestOf } from '../../../../src/registry/exchange/compare-page.ts';

const stored = (key: number, version = 1, value: readonly number[] = [version], expiresAt = 1_000) => ({
  key: Uint8Array.of(key),
  value: Uint8Array.from(value),
  version,
  expiresAt,
});

test('equal pages have no differences, and the shorter of two decides how far they go', () => {
  expect(comparePage([stored(1), stored(2)], [stored(1), stored(2)], 3)).toEqual({
    count: 2,
    differences: [],
    end: undefined,
  });
  const page = comparePage([stored(1), stored(5)], [stored(1), stored(2)], 2);
  expect(page).toMatchObject({ count: 1, end: Uint8Array.of(2) });
  expect(page.differences.map(({ key }) => key[0])).toEqual([2]);
});

test('what is missing, one too many, or another one is found', () => {
  const { differences } = comparePage(
    [stored(1), stored(3), stored(4), stored(5), stored(6)],
    [stored(2), stored(3), stored(4, 2), stored(5, 1, [9]), stored(6, 1, [1], 2_000)],
    9,
  );
  expect(differences.map(({ key, original, copy }) => [key[0], original !== undefined, copy !== undefined])).toEqual([
    [1, true, false],
    [2, false, true],
    [4, true, true],
    [5, true, true],
    [6, true, true],
  ]);
});

test('bytes that only moved between key and value make another digest', () => {
  const one = { ...stored(1), key: Uint8Array.of(1, 2), value: Uint8Array.of(3) };
  const other = { ...one, key: Uint8Array.of(1), value: Uint8Array.of(2, 3) };
  expect(digestOf([one]).hash).not.toBe(digestOf([other]).hash);
  expect(digestOf([one])).toEqual(digestOf([{ ...one }]));
});
