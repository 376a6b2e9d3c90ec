import { describe, expect, test } from 'vitest';
import { type GivenShard, planRing } from '../../../../src/registry/ring/plan-ring.ts';
import type { DocumentMember, RingDocument } from '../../../../src/registry/ring/ring-document.ts';

const member = (name: string, init: Partial<DocumentMember> = {}): DocumentMember => ({
  name,
  weight: 1,
  isDrainAsked: false,
  isLasting: true,
  ...init,
});

const ring = (init: Partial<RingDocument> = {}): RingDocument => ({
  ringId: 'r',
  epoch: 5,
  copies: 1,
  members: [member('a'), member('b')],
  former: null,
  ...init,
});

type Init = Partial<NonNullable<GivenShard['opened']>> & { readonly weight?: number };

const up = (name: string, { weight = 1, ...init }: Init = {}): GivenShard => ({
  name,
  weight,
  opened: { document: undefined, hasEntries: false, isLasting: true, ...init },
  failure: undefined,
});
const down = (name: string): GivenShard => ({
  name,
  weight: 1,
  opened: undefined,
  failure: new Error(`${name} cannot be reached`),
});

function plan(given: readonly GivenShard[], copies = 1) {
  const warnings: string[] = [];
  return { ...planRing({ given, copies, newRingId: 'new', warn: (text) => warnings.push(text) }), warnings };
}

const document = ring();

describe('a start that makes a ring', () => {
  test('of empty storages moves nothing', () => {
    expect(plan([up('a'), up('b')])).toMatchObject({ ringId: 'new', epoch: 1, former: null });
  });

  test('beside a storage with records moves their share of them', () => {
    expect(plan([up('a', { hasEntries: true }), up('b')]).former).toEqual({
      copies: 1,
      members: [{ name: 'a', weight: 1 }],
    });
  });

  test.each([
    [
      'two that hold records of their own',
      [up('a', { hasEntries: true }), up('b', { hasEntries: true })],
      /a, b hold records/,
    ],
    ['one that cannot be reached', [up('a'), down('b')], /b cannot be reached/],
  ])('of %s is refused', (_, given, message) => {
    expect(() => plan(given)).toThrow(message);
  });
});

describe('a start with a ring', () => {
  test('as it was changes nothing, though one is down', () => {
    expect(plan([up('b', { document }), down('a')])).toMatchObject(document);
  });

  test('goes by the newest document', () => {
    const newer = ring({ epoch: 6, members: [member('a'), member('b', { weight: 3 })] });
    const given = [up('a', { document }), up('b', { document: newer, weight: 3 })];
    expect(plan(given)).toMatchObject({ epoch: 6, former: null });
  });

  test('and one more, or another weight, or two copies, moves what belongs elsewhere', () => {
    const former = {
      copies: 1,
      members: [
        { name: 'a', weight: 1 },
        { name: 'b', weight: 1 },
      ],
    };
    const joined = plan([up('a', { document }), up('b', { document }), up('c')]);
    expect(joined).toMatchObject({ epoch: 6, former });
    expect(joined.members.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(plan([up('a', { document }), up('b', { document, weight: 2 })])).toMatchObject({ epoch: 6, former });
    expect(plan([up('a', { document }), up('b', { document })], 2)).toMatchObject({ copies: 2, former });
  });

  test('without one that was drained, or that forgets anyway, is fine', () => {
    const drained = ring({ members: [member('a'), member('b', { weight: 0, isDrainAsked: true })] });
    expect(plan([up('a', { document: drained })])).toMatchObject({ epoch: 6, former: null });
    const forgetful = ring({ members: [member('a'), member('b', { isLasting: false })] });
    expect(plan([up('a', { document: forgetful })]).members).toHaveLength(1);
  });

  test('keeps a drained one out until it is taken off the list, and says so', () => {
    const drained = ring({ members: [member('a'), member('b', { weight: 0, isDrainAsked: true })] });
    const again = plan([up('a', { document: drained }), up('b', { document: drained })]);
    expect(again.members[1]).toMatchObject({ weight: 0 });
    expect(again.warnings).toEqual([expect.stringMatching(/b has been drained: take it off/)]);
  });

  test.each([
    ['without a member', [up('a', { document })], /keeps records in b as well.*storage drain b/],
    [
      'without one whose draining is not over',
      [up('a', { document: ring({ members: [member('a'), member('b', { weight: 0 })], former: document }) })],
      /keeps records in b/,
    ],
    ['of another ring', [up('a', { document }), up('b', { document: ring({ ringId: 'x' }) })], /different rings/],
    [
      'and one that holds other records',
      [up('a', { document }), up('b', { document }), up('c', { hasEntries: true })],
      /c would join/,
    ],
    ['and a new one that is down', [up('a', { document }), up('b', { document }), down('c')], /c cannot be reached/],
    [
      'and another change while keys move',
      [up('a', { document: ring({ former: document }) }), up('b', { document: ring({ former: document }) }), up('c')],
      /still moving/,
    ],
    [
      'in which nobody has a weight',
      [up('a', { document, weight: 0 }), up('b', { document, weight: 0 })],
      /weight over 0/,
    ],
  ])('%s is refused', (_, given, message) => {
    expect(() => plan(given)).toThrow(message);
  });
});
