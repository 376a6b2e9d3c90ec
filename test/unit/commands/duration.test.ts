import { describe, expect, it } from 'vitest';
import { parseDuration, parseTtl } from '../../../src/commands/index.ts';
import { isNautilusError } from '../../../src/core/index.ts';

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '5', 's', '-1s', '1.5h', '1 h', '1H', '1w', '1h30m', ' 1h', '1h\n', '1000000000000d', '١s'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe('parseTtl', () => {
  it.each(['0s', '0ms', 'soon', ''])('refuses %j with TTL_INVALID and says what to write', (text) => {
    try {
      parseTtl(text);
      expect.unreachable();
    } catch (error) {
      expect(isNautilusError(error, 'TTL_INVALID')).toBe(true);
      expect((error as Error).message).toMatch(/30s, 15m, 24h or 7d/);
    }
  });
});
