import { describe, expect, test } from 'vitest';
import { NautilusError } from '../../../src/core/index.ts';
import { parseKey, toHex, toPeerIdText } from '../../../src/records/index.ts';

const PEER = '12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV';

describe('parseKey', () => {
  test('takes its class from the form alone', () => {
    expect(parseKey('svc/web').class).toBe('open');
    expect(parseKey('mail@example').class).toBe('open');
    const owned = parseKey(`@${PEER}/config`);
    expect(owned.class).toBe('owned');
    expect(owned.owner && toPeerIdText(owned.owner)).toBe(PEER);
    const immutable = parseKey(`sha256:${'ab'.repeat(32)}`);
    expect(immutable.class).toBe('immutable');
    expect(immutable.contentHash && toHex(immutable.contentHash)).toBe('ab'.repeat(32));
  });

  test.each([
    ['nothing', ''],
    ['513 bytes', 'x'.repeat(513)],
    ['257 two-byte characters', 'ü'.repeat(257)],
    ['a replacement character', 'a\uFFFDb'],
    ['a lone surrogate', 'a\uD800b'],
    ['a decomposed character', 'u\u0308'],
    ['an owned key without a name', `@${PEER}`],
    ['an owned key with an empty name', `@${PEER}/`],
    ['an owned key of nobody', '@someone/config'],
    ['an owned key in another base', `@${PEER.toUpperCase()}/config`],
    ['an owned key of a peer id with a wrong checksum length', `@${PEER}x/config`],
    ['a short hash', 'sha256:abcd'],
    ['a hash in capitals', `sha256:${'AB'.repeat(32)}`],
    ['a hash with a tail', `sha256:${'ab'.repeat(32)}/x`],
  ])('refuses %s, and never as an open key', (_name, text) => {
    expect(() => parseKey(text)).toThrow(NautilusError);
    expect(() => parseKey(text)).toThrow(/^the key /);
  });

  test('takes exactly 512 bytes', () => {
    expect(parseKey('x'.repeat(512)).text).toHaveLength(512);
    expect(parseKey('ü'.repeat(256)).text).toHaveLength(256);
  });
});
