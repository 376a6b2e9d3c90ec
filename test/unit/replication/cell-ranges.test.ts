import { describe, expect, it } from 'vitest';
import { type CellRange, cellRange, compareRanges } from '../../../src/records/index.ts';
import {
  childRanges,
  coversId,
  coversRange,
  findCovering,
  gapsBetween,
  intersectRanges,
  mergeSiblings,
  overlapsRange,
} from '../../../src/replication/cell-ranges.ts';

/** `range('101')`: all ids that begin so. */
function range(bits: string): CellRange {
  const id = new Uint8Array(64);
  [...bits].forEach((bit, i) => {
    if (bit === '1') id[i >> 3]! |= 0x80 >> (i & 7);
  });
  return cellRange(id, bits.length);
}

const ranges = (...texts: string[]) => texts.map(range);

describe('mergeSiblings', () => {
  it('makes one of two halves, and goes on with the result', () => {
    expect(mergeSiblings(ranges('000', '001', '01', '1'))).toEqual(ranges(''));
    expect(mergeSiblings(ranges('00', '01', '11'))).toEqual(ranges('0', '11'));
  });

  it('leaves neighbours alone that have no parent in common', () => {
    expect(mergeSiblings(ranges('01', '10'))).toEqual(ranges('01', '10'));
    expect(mergeSiblings(ranges('0', '10'))).toEqual(ranges('0', '10'));
    expect(mergeSiblings([])).toEqual([]);
  });

  it('merges across the border of a byte', () => {
    expect(mergeSiblings(ranges('111111110', '111111111'))).toEqual(ranges('11111111'));
  });
});

describe('intersectRanges', () => {
  it('keeps the narrower of two that lie one within the other', () => {
    expect(intersectRanges(ranges('0', '110'), ranges('001', '010', '1'))).toEqual(ranges('001', '010', '110'));
  });

  it('is nothing when nothing is shared', () => {
    expect(intersectRanges(ranges('00', '10'), ranges('01', '11'))).toEqual([]);
    expect(intersectRanges(ranges(''), [])).toEqual([]);
  });

  it('of a list with itself is the list', () => {
    const list = ranges('000', '01', '1100000011');
    expect(intersectRanges(list, list)).toEqual(list);
    expect(intersectRanges(list, ranges(''))).toEqual(list);
  });
});

describe('gapsBetween', () => {
  it('is what is missing to everything', () => {
    expect(gapsBetween([])).toEqual(ranges(''));
    expect(gapsBetween(ranges(''))).toEqual([]);
    expect(gapsBetween(ranges('01', '110'))).toEqual(ranges('00', '10', '111'));
    expect(gapsBetween(ranges('000000001'))).toEqual(
      ranges('000000000', '00000001', '0000001', '000001', '00001', '0001', '001', '01', '1'),
    );
  });

  it('of the gaps is the list again', () => {
    const list = ranges('000', '01', '1100000011');
    expect(gapsBetween(gapsBetween(list))).toEqual(list);
  });
});

describe('coversRange', () => {
  it('wants all of a range in one of the list', () => {
    const list = ranges('001', '1');
    for (const inside of ['001', '0010', '1', '111111111']) expect(coversRange(list, range(inside))).toBe(true);
    for (const outside of ['', '0', '00', '000', '01', '0001']) expect(coversRange(list, range(outside))).toBe(false);
  });
});

describe('overlapsRange', () => {
  it('is content with a part, whichever of the two is wider', () => {
    const list = ranges('001', '1000000001');
    for (const common of ['', '0', '00', '001', '00111', '1', '100000000', '10000000011']) {
      expect(overlapsRange(list, range(common))).toBe(true);
    }
    for (const apart of ['000', '01', '1000000000', '101', '11']) expect(overlapsRange(list, range(apart))).toBe(false);
    expect(overlapsRange([], range(''))).toBe(false);
  });
});

describe('coversId', () => {
  it('finds keys and cells in ranges of keys', () => {
    const list = ranges('001', '1');
    for (const length of [32, 64]) {
      const id = new Uint8Array(length);
      id[0] = 0b0011_1111;
      expect(coversId(list, id)).toBe(true);
      id[0] = 0b0100_0000;
      expect(coversId(list, id)).toBe(false);
    }
  });

  it('takes a key for part of no range that has only some of its cells', () => {
    const id = new Uint8Array(64).fill(7);
    const list = [cellRange(id, 300)];
    expect(coversId(list, id)).toBe(true);
    expect(coversId(list, id.subarray(0, 32))).toBe(false);
  });

  it('covers nothing with no ranges, everything with the range of no bits', () => {
    expect(coversId([], new Uint8Array(64))).toBe(false);
    expect(coversId(ranges(''), new Uint8Array(64))).toBe(true);
  });
});

describe('findCovering', () => {
  it('gives back the item the range belongs to', () => {
    const items = ranges('00', '01', '11').map((it, index) => ({ it, index }));
    const found = (first: number) => findCovering(items, ({ it }) => it, new Uint8Array(32).fill(first))?.index;
    expect([0b0011_0000, 0b0111_0000, 0b1000_0000, 0b1111_0000].map(found)).toEqual([0, 1, undefined, 2]);
  });
});

describe('compareRanges', () => {
  it('orders by where ranges begin, the wider first', () => {
    const ascending = ranges('', '0', '00', '000000000', '01', '1', '10', '100000001');
    expect(ascending.toReversed().sort(compareRanges)).toEqual(ascending);
  });
});

describe('childRanges', () => {
  it('cuts a range into sixteen, ascending', () => {
    const children = childRanges(range('101010'), 4);
    expect(children).toHaveLength(16);
    expect(children[0]).toEqual(range('1010100000'));
    expect(children[5]).toEqual(range('1010100101'));
    expect(children[15]).toEqual(range('1010101111'));
  });

  it('gives all of the range back', () => {
    expect(mergeSiblings(childRanges(range('1100'), 4))).toEqual([range('1100')]);
  });

  it('stops at a single cell', () => {
    const id = new Uint8Array(64).fill(0xff);
    expect(childRanges(cellRange(id, 510), 4)).toHaveLength(4);
    expect(childRanges(cellRange(id, 510), 4).at(-1)).toEqual(cellRange(id, 512));
    expect(childRanges(cellRange(id, 512), 4)).toEqual([]);
  });
});
