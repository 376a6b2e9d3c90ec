import { describe, expect, it } from 'vitest';
import { FairShare } from '../../../src/network/fair-share.ts';
import { DEFAULT_NETWORK_LIMITS } from '../../../src/network/network-limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('FairShare', () => {
  it('gives a peer nearly everything while it is alone, and the small share as soon as another one asks', async () => {
    const clock = new ManualClock();
    const share = new FairShare(clock, { ...DEFAULT_NETWORK_LIMITS, maxServing: 10 });
    const [a, b] = [share.createAccount(), share.createAccount()];
    expect([share.limit(a), share.limit(a)]).toEqual([80, 80]);
    expect([share.limit(b), share.limit(a)]).toEqual([10, 10]);
    await clock.advance(500);
    expect(share.limit(a)).toBe(10); // b asked a moment ago
    await clock.advance(1_000);
    expect(share.limit(a)).toBe(80);
  });

  it('remembers who was used last', () => {
    const share = new FairShare(new ManualClock(), DEFAULT_NETWORK_LIMITS);
    const [a, b] = [share.createAccount(), share.createAccount()];
    share.limit(a);
    expect(a.lastUsed).toBeGreaterThan(b.lastUsed);
    share.use(b);
    expect(b.lastUsed).toBeGreaterThan(a.lastUsed);
  });
});
