/**
 * Opens a ring: its shards side by side, then what they say of the ring they were, then the hints they keep; from then on it serves, and catches up
 * in the background. A shard that was part of it and cannot be opened now is down, and no reason not to start.
 */
import { type Clock, NautilusError, type Observer, type Random, type StateStore } from '../../core/index.ts';
import { toHex } from '../../records/index.ts';
import type { RegistryStorage } from '../storage.ts';
import { DOCUMENT_KEY, isReserved } from './hint.ts';
import { HintIndex } from './hint-index.ts';
import { type GivenShard, planRing } from './plan-ring.ts';
import { Ring } from './ring.ts';
import { decodeDocument, toRing } from './ring-document.ts';
import { RingLayout } from './ring-layout.ts';
import { RingNotes } from './ring-notes.ts';
import { DEFAULT_SHARD_INIT, isShardFailure, Shard, type ShardInit } from './shard.ts';

export interface ShardSource {
  readonly name: string;
  readonly weight: number;
  open(signal: AbortSignal): Promise<RegistryStorage>;
}

export interface OpenRingOptions {
  /** 1 to 128, names all different. */
  readonly shards: readonly ShardSource[];
  /** Shards that keep each entry. @default 1 */
  readonly copies?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Told `shard-…`, `hint-…` and `warning`. */
  readonly observer: Observer;
  /** Where to note which shards keep hints for which: outside of the ring. @default in memory: a restart while a shard is down may miss some */
  readonly state?: StateStore | undefined;
  readonly init?: Partial<RingInit> | undefined;
}

export interface RingInit extends ShardInit {
  /** Over all shards. */
  readonly maxHints: number;
}

const DEFAULT_MAX_HINTS = 1_000_000;

/** @throws NautilusError `CONFIG_INVALID`, or why a shard could not be opened that is new, or when none could */
export async function openRing(options: OpenRingOptions): Promise<Ring> {
  const { shards: sources, copies = 1, clock, random, observer, state, init } = options;
  const shards = new Map<string, Shard>();
  for (const { name, open } of sources) {
    if (shards.has(name)) {
      throw new NautilusError('CONFIG_INVALID', `--storage ${name} is given twice: tell them apart with ?name=…`);
    }
    shards.set(name, new Shard({ name, open, clock, random, observer }, { ...DEFAULT_SHARD_INIT, ...init }));
  }
  try {
    const notes = new RingNotes(state);
    await notes.load();
    const hints = new HintIndex(init?.maxHints ?? DEFAULT_MAX_HINTS);
    const given = await Promise.all(sources.map(({ name, weight }) => openShard(shards.get(name)!, weight)));
    const [first] = given;
    if (given.every(({ opened }) => opened === undefined)) throw first?.failure;
    const warn = (message: string) => observer.notify({ type: 'warning', code: 'STORAGE', message });
    const document = planRing({ given, copies, newRingId: toHex(random.bytes(16)), warn });
    const noted = await notes.epoch(document.ringId);
    if (document.epoch < noted) {
      throw new NautilusError(
        'SHARD_DOWN',
        'none of the storages that can be reached knows the last change of the ring: start when the others are back',
      );
    }
    const layout = new RingLayout(shards, toRing(document), notes);
    // Who knows which change was made last knows of any later one that it was only tried.
    const isNew = given.every(({ opened }) => opened?.document === undefined);
    const knowsChanges = state !== undefined && (noted > 0 || isNew);
    const ring = new Ring({ layout, hints, notes, clock, random, observer }, document, knowsChanges);
    await ring.begin(given);
    return ring;
  } catch (error) {
    await Promise.all([...shards.values()].map((shard) => shard.close()));
    throw error;
  }
}

async function openShard(shard: Shard, weight: number): Promise<GivenShard> {
  const { name } = shard;
  try {
    const storage = await shard.open();
    const entry = await storage.retrieve(DOCUMENT_KEY);
    const document = entry && decodeDocument(name, entry);
    const isLasting = storage.capabilities.persistent;
    return { name, weight, opened: { document, hasEntries: await hasEntries(storage), isLasting }, failure: undefined };
  } catch (error) {
    // It may come back by itself. Whatever else is wrong with it, somebody has to mend, and know at once.
    if (isShardFailure(error)) return { name, weight, opened: undefined, failure: error };
    throw error;
  }
}

async function hasEntries(storage: RegistryStorage): Promise<boolean> {
  const page = await storage.scan({ limit: 1 });
  return page.some(({ key }) => !isReserved(key)) || (page.length > 0 && (await storage.scan({ limit: 2 })).length > 1);
}
