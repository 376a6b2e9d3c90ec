/** The system's cryptographic generator behind the Random port. */
import { randomFillSync } from 'node:crypto';
import type { Random } from '../core/index.ts';

/** One system call serves 256 numbers: back-off and jitter draw them one at a time. */
const pool = new Uint32Array(512);
let drawn = pool.length;

export const systemRandom: Random = {
  next() {
    if (drawn === pool.length) {
      randomFillSync(pool);
      drawn = 0;
    }
    const high = pool[drawn++]! >>> 6;
    const low = pool[drawn++]! >>> 5;
    return (high * 2 ** 27 + low) / 2 ** 53;
  },
  bytes: (length) => randomFillSync(new Uint8Array(length)),
};
