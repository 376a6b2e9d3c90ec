import { describe, expect, it } from 'vitest';
import { bytes, count, duration, moment, printable, quoted, shortId } from '../../../src/cli/text.ts';

describe('printable', () => {
  it('lets text of any script through', () => {
    expect(printable('svc/web größe 東京 🐚 ~!')).toBe('svc/web größe 東京 🐚 ~!');
  });

  it('shows what would act on a terminal instead of sending it', () => {
    expect(printable('a\u001b[2Jb')).toBe('a\\u{1b}[2Jb');
    expect(printable('a\r\nb\u0007')).toBe('a\\u{d}\\u{a}b\\u{7}');
    expect(printable('abc\u202edef')).toBe('abc\\u{202e}def');
    expect(printable('\u009b31m\u2028')).toBe('\\u{9b}31m\\u{2028}');
  });
});

describe('facts for people', () => {
  it.each([
    [0.04, '0.0 ms'],
    [9.94, '9.9 ms'],
    [9.96, '10 ms'],
    [999, '999 ms'],
    [4_210, '4.2 s'],
    [180_000, '3 min'],
    [86_400_000, '24 h'],
    [2_592_000_000, '30 d'],
  ])('a duration of %d ms is %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });

  it('a moment is absolute and relative, ahead or past', () => {
    const now = Date.UTC(2026, 10, 21);
    expect(moment(now + 3_600_000, now)).toBe('2026-11-21 01:00:00 UTC (in 60 min)');
    expect(moment(now - 1_000, now)).toBe('2026-11-20 23:59:59 UTC (1.0 s ago)');
  });

  it('words for a shell are quoted where they have to be', () => {
    expect(['lmdb:/a/b', 'redis://me@host:1/0', 'lmdb:/a b', 'lmdb:/a?weight=2&copies=2', "it's"].map(quoted)).toEqual([
      'lmdb:/a/b',
      'redis://me@host:1/0',
      "'lmdb:/a b'",
      "'lmdb:/a?weight=2&copies=2'",
      `'it'\\''s'`,
    ]);
  });

  it('sizes, counts and ids are short', () => {
    expect([0, 1_023, 1_024, 1_048_576].map(bytes)).toEqual(['0 B', '1023 B', '1.0 KiB', '1.0 MiB']);
    expect([count(1, 'peer'), count(2, 'peer')]).toEqual(['1 peer', '2 peers']);
    expect(shortId('12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq')).toBe('12D3Ko…Umo7R3pq');
    expect(shortId('short')).toBe('short');
  });
});
