import { describe, expect, it } from 'vitest';
import type { ReadOutcome } from '../../../testnet/scenarios/index.ts';
import { RecordAccount, type Version } from '../../../testnet/scenarios/record-account.ts';

const HOUR_MS = 3_600_000;
const version = (seq: number, fields: Partial<Version> = {}): Version => ({
  publisher: 'a',
  seq,
  expiresAt: HOUR_MS,
  isDeleted: false,
  ...fields,
});
const found = (seq: number, publisher = 'a', isPartial = false): ReadOutcome => ({
  kind: 'found',
  value: 'v',
  publisher,
  seq,
  isPartial,
  isDegraded: false,
  hops: 1,
  requests: 1,
  elapsedMs: 1,
});
const failed = (code: 'NOT_FOUND' | 'QUORUM_NOT_REACHED'): ReadOutcome => ({
  kind: 'failed',
  code,
  message: '',
  seq: undefined,
  elapsedMs: 1,
});
const judge = (account: RecordAccount, outcome: ReadOutcome, now = 0) =>
  account.judge('k', account.versions('k'), outcome, now);

describe('RecordAccount', () => {
  it('judges a get by what was acknowledged when it began', () => {
    const account = new RecordAccount();
    expect(judge(account, failed('NOT_FOUND'))).toBe('right');
    account.acknowledge('k', version(1));
    const before = account.versions('k');
    account.acknowledge('k', version(2));
    expect(judge(account, found(2))).toBe('right');
    expect(judge(account, found(1))).toBe('stale');
    expect(account.judge('k', before, found(1), 0)).toBe('right');
    expect(judge(account, found(3))).toBe('right'); // somebody's write that is not acknowledged yet
    expect(judge(account, found(1, 'a', true))).toBe('partial');
    expect(judge(account, failed('NOT_FOUND'))).toBe('not-found');
    expect(judge(account, failed('QUORUM_NOT_REACHED'))).toBe('error');
    expect(judge(account, { kind: 'gone' })).toBeUndefined();
  });

  it('takes the newest of all publishers, and of a deleted one what is left', () => {
    const account = new RecordAccount();
    account.acknowledge('k', version(1));
    account.acknowledge('k', version(5, { publisher: 'b' }));
    expect(judge(account, found(1))).toBe('stale');
    account.acknowledge('k', version(6, { publisher: 'b', isDeleted: true }));
    expect(judge(account, found(5, 'b'))).toBe('stale');
    expect(judge(account, found(1))).toBe('right');
    account.acknowledge('k', version(7, { isDeleted: true }));
    expect(judge(account, failed('NOT_FOUND'))).toBe('right');
    expect([...account.live(0)]).toEqual([]);
  });

  it('blames nobody for a record that an unanswered delete may have taken away', () => {
    const account = new RecordAccount();
    account.acknowledge('k', version(1));
    account.doubt('k', 'a', 0);
    expect(judge(account, failed('NOT_FOUND'))).toBe('right');
    expect([...account.live(0)]).toEqual([]);
    account.acknowledge('k', version(2));
    expect(judge(account, failed('NOT_FOUND'))).toBe('not-found');
    expect([...account.live(0)]).toEqual(['k']);
  });

  it('forgives clocks a minute around the end of a record, and no more', () => {
    const account = new RecordAccount();
    account.acknowledge('k', version(1));
    expect(judge(account, failed('NOT_FOUND'), HOUR_MS - 61_000)).toBe('not-found');
    expect(judge(account, failed('NOT_FOUND'), HOUR_MS - 59_000)).toBe('right');
    expect(judge(account, found(1), HOUR_MS + 59_000)).toBe('right');
    expect(judge(account, found(1), HOUR_MS + 61_000)).toBe('stale');
  });

  it('does not let an older acknowledgement that comes late undo a newer one', () => {
    const account = new RecordAccount();
    account.acknowledge('k', version(4));
    account.acknowledge('k', version(3));
    expect(judge(account, found(3))).toBe('stale');
  });
});
