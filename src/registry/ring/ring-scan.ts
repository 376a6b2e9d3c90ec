/**
 * An ordered scan over all shards: their scans merged page by page, what is the ring's own left out, each key once. What a key is, where more than
 * one shard has a say, is read like any single key. Keeps nothing between two calls.
 */
import { isNautilusError } from '../../core/index.ts';
import { compareBytes } from '../../records/index.ts';
import { toByteText } from '../byte-text.ts';
import { earlierKey, laterKey } from '../key-order.ts';
import type { ScanOptions, StorageEntry, StoredEntry } from '../storage.ts';
import { isOfShard } from './group-settler.ts';
import { isReserved } from './hint.ts';
import { inRange } from './in-range.ts';
import { groupOf } from './key-group.ts';
import type { RelocatedKeys } from './relocated-keys.ts';
import type { RingParts } from './ring-parts.ts';
import type { Shard } from './shard.ts';

export interface RingScanComponents {
  readonly parts: RingParts;
  /** As a single read. */
  retrieve(key: Uint8Array): Promise<StorageEntry | undefined>;
  /** Filled while the scan works. */
  readonly relocated: RelocatedKeys;
  /** Copies of a key that should be the same are not. */
  onDiffering(key: Uint8Array): void;
}

export interface RingScanOptions extends Omit<ScanOptions, 'signal'> {
  /** Leave out what cannot be read, instead of rejecting. */
  readonly isPartial: boolean;
  /** Only what belongs on this shard. */
  readonly part?: string | undefined;
}

const MIN_PAGE = 16;
const MAX_PAGE = 512;

/** One shard's entries, in order, a page at a time. */
class Cursor {
  readonly shard: Shard;
  readonly #options: Pick<ScanOptions, 'prefix' | 'after'>;
  readonly #limit: number;
  #page: readonly StoredEntry[] = [];
  #next = 0;
  #isOver = false;

  constructor(shard: Shard, options: Pick<ScanOptions, 'prefix' | 'after'>, limit: number) {
    this.shard = shard;
    this.#options = options;
    this.#limit = limit;
  }

  /** Where it stands; only when it `isReady`. */
  get head(): StoredEntry | undefined {
    return this.#page[this.#next];
  }

  /** There is an entry, or none will come. */
  get isReady(): boolean {
    while (this.head !== undefined && isReserved(this.head.key)) this.#next++;
    return this.#isOver || this.head !== undefined;
  }

  advance(): void {
    this.#next++;
  }

  /** Nothing more comes from it. */
  end(): void {
    this.#isOver = true;
  }

  async turn(): Promise<void> {
    const after = this.#page.at(-1)?.key ?? this.#options.after;
    const { prefix } = this.#options;
    const limit = this.#limit;
    this.#page = await this.shard.call([], (storage) =>
      storage.scan({ limit, ...(prefix !== undefined && { prefix }), ...(after !== undefined && { after }) }),
    );
    this.#next = 0;
    this.#isOver = this.#page.length < limit;
  }
}

