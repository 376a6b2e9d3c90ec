/**
 * Which keys are asked for most, in memory that does not grow with the keys: a count-min sketch (Cormode and Muthukrishnan 2005) over a sliding
 * window, and the few keys it counts highest. Counts are never too low, and too high by at most e / width of all calls, with 1 − e^−depth.
 */
import type { Clock } from '../../core/index.ts';

export interface HotKey {
  /** The first bytes of the keys, one character each (see key-group.ts). */
  readonly group: string;
  /** Calls in the window, at most. */
  readonly calls: number;
}

const WIDTH = 2_048;
const DEPTH = 4;
const TOP = 8;
/** The window is this long, and half of it is forgotten at a time. */
export const HOT_WINDOW_MS = 60_000;
/** In the window, and of all calls: what is asked for less is not hot. */
const LEAST_CALLS = 100;
const LEAST_SHARE = 0.01;

interface Half {
  readonly counts: Uint32Array;
  total: number;
}

export class HotKeys {
  readonly #clock: Clock;
  #current: Half = emptyHalf();
  #previous: Half = emptyHalf();
  #since: number;
  // BOUNDED: TOP.
  readonly #top = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  note(group: string): void {
    this.#slide();
    let least = Number.POSITIVE_INFINITY;
    let hash = seedOf(group);
    for (let row = 0; row < DEPTH; row++) {
      const at = row * WIDTH + (hash & (WIDTH - 1));
      const count = ++this.#current.counts[at]! + this.#previous.counts[at]!;
      if (count < least) least = count;
      hash = nextHash(hash);
    }
    this.#current.total++;
    this.#offer(group, least);
  }

  /** Most called first. */
  top(): readonly HotKey[] {
    this.#slide();
    const total = this.#current.total + this.#previous.total;
    return [...this.#top.keys()]
      .map((group) => ({ group, calls: this.#estimate(group) }))
      .filter(({ calls }) => calls >= Math.max(LEAST_CALLS, total * LEAST_SHARE))
      .sort((a, b) => b.calls - a.calls);
  }

  #offer(group: string, count: number): void {
    if (this.#top.has(group) || this.#top.size < TOP) {
      this.#top.set(group, count);
      return;
    }
    let coldest = group;
    let least = count;
    for (const [each, calls] of this.#top) {
      if (calls >= least) continue;
      coldest = each;
      least = calls;
    }
    if (coldest === group) return;
    this.#top.delete(coldest);
    this.#top.set(group, count);
  }

  #estimate(group: string): number {
    let least = Number.POSITIVE_INFINITY;
    let hash = seedOf(group);
    for (let row = 0; row < DEPTH; row++) {
      const at = row * WIDTH + (hash & (WIDTH - 1));
      least = Math.min(least, this.#current.counts[at]! + this.#previous.counts[at]!);
      hash = nextHash(hash);
    }
    return least;
  }

  #slide(): void {
    const halves = Math.floor((this.#clock.monotonic() - this.#since) / (HOT_WINDOW_MS / 2));
    if (halves <= 0) return;
    this.#since += halves * (HOT_WINDOW_MS / 2);
    this.#previous = halves === 1 ? this.#current : emptyHalf();
    this.#current = emptyHalf();
    for (const group of this.#top.keys()) {
      const calls = this.#estimate(group);
      if (calls === 0) this.#top.delete(group);
      else this.#top.set(group, calls);
    }
  }
}

function emptyHalf(): Half {
  return { counts: new Uint32Array(WIDTH * DEPTH), total: 0 };
}

/** FNV-1a. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return nextHash(hash);
}

function nextHash(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
