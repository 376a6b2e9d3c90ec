/**
 * The world's chance: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018; prng.di.unimi.it),
 * seeded by a hash. Fast, long enough (period 2^128 − 1) and the same on every machine. Simulation only: its state can be computed from its output.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Random } from '../../src/core/index.ts';
import { utf8Encode } from '../../src/records/index.ts';

const TWO_POW_32 = 2 ** 32;
const TWO_POW_53 = 2 ** 53;

export class SeededRandom implements Random {
  /** The seed and the labels that led here: `7/network`. */
  readonly path: string;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: string | number) {
    this.path = String(seed);
    const hash = sha256(utf8Encode(this.path));
    const words = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
    this.#a = words.getInt32(0);
    this.#b = words.getInt32(4);
    this.#c = words.getInt32(8);
    this.#d = words.getInt32(12) | 1; // never all zero
  }

  /** An independent stream. It depends on the path alone, so who forks when, and who drew how much, changes nobody else's chance. */
  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.path}/${label}`);
  }

  next(): number {
    return ((this.#word() >>> 5) * 2 ** 26 + (this.#word() >>> 6)) / TWO_POW_53;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const word = this.#word();
      for (let j = 0; j < 4 && i + j < length; j++) bytes[i + j] = word >>> (8 * j);
    }
    return bytes;
  }

  /** Uniform in 0 … bound − 1, bound ≤ 2^32. The bias is below bound / 2^53. */
  integer(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** True with this probability. Draws nothing when there is nothing to decide. */
  chance(probability: number): boolean {
    return probability > 0 && (probability >= 1 || (this.#word() >>> 0) / TWO_POW_32 < probability);
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.integer(items.length)] as T;
  }

  /** `count` different ones, or all, in random order (Fisher and Yates). */
  sample<T>(items: readonly T[], count: number): T[] {
    const pool = [...items];
    const wanted = Math.min(count, pool.length);
    for (let i = 0; i < wanted; i++) {
      const j = i + this.integer(pool.length - i);
      [pool[i], pool[j]] = [pool[j] as T, pool[i] as T];
    }
    return pool.slice(0, wanted);
  }

  /** Standard normal (Box and Muller), one of the pair. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  #word(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9);
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotateLeft(this.#d, 11);
    return scrambled;
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