/** @throws NautilusError `SHARD_DOWN` unless partial */
export async function scanRing(
  components: RingScanComponents,
  options: RingScanOptions,
): Promise<readonly StoredEntry[]> {
  const { layout } = components.parts;
  const { prefix, after, limit, isPartial, part } = options;
  const found: StoredEntry[] = [];
  if (limit <= 0) return found;
  const range = { ...(prefix !== undefined && { prefix }), ...(after !== undefined && { after }) };
  const shards = [...layout.shards.values()].filter((shard) => shard.isUp);
  const page = Math.min(MAX_PAGE, Math.max(MIN_PAGE, Math.ceil((1.25 * limit) / Math.max(1, shards.length))));
  const cursors = shards.map((shard) => new Cursor(shard, range, page));
  const hinted = hintedKeys(components.parts, options);
  const lost = new Set<Shard>();
  const missing = layout.unreadable();
  // Every key has a home that can be read, or may be left out.
  if (!isPartial && missing.length >= layout.copies) throw missing[0]!.down();
  while (found.length < limit) {
    await Promise.all(cursors.map((cursor) => makeReady(cursor, lost, components.parts, isPartial)));
    let key = earlierKey(hinted.head(), components.relocated.head());
    for (const { head } of cursors)
      if (head !== undefined && (key === undefined || compareBytes(head.key, key) < 0)) key = head.key;
    if (key === undefined) return found;
    const having: Having[] = [];
    for (const cursor of cursors) {
      const { head, shard } = cursor;
      if (head === undefined || compareBytes(head.key, key) !== 0) continue;
      having.push({ shard, entry: head });
      cursor.advance();
    }
    hinted.pass(key);
    const wasRelocated = components.relocated.pass(key);
    if (part !== undefined && !layout.homes(groupOf(key)).some(({ name }) => name === part)) continue;
    const entry = await resolve(components, key, wasRelocated ? undefined : having, lost, isPartial);
    if (entry !== undefined) found.push({ ...entry, key });
  }
  return found;
}

/** What it has lies elsewhere too, or is not asked for any more now that it is down: then it ends here. */
async function makeReady(cursor: Cursor, lost: Set<Shard>, { layout }: RingParts, isPartial: boolean): Promise<void> {
  while (!cursor.isReady) {
    try {
      await cursor.turn();
    } catch (error) {
      lost.add(cursor.shard);
      const missing = new Set([...layout.unreadable(), ...lost]);
      const isSpared = (isPartial && !cursor.shard.isUp) || (isPartial ? lost : missing).size < layout.copies;
      if (!isOfShard(error) || !isSpared) throw error;
      cursor.end();
    }
  }
}

interface Having {
  readonly shard: Shard;
  readonly entry: StorageEntry;
}

async function resolve(
  { parts, retrieve, onDiffering }: RingScanComponents,
  key: Uint8Array,
  having: readonly Having[] | undefined,
  lost: ReadonlySet<Shard>,
  isPartial: boolean,
): Promise<StorageEntry | undefined> {
  const { layout, hints } = parts;
  const group = groupOf(key);
  const homes = layout.homes(group);
  const isPlain =
    having !== undefined &&
    hints.of(group).length === 0 &&
    layout.moveOf(group) === undefined &&
    homes.every((shard) => !lost.has(shard) && layout.isReadable(shard));
  if (isPlain) {
    const copies = homes.map((home) => having.find(({ shard }) => shard === home)?.entry);
    const first = copies[0];
    // One that was written or removed while the pages were read differs too; looking again tells.
    if (copies.some((copy) => copy?.version !== first?.version)) onDiffering(key);
    return copies.find((copy) => copy !== undefined);
  }
  try {
    return await retrieve(key);
  } catch (error) {
    if (isPartial && isNautilusError(error)) return undefined;
    throw error;
  }
}

/** Keys that only a hint may know of, in order. */
function hintedKeys({ hints }: RingParts, range: RingScanOptions) {
  const { prefix, after } = range;
  let pending: Uint8Array[] = [];
  let from = groupOf(laterKey(prefix, after) ?? new Uint8Array(0));
  let isOver = false;
  const fill = () => {
    while (pending.length === 0 && !isOver) {
      const groups = hints.groups(from, 64);
      const last = groups.at(-1);
      const isPast = last !== undefined && prefix !== undefined && last > `${toByteText(prefix)}\uffff`;
      isOver = groups.length < 64 || isPast;
      // The least text behind it.
      if (last !== undefined) from = `${last}\0`;
      const keys = new Map(groups.flatMap((group) => hints.of(group)).map(({ keyText, key }) => [keyText, key]));
      pending = [...keys.values()].filter((key) => inRange(key, range)).sort(compareBytes);
    }
  };
  return {
    head(): Uint8Array | undefined {
      fill();
      return pending[0];
    },
    pass(key: Uint8Array): void {
      while (pending[0] !== undefined && compareBytes(pending[0], key) <= 0) pending.shift();
    },
  };
}
