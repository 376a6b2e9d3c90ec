/**
 * Identities of simulated nodes. In a world nobody forges, so by default a signature is a keyed hash that the world's keyring can check: some
 * 2 µs instead of 100. SIMULATION ONLY: it proves nothing outside the process that made it. `ed25519: true` gives real ones, for worlds with liars.
 * Both settle at once, so that signing has no order of its own.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Random } from '../../src/core/index.ts';
import { PUBLIC_KEY_BYTES, type Signer, toHex, type Verifier } from '../../src/records/index.ts';

/** RFC 8410: PKCS #8 around a 32-byte Ed25519 seed, SubjectPublicKeyInfo around a 32-byte public key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export interface KeyringOptions {
  /** Real signatures instead of keyed hashes. @default false */
  readonly ed25519?: boolean;
}

/** Everybody's keys: it makes the signers and is the verifier of the whole world. */
export class Keyring implements Verifier {
  readonly #isReal: boolean;
  // BOUNDED: one entry per identity of the world.
  readonly #secrets = new Map<string, Uint8Array>();

  constructor(options: KeyringOptions = {}) {
    this.#isReal = options.ed25519 ?? false;
  }

  createSigner(random: Random): Signer {
    const seed = random.bytes(32);
    return this.#isReal ? realSigner(seed) : this.#hashSigner(seed);
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    if (this.#isReal) return Promise.resolve(verify(null, message, publicKeyObject(publicKey), signature));
    const secret = this.#secrets.get(toHex(publicKey));
    return Promise.resolve(secret !== undefined && keyedHash(secret, message).equals(signature));
  }

  #hashSigner(secret: Uint8Array): Signer {
    const publicKey = new Uint8Array(createHash('sha256').update('public').update(secret).digest());
    this.#secrets.set(toHex(publicKey), secret);
    return { publicKey, sign: (message) => Promise.resolve(new Uint8Array(keyedHash(secret, message))) };
  }
}

/** SHA-512: as long as an Ed25519 signature. */
function keyedHash(secret: Uint8Array, message: Uint8Array): Buffer {
  return createHash('sha512').update(secret).update(message).digest();
}

function realSigner(seed: Uint8Array): Signer {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const exported = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(exported.subarray(-PUBLIC_KEY_BYTES)),
    sign: (message) => Promise.resolve(new Uint8Array(sign(null, message, privateKey))),
  };
}

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
}
