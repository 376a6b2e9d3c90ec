/** Golden vectors of the signed form. They were written by an independent encoder; a change here makes every stored signature void. */

import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  encodeSignedHeader,
  fromHex,
  hashValue,
  parseKey,
  parsePeerIdText,
  toHex,
} from '../../../src/records/index.ts';

interface Vector {
  readonly name: string;
  readonly network: string;
  readonly key: string;
  readonly class: string;
  readonly keyId: string;
  readonly valueHex: string;
  readonly publisher: string;
  readonly seq: number;
  readonly expiresAt: number;
  readonly deleted: boolean;
  readonly encodedHex: string;
  readonly signatureHex: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/signed-headers.json', import.meta.url), 'utf8'),
) as Vector[];

describe('the signed form of a header', () => {
  test.each(vectors)('is the golden bytes: $name', (vector) => {
    const key = parseKey(vector.key);
    expect(key.class).toBe(vector.class);
    expect(toHex(key.id)).toBe(vector.keyId);
    const { seq, expiresAt, deleted } = vector;
    const publisher = parsePeerIdText(vector.publisher);
    const valueHash = hashValue(fromHex(vector.valueHex));
    const encoded = encodeSignedHeader(vector.network, { key, publisher, seq, expiresAt, deleted, valueHash });
    expect(toHex(encoded)).toBe(vector.encodedHex);
    const x = Buffer.from(publisher).toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verify(null, encoded, publicKey, Buffer.from(vector.signatureHex, 'hex'))).toBe(true);
  });

  test('differs when any field differs', () => {
    const base = {
      key: parseKey('a'),
      publisher: new Uint8Array(32),
      seq: 1,
      expiresAt: 1,
      deleted: false,
      valueHash: new Uint8Array(32),
    };
    const variants = [
      base,
      { ...base, key: parseKey('b') },
      { ...base, publisher: new Uint8Array(32).fill(1) },
      { ...base, seq: 2 },
      { ...base, expiresAt: 2 },
      { ...base, deleted: true },
      { ...base, valueHash: new Uint8Array(32).fill(1) },
    ].map((header) => toHex(encodeSignedHeader('main', header)));
    expect(new Set([...variants, toHex(encodeSignedHeader('other', base))]).size).toBe(variants.length + 1);
  });
});
