/**
 * Which shards may keep hints for which, kept outside of the ring: a start while a shard is away has to know whether something newer waits there,
 * and those that could tell may have been away when it was written. A pair is noted before its first hint is acknowledged.
 */
import { KeyedQueue, type StateStore } from '../../core/index.ts';
import { toHex } from '../../records/index.ts';
import { shardTag } from './hint.ts';

const PREFIX = 'ring-hints/';
const SOFT = Uint8Array.of(0);
const HARD = Uint8Array.of(1);

export class HintNotes {
  readonly #state: StateStore | undefined;
  readonly #queue = new KeyedQueue();
  // BOUNDED: by the pairs of shards. Whether unconditional ones are among them.
  readonly #noted = new Map<string, boolean>();

  /** @param state without it the notes last as long as the process */
  constructor(state: StateStore | undefined) {
    this.#state = state;
  }

  /** Reads what an earlier process noted. */
  async load(): Promise<void> {
    if (this.#state === undefined) return;
    for await (const { key, value } of this.#state.entries(PREFIX)) {
      this.#noted.set(key.slice(PREFIX.length), value[0] === HARD[0]);
    }
  }

  /** What is noted of a pair: undefined, nothing. */
  isHard(holder: string, target: string): boolean | undefined {
    return this.#noted.get(pairOf(holder, target));
  }

  /** Resolves when it is noted, durably. */
  async note(holder: string, target: string, isHard: boolean): Promise<void> {
    const pair = pairOf(holder, target);
    await this.#queue.run(pair, async () => {
      const noted = this.#noted.get(pair);
      if (noted === true || noted === isHard) return;
      await this.#state?.set(PREFIX + pair, isHard ? HARD : SOFT);
      this.#noted.set(pair, isHard);
    });
  }

  /** @param isOver asked when nothing is being noted of the pair */
  async forget(holder: string, target: string, isOver: () => boolean): Promise<void> {
    const pair = pairOf(holder, target);
    await this.#queue.run(pair, async () => {
      if (!this.#noted.has(pair) || !isOver()) return;
      await this.#state?.delete(PREFIX + pair);
      this.#noted.delete(pair);
    });
  }
}

function pairOf(holder: string, target: string): string {
  return `${toHex(shardTag(holder))}/${toHex(shardTag(target))}`;
}
