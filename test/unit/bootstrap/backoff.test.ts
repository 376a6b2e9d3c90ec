import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/bootstrap/backoff.ts';
import type { Random } from '../../../src/core/index.ts';

function always(value: number): Random {
  return { next: () => value, bytes: (length) => new Uint8Array(length) };
}

describe('Backoff', () => {
  it('doubles up to its maximum and begins anew after a reset', () => {
    const backoff = new Backoff(always(0.5));
    expect(Array.from({ length: 8 }, () => backoff.next())).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]);
    backoff.reset();
    expect(backoff.next()).toBe(1_000);
  });

  it('spreads each delay by a quarter either way, and never over the maximum', () => {
    const early = new Backoff(always(0), { firstMs: 1_000, maxMs: 2_000 });
    const late = new Backoff(always(0.999_999), { firstMs: 1_000, maxMs: 2_000 });
    expect([early.next(), early.next(), early.next()]).toEqual([750, 1_500, 1_500]);
    expect(late.next()).toBeCloseTo(1_250, 0);
    expect([late.next(), late.next()]).toEqual([2_000, 2_000]);
  });

  it('stays finite after thousands of failures', () => {
    const backoff = new Backoff(always(0.5));
    for (let i = 0; i < 5_000; i++) backoff.next();
    expect(backoff.next()).toBe(60_000);
  });
});
