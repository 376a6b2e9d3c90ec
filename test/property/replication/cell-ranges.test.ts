import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CellRange, cellRange, compareRanges, rangeContains } from '../../../src/records/index.ts';
import {
  childRanges,
  coversId,
  coversRange,
  forEachWithin,
  intersectRanges,
  mergeSiblings,
} from '../../../src/replication/cell-ranges.ts';

/** Ids differ in their first ten bits, so that ranges meet and a list can be checked against every one of them. */
const BITS = 10;
const everyId = Array.from({ length: 2 ** BITS }, (_, value) => {
  const id = new Uint8Array(64).fill(0x5a);
  id[0] = value >> 2;
  id[1] = (value & 3) << 6;
  return id;
});

/** Cuts everything along some ids and keeps some of the parts: ascending and disjoint by construction. */
const rangeList: fc.Arbitrary<CellRange[]> = fc.infiniteStream(fc.nat({ max: 9 })).map((choices) => {
  const list: CellRange[] = [];
  const visit = (range: CellRange): void => {
    const choice = choices.next().value as number;
    if (choice < 2) return;
    if (choice < 4 || range.bits === BITS) list.push(range);
    else for (const child of childRanges(range, 1)) visit(child);
  };
  visit(cellRange(new Uint8Array(0), 0));
  return list;
});

const contains = (list: readonly CellRange[], id: Uint8Array) => list.some((range) => rangeContains(range, id));
/** As positions in `everyId`, in one line: cheap to compare. */
function idsWhere(isIn: (id: Uint8Array) => boolean): string {
  return everyId.flatMap((id, at) => (isIn(id) ? [at] : [])).join(' ');
}

const idsIn = (list: readonly CellRange[]) => idsWhere((id) => contains(list, id));

function expectOrder(list: readonly CellRange[]): void {
  for (let i = 1; i < list.length; i++) {
    expect(compareRanges(list[i - 1]!, list[i]!)).toBeLessThan(0);
    expect(rangeContains(list[i - 1]!, list[i]!.prefix)).toBe(false);
  }
}

describe('cell ranges', () => {
  it('are found by binary search wherever a look at each would find them', () => {
    fc.assert(
      fc.property(rangeList, (list) => {
        expectOrder(list);
        expect(idsWhere((id) => coversId(list, id))).toBe(idsIn(list));
      }),
    );
  });

  it('contain the same ids when siblings are merged, and none are left', () => {
    fc.assert(
      fc.property(rangeList, (list) => {
        const merged = mergeSiblings(list);
        expectOrder(merged);
        expect(idsIn(merged)).toBe(idsIn(list));
        for (const { prefix, bits } of merged) {
          if (bits === 0) continue;
          const sibling = prefix.slice();
          sibling[(bits - 1) >> 3]! ^= 0x80 >> ((bits - 1) & 7);
          expect(merged.some((other) => compareRanges(other, cellRange(sibling, bits)) === 0)).toBe(false);
        }
      }),
    );
  });

  it('have in common exactly the ids that are in both', () => {
    fc.assert(
      fc.property(rangeList, rangeList, (a, b) => {
        const both = intersectRanges(a, b);
        expectOrder(both);
        expect(idsIn(both)).toBe(idsWhere((id) => contains(a, id) && contains(b, id)));
        expect(intersectRanges(b, a)).toEqual(both);
      }),
    );
  });

  it('are walked beside others in one pass, and those within one of these are met in their order', () => {
    fc.assert(
      fc.property(rangeList, rangeList, (items, list) => {
        const met: CellRange[] = [];
        forEachWithin(
          items,
          (range) => range,
          list,
          (range) => met.push(range),
        );
        expect(met).toEqual(items.filter((range) => coversRange(list, range)));
      }),
    );
  });

  it('are divided among their children, each id into one', () => {
    const anyId = fc.uint8Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(anyId, fc.nat({ max: 512 }), anyId, (within, bits, tail) => {
        const range = cellRange(within, bits);
        const id = within.map((byte, i) => (i > bits >> 3 ? tail[i]! : byte));
        const children = childRanges(range, 4);
        expect(children.filter((child) => rangeContains(child, id))).toHaveLength(bits === 512 ? 0 : 1);
        for (const child of children) {
          expect(child.bits).toBe(Math.min(bits + 4, 512));
          expect(child).toEqual(cellRange(child.prefix, child.bits));
          expect(rangeContains(range, child.prefix)).toBe(true);
        }
        expectOrder(children);
      }),
    );
  });
});
