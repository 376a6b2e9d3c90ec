import { describe, expect, it } from 'vitest';
import { parseKey, signRecord, utf8Encode, verifyHeader } from '../../../src/records/index.ts';
import { SeededRandom } from '../../../testnet/simulator/seeded-random.ts';
import { Keyring } from '../../../testnet/simulator/virtual-signer.ts';

describe.each([{ ed25519: false }, { ed25519: true }])('Keyring with $ed25519 Ed25519', (options) => {
  const draft = { key: parseKey('svc/web'), value: utf8Encode('v'), seq: 5, expiresAt: 9, deleted: false };

  it('verifies what its signers signed, and nothing else', async () => {
    const keyring = new Keyring(options);
    const [mine, other] = ['a', 'b'].map((seed) => keyring.createSigner(new SeededRandom(seed)));
    const { header } = await signRecord(mine!, 'main', draft);
    expect(header.signature).toHaveLength(64);
    expect(await verifyHeader(keyring, 'main', header)).toBe(true);
    expect(await verifyHeader(keyring, 'other', header)).toBe(false);
    expect(await verifyHeader(keyring, 'main', { ...header, expiresAt: 10 })).toBe(false);
    expect(await verifyHeader(keyring, 'main', { ...header, publisher: other!.publicKey })).toBe(false);
  });

  it('gives one seed one identity, and settles before any other job runs', async () => {
    const [first, second] = [0, 1].map(() => new Keyring(options).createSigner(new SeededRandom('same')));
    expect(first!.publicKey).toEqual(second!.publicKey);
    expect(await first!.sign(utf8Encode('m'))).toEqual(await second!.sign(utf8Encode('m')));
    const order: string[] = [];
    const signing = first!.sign(utf8Encode('m')).then(() => order.push('signed'));
    await Promise.all([signing, new Promise((resolve) => setImmediate(resolve)).then(() => order.push('turn'))]);
    expect(order).toEqual(['signed', 'turn']);
  });
});
