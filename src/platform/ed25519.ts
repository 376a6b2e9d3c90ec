/**
 * Ed25519 (RFC 8032) on node:crypto: the Signer and Verifier of a real node. Signing is synchronous inside (about 50 µs with a kept key);
 * verifying runs on libuv's thread pool, which uses every core without worker code. Keys are imported as JWK: OpenSSL's DER decoders take
 * ten times as long. Not here: where the key is kept (identity.ts), what is signed (records).
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { assert, BoundedMap, NautilusError } from '../core/index.ts';
import type { Signer, Verifier } from '../records/index.ts';

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** RFC 8410 §7: the DER of an unencrypted PKCS #8 key up to its 32-byte seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The points of small order, sign bit cleared, canonical and not (the list libsodium refuses). Under such a "key" one signature fits every
 * message, and OpenSSL accepts it.
 */
const SMALL_ORDER_POINTS: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** @param privateKey the raw 32-byte seed */
export function createSigner(privateKey: Uint8Array): Signer {
  const key = importPrivateKey(privateKey);
  return {
    publicKey: exportPublicKey(key),
    sign: async (message) => new Uint8Array(sign(null, message, key)),
  };
}

/** The public key of a raw 32-byte seed. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return exportPublicKey(importPrivateKey(privateKey));
}

export interface VerifierOptions {
  /** Verifications under way or waiting before new ones are refused. @default 1_024 */
  readonly maxPending?: number;
  /** Public keys kept imported, about 0.7 kB each. @default 1_024 */
  readonly maxKeys?: number;
  /**
   * Good signatures remembered, about 0.2 kB each. The R answers of one get carry the same signed header, and renewals and digest reads bring it
   * again: remembering costs a hash (5–8 µs, measured) against 130–240 µs for a verification. @default 4_096
   */
  readonly maxRemembered?: number;
}

/** Verifications handed to the thread pool at a time: enough to keep it busy, few enough that disk and DNS work is not queued behind hundreds. */
const MAX_IN_POOL = 8;

export function createVerifier(options: VerifierOptions = {}): Verifier {
  return new PooledVerifier(options.maxPending ?? 1_024, options.maxKeys ?? 1_024, options.maxRemembered ?? 4_096);
}

class PooledVerifier implements Verifier {
  readonly #keys: BoundedMap<string, KeyObject>;
  readonly #good: BoundedMap<string, true>;
  // BOUNDED: by maxPending, together with #waiting, which holds the start of some of these.
  readonly #pending = new Map<string, Promise<boolean>>();
  #waiting: (() => void)[] = [];
  #inPool = 0;
  readonly #maxPending: number;

  constructor(maxPending: number, maxKeys: number, maxRemembered: number) {
    this.#maxPending = maxPending;
    this.#keys = new BoundedMap(maxKeys);
    this.#good = new BoundedMap(maxRemembered);
  }

  async verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    // Key and signature have fixed lengths, so their concatenation with the message is unambiguous.
    const digest = createHash('sha256').update(publicKey).update(signature).update(message).digest('base64');
    if (this.#good.get(digest)) return true;
    const underWay = this.#pending.get(digest);
    if (underWay !== undefined) return underWay;
    if (this.#pending.size >= this.#maxPending) {
      throw new NautilusError('RESOURCE_EXHAUSTED', 'too many signatures wait to be verified: try again in a moment');
    }
    const key = this.#importPublicKey(publicKey);
    if (key === undefined) return false;
    const result = this.#run(key, message, signature).then((good) => {
      this.#pending.delete(digest);
      if (good) this.#good.set(digest, true);
      return good;
    });
    this.#pending.set(digest, result);
    return result;
  }

  #run(key: KeyObject, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      const start = () => {
        this.#inPool++;
        // A failure of OpenSSL itself is no proof of anything: not verified.
        verify(null, message, key, signature, (error, good) => {
          this.#inPool--;
          resolve(error === null && good);
          this.#waiting.shift()?.();
        });
      };
      if (this.#inPool < MAX_IN_POOL) start();
      else this.#waiting.push(start);
    });
  }

  #importPublicKey(publicKey: Uint8Array): KeyObject | undefined {
    const x = Buffer.from(publicKey).toString('base64url');
    const known = this.#keys.get(x);
    if (known !== undefined) return known;
    if (hasSmallOrder(publicKey)) return undefined;
    let key: KeyObject;
    try {
      key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    } catch {
      return undefined; // not importable: the caller hears "not verified"
    }
    this.#keys.set(x, key);
    return key;
  }
}

function hasSmallOrder(publicKey: Uint8Array): boolean {
  const point = Buffer.from(publicKey);
  point[KEY_BYTES - 1]! &= 0x7f;
  return SMALL_ORDER_POINTS.has(point.toString('hex'));
}

/** A KeyObject of a raw 32-byte seed. */
export function importPrivateKey(privateKey: Uint8Array): KeyObject {
  assert(privateKey.length === KEY_BYTES, 'an Ed25519 private key is a seed of 32 bytes');
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, privateKey]), format: 'der', type: 'pkcs8' });
}

function exportPublicKey(privateKey: KeyObject): Uint8Array {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  assert(x !== undefined, 'an Ed25519 key has a public part');
  return new Uint8Array(Buffer.from(x, 'base64url'));
}
