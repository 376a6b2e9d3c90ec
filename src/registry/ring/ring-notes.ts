/**
 * What a start has to know while shards are away that could tell, kept outside of the ring: which of them may keep hints for which (a pair is noted
 * before its first hint is acknowledged), and how often the ring has changed.
 */
import { KeyedQueue, type StateStore } from '../../core/index.ts';
import { toHex, utf8Decode, utf8Encode } from '../../records/index.ts';
import { shardTag } from './hint.ts';

const PREFIX = 'ring-hints/';
const EPOCH_KEY = 'ring-epoch/';
const SOFT = Uint8Array.of(0);
const HARD = Uint8Array.of(1);

export class RingNotes {
  readonly #state: StateStore | undefined;
  readonly #queue = new KeyedQueue();
  // BOUNDED: by the pairs of shards. Whether unconditional ones are among them.
  readonly #noted = new Map<string, boolean>();
  // BOUNDED: by the shards. A name's part of a key: asked for with every call while a shard is away.
  readonly #tags = new Map<string, string>();

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

  /** The last change of a ring that is known to have been made. */
  async epoch(ringId: string): Promise<number> {
    const bytes = await this.#state?.get(EPOCH_KEY + ringId);
    return bytes === undefined ? 0 : Number(utf8Decode(bytes));
  }

  async noteEpoch(ringId: string, epoch: number): Promise<void> {
    await this.#state?.set(EPOCH_KEY + ringId, utf8Encode(String(epoch)));
  }

  /** What is noted of a pair: undefined, nothing. */
  isHard(holder: string, target: string): boolean | undefined {
    return this.#noted.get(this.#pairOf(holder, target));
  }

  /** Resolves when it is noted, durably. */
  async note(holder: string, target: string, isHard: boolean): Promise<void> {
    const pair = this.#pairOf(holder, target);
    await this.#queue.run(pair, async () => {
      const noted = this.#noted.get(pair);
      if (noted === true || noted === isHard) return;
      await this.#state?.set(PREFIX + pair, isHard ? HARD : SOFT);
      this.#noted.set(pair, isHard);
    });
  }

  /** @param isOver asked when nothing is being noted of the pair */
  async forget(holder: string, target: string, isOver: () => boolean): Promise<void> {
    const pair = this.#pairOf(holder, target);
    await this.#queue.run(pair, async () => {
      if (!this.#noted.has(pair) || !isOver()) return;
      await this.#state?.delete(PREFIX + pair);
      this.#noted.delete(pair);
    });
  }

  #pairOf(holder: string, target: string): string {
    return `${this.#tagOf(holder)}/${this.#tagOf(target)}`;
  }

  #tagOf(name: string): string {
    let tag = this.#tags.get(name);
    if (tag === undefined) {
      tag = toHex(shardTag(name));
      this.#tags.set(name, tag);
    }
    return tag;
  }
}
