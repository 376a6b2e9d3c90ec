import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../../src/commands/index.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (line: Uint8Array | 'too-long') => (line === 'too-long' ? line : new TextDecoder().decode(line));

describe('LineSplitter', () => {
  it('finds the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'é', '\n') }), fc.array(fc.nat(7)), (whole, cuts) => {
        const splitter = new LineSplitter(1_000);
        const data = bytes(whole);
        const lines: string[] = [];
        let offset = 0;
        for (const cut of [...cuts, data.length]) {
          for (const line of splitter.push(data.subarray(offset, offset + cut))) lines.push(text(line));
          offset += cut;
        }
        lines.push(text(splitter.rest()));
        expect(lines).toEqual(whole.split('\n'));
      }),
    );
  });

  it('accepts a line of exactly the limit and not one byte more, whole or in pieces', () => {
    expect([...new LineSplitter(3).push(bytes('abc\n'))].map(text)).toEqual(['abc']);
    expect([...new LineSplitter(3).push(bytes('abcd\n'))].map(text)).toEqual(['too-long']);
    const inPieces = new LineSplitter(3);
    expect([...inPieces.push(bytes('ab'))]).toEqual([]);
    expect([...inPieces.push(bytes('cd'))].map(text)).toEqual(['too-long']);
  });

  it('hands out the lines before the one that is too long', () => {
    expect([...new LineSplitter(3).push(bytes('a\nbcdef\ng\n'))].map(text)).toEqual(['a', 'too-long']);
  });
});
