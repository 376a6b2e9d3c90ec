/**
 * Refuses writes shortly before the disk is full. A copy-on-write store needs space even to remove something, so the last of it is kept for
 * removals; and a commit that runs out of space half-way fails for everybody in it. Space that only a quota limits is not seen here: then the
 * commit fails, and says so.
 */
import { statfs } from 'node:fs/promises';
import type { Clock } from '../../core/index.ts';

/** Kept free for removals and for page splits nobody counted. */
const RESERVE_BYTES = 4 * 1024 * 1024;
/** Pages are copied on the way to the root: what a written byte may cost at worst, and what any commit costs. */
const AMPLIFICATION = 4;
const COMMIT_BYTES = 64 * 1024;
const MAX_AGE_MS = 5_000;

export class DiskSpace {
  readonly #path: string;
  readonly #clock: Clock;
  #budget = 0;
  #measuredAt = Number.NEGATIVE_INFINITY;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** True when a commit of `bytes` is sure to fit. Asks the system only when what it knows is old or nearly spent. */
  async reserve(bytes: number): Promise<boolean> {
    const cost = bytes * AMPLIFICATION + COMMIT_BYTES;
    if (this.#budget < cost || this.#clock.monotonic() - this.#measuredAt > MAX_AGE_MS) await this.#measure();
    if (this.#budget < cost) return false;
    this.#budget -= cost;
    return true;
  }

  /** True when hardly anything is left: an I/O error is then most likely a short write. */
  async isExhausted(): Promise<boolean> {
    await this.#measure();
    return this.#budget <= 0;
  }

  async #measure(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#path);
    this.#budget = bavail * bsize - RESERVE_BYTES;
    this.#measuredAt = this.#clock.monotonic();
  }
}
