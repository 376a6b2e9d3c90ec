import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue, encodeValue } from '../../../src/commands/index.ts';

describe('values in JSON', () => {
  it('come back byte for byte, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const { value, encoding } = JSON.parse(JSON.stringify(encodeValue(bytes)));
        expect(decodeValue(value, encoding)).toEqual(bytes);
      }),
    );
  });

  it('are text when they are text', () => {
    expect(encodeValue(new TextEncoder().encode('grüße 🐚'))).toEqual({ value: 'grüße 🐚', encoding: 'utf8' });
    expect(encodeValue(new Uint8Array(0))).toEqual({ value: '', encoding: 'utf8' });
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['a surrogate written as UTF-8', [0xed, 0xa0, 0x80]],
    ['an overlong form', [0xc0, 0xaf]],
    ['half a character', [0xe2, 0x82]],
  ])('are base64 when they hold %s', (_what, bytes) => {
    expect(encodeValue(Uint8Array.from(bytes)).encoding).toBe('base64');
  });

  it('keep a byte order mark', () => {
    const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61);
    const { value, encoding } = encodeValue(bytes);
    expect(decodeValue(value, encoding)).toEqual(bytes);
  });

  it.each(['a', 'ab', 'abc', 'ab=c', 'a===', 'YW Jj', 'YWJj\n', 'YWJ-'])('refuse %j as base64', (text) => {
    expect(() => decodeValue(text, 'base64')).toThrow(/not base64/);
  });

  it('refuse half a surrogate pair, which no bytes stand for', () => {
    expect(() => decodeValue('\ud83d')).toThrow(/not valid Unicode/);
  });
});
