import { describe, expect, it } from 'vitest';
import { createSigner, createVerifier, publicKeyOf } from '../../../src/platform/index.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));

/** RFC 8032 §7.1: TEST 1, 2, 3 and SHA(abc). */
const RFC_8032 = [
  {
    name: 'TEST 1',
    privateKey: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: 'TEST 2',
    privateKey: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    name: 'TEST 3',
    privateKey: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    name: 'TEST SHA(abc)',
    privateKey: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
];

const signer = createSigner(new Uint8Array(32).fill(7));
const message = new TextEncoder().encode('a record header');

describe('the vectors of RFC 8032', () => {
  for (const vector of RFC_8032) {
    it(`${vector.name}: key, signature and verification`, async () => {
      const own = createSigner(hex(vector.privateKey));
      expect(own.publicKey).toEqual(hex(vector.publicKey));
      expect(publicKeyOf(hex(vector.privateKey))).toEqual(hex(vector.publicKey));
      const signature = await own.sign(hex(vector.message));
      expect(signature).toEqual(hex(vector.signature));
      expect(await createVerifier().verify(own.publicKey, hex(vector.message), signature)).toBe(true);
    });
  }
});

describe('a verifier', () => {
  it('says no to every signature with one bit changed, and yes again to the right one', async () => {
    const verifier = createVerifier();
    const signature = await signer.sign(message);
    const verdicts = await Promise.all(
      Array.from({ length: 512 }, (_, bit) => {
        const forged = signature.slice();
        forged[bit >> 3]! ^= 1 << (bit & 7);
        return verifier.verify(signer.publicKey, message, forged);
      }),
    );
    expect(verdicts.filter(Boolean)).toEqual([]);
    expect(await verifier.verify(signer.publicKey, message, signature)).toBe(true);
  });

  it('does not let a remembered signature vouch for another message or another key', async () => {
    const verifier = createVerifier();
    const signature = await signer.sign(message);
    expect(await verifier.verify(signer.publicKey, message, signature)).toBe(true);
    expect(await verifier.verify(signer.publicKey, message.slice(1), signature)).toBe(false);
    expect(await verifier.verify(publicKeyOf(new Uint8Array(32)), message, signature)).toBe(false);
  });

  it('says no, and never throws, for keys and signatures of a wrong length or that are no point', async () => {
    const verifier = createVerifier();
    const signature = await signer.sign(message);
    const noPoint = new Uint8Array(32).fill(0xff);
    for (const [key, proof] of [
      [new Uint8Array(0), signature],
      [signer.publicKey.slice(1), signature],
      [new Uint8Array(33), signature],
      [noPoint, signature],
      [signer.publicKey, signature.slice(1)],
      [signer.publicKey, new Uint8Array(65)],
      [signer.publicKey, new Uint8Array(0)],
    ] as const) {
      expect(await verifier.verify(key, message, proof)).toBe(false);
    }
  });

  it('refuses every key of small order, where the OpenSSL of Node 20 takes one signature for many messages', async () => {
    const identityPoint = '01'.padEnd(64, '0');
    const forged = hex(identityPoint + '0'.repeat(64)); // R = the identity, S = 0
    const points = [
      '0'.repeat(64),
      identityPoint,
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      `ec${'f'.repeat(60)}7f`,
      `ed${'f'.repeat(60)}7f`,
      `ee${'f'.repeat(60)}7f`,
    ];
    const keys = points.flatMap((point) => {
      const key = hex(point);
      const negated = key.slice();
      negated[31]! |= 0x80;
      return [key, negated];
    });
    const verifier = createVerifier();
    // The order of the point divides the hash of at least every eighth message.
    const messages = Array.from({ length: 200 }, (_, i) => Uint8Array.of(i));
    for (const key of keys) {
      const fooled = await Promise.all(messages.map((text) => verifier.verify(key, text, forged)));
      expect(fooled.filter(Boolean)).toEqual([]);
    }
  });

  it('refuses with RESOURCE_EXHAUSTED beyond its bound, and works again afterwards', async () => {
    const verifier = createVerifier({ maxPending: 20 });
    const signature = await signer.sign(message);
    const others = Array.from({ length: 30 }, (_, i) => Uint8Array.of(i));
    const outcomes = await Promise.allSettled(others.map((text) => verifier.verify(signer.publicKey, text, signature)));
    expect(outcomes.slice(0, 20).map((outcome) => outcome.status)).toEqual(Array(20).fill('fulfilled'));
    for (const outcome of outcomes.slice(20)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'RESOURCE_EXHAUSTED' } });
    }
    expect(await verifier.verify(signer.publicKey, message, signature)).toBe(true);
  });

  it('counts equal questions that are under way as one', async () => {
    const verifier = createVerifier({ maxPending: 1 });
    const signature = await signer.sign(message);
    const verdicts = await Promise.all(
      Array.from({ length: 50 }, () => verifier.verify(signer.publicKey, message, signature)),
    );
    expect(verdicts).toEqual(Array(50).fill(true));
  });

  it('stays right when its caches hold a single entry', async () => {
    const verifier = createVerifier({ maxKeys: 1, maxRemembered: 1 });
    const signers = [1, 2, 3].map((seed) => createSigner(new Uint8Array(32).fill(seed)));
    for (let round = 0; round < 3; round++) {
      for (const own of signers) {
        expect(await verifier.verify(own.publicKey, message, await own.sign(message))).toBe(true);
        expect(await verifier.verify(own.publicKey, message, await signer.sign(message))).toBe(false);
      }
    }
  });
});
