import { describe, expect, test } from 'vitest';
import { storageNaming } from '../../../../src/registry/exchange/index.ts';
import { planStart } from '../../../../src/registry/exchange/plan-start.ts';

const naming = storageNaming('/data');
const [A, B, C] = ['lmdb:/a', 'lmdb:/b', 'lmdb:/c'] as const;

function plan(
  given: readonly string[],
  home: readonly string[],
  more: { former?: string; target?: readonly string[] } = {},
) {
  const { former, target } = more;
  const document = {
    home,
    former: former === undefined ? [] : [former],
    target: target === undefined ? null : { urls: target, phase: 'copying' as const },
  };
  return planStart(given, document, naming);
}

const asGiven = (urls: readonly string[], target?: readonly string[]) => ({ urls, target, advice: undefined });
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });

describe('what a start opens', () => {
  test('is what it is given, while nothing was ever moved', () => {
    expect(planStart([A, B], undefined, naming)).toEqual(asGiven([A, B]));
  });

  test('is what it is given, where the records are: with a new password, other weights, in another order', () => {
    const given = ['redis://:new@host?weight=2', A];
    expect(plan(given, [A, 'redis://:old@host'])).toEqual(asGiven(given));
    expect(plan([A], [A], { target: [B] })).toEqual(asGiven([A], [B]));
  });

  test('may have storages more or fewer than it had: the ring knows whether that is right', () => {
    expect(plan([A, B], [A])).toEqual(asGiven([A, B]));
    expect(plan([B], [A, B])).toEqual(asGiven([B]));
    expect(plan([B, C], [A, B])).toEqual(asGiven([B, C]));
  });

  test('is where the records are, when it is given where they were, with all that has to be given from then on', () => {
    const home = [`${B}?weight=2`, 'redis://me:secret@host?copies=2'];
    const advice =
      'the records were moved from lmdb:/a to lmdb:/b, redis://me@host, which is used: start with --storage for each of lmdb:/b?weight=2, redis://me:PASSWORD@host?copies=2 from now on';
    expect(plan([A], home, { former: A })).toEqual({ urls: home, target: undefined, advice });
    expect(plan([B, A], [C], { former: `${A}, ${B}` }).urls).toEqual([C]);
  });

  test('is nothing, when nobody ever moved anything there', () => {
    expect(() => plan([C], [A])).toThrow(
      refusal(
        /^the records of this node are in lmdb:\/a, and nothing was moved to lmdb:\/c: start with --storage lmdb:\/a, then "nautilus storage migrate --to lmdb:\/c"$/,
      ),
    );
  });

  test('is nothing, when it has part of a migration that was not finished, beside where the records are or not', () => {
    const unfinished = refusal(
      /^the migration to lmdb:\/b, lmdb:\/c was not finished: start with --storage lmdb:\/a, then "nautilus storage migrate --to lmdb:\/b --to lmdb:\/c"$/,
    );
    for (const given of [[B, C], [B], [A, B]]) expect(() => plan(given, [A], { target: [B, C] })).toThrow(unfinished);
  });

  test('is nothing, when of those that had the records only one is given that forgets', () => {
    expect(() => plan(['memory:'], [A, 'memory:'])).toThrow(
      refusal(/^the records of this node are in lmdb:\/a, memory:/),
    );
    expect(plan(['memory:', A], ['memory:'])).toEqual(asGiven(['memory:', A]));
  });
});
