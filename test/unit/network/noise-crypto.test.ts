import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto';
import { describe, expect, it } from 'vitest';
import { noiseCrypto } from '../../../src/network/noise-crypto.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const hex = (data: { subarray(): Uint8Array }) => Buffer.from(data.subarray()).toString('hex');

/** RFC 7748: both vectors of §5.2, then Alice and Bob of §6.1. Scalar, u-coordinate, X25519 of the two. */
const VECTORS: readonly (readonly [string, string, string])[] = [
  [
    'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  ],
  [
    '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
    'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
    '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
  ],
  [
    '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
    'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  ],
  [
    '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  ],
];

describe('noiseCrypto', () => {
  it('computes the vectors of RFC 7748', () => {
    for (const [scalar, point, product] of VECTORS) {
      expect(hex(noiseCrypto.generateX25519SharedKey(bytes(scalar), bytes(point)))).toBe(product);
    }
  });

  it('agrees with the default over fresh keys of both, every way round', () => {
    for (let i = 0; i < 10; i++) {
      const ours = noiseCrypto.generateX25519KeyPair();
      const theirs = defaultCrypto.generateX25519KeyPair();
      expect([ours.publicKey.length, ours.privateKey.length]).toEqual([32, 32]);
      const secrets = [noiseCrypto, defaultCrypto].flatMap((crypto) => [
        hex(crypto.generateX25519SharedKey(ours.privateKey, theirs.publicKey)),
        hex(crypto.generateX25519SharedKey(theirs.privateKey, ours.publicKey)),
        hex(crypto.generateX25519SharedKey(new Uint8Array(ours.privateKey), theirs.publicKey)),
      ]);
      expect(new Set(secrets).size).toBe(1);
      expect(hex(defaultCrypto.generateX25519KeyPairFromSeed(ours.privateKey).publicKey)).toBe(hex(ours.publicKey));
    }
  });

  it('refuses a point of small order as the default does', () => {
    const { privateKey } = noiseCrypto.generateX25519KeyPair();
    for (const crypto of [noiseCrypto, defaultCrypto]) {
      expect(() => crypto.generateX25519SharedKey(privateKey, new Uint8Array(32))).toThrow();
    }
  });
});
