/**
 * Where the records of a node are, written down in its own state: it outlives the process, and from the first exchange on it is the document that
 * decides, not `--storage`. Holds the URLs as they were given, passwords too, because a start may name the former storage only: the files of the
 * state are their owner's alone (lmdb-directory.ts).
 */
import { NautilusError, type StateStore } from '../../core/index.ts';
import { utf8Decode, utf8Encode } from '../../records/index.ts';
import { misconfigured } from '../misconfigured.ts';
import { listed, type StorageNaming } from './storage-naming.ts';

export interface ExchangeTarget {
  readonly urls: readonly string[];
  /** In the target there may be anything between nothing and everything; `verifying`: everything was copied once. */
  readonly phase: 'copying' | 'verifying';
}

export interface ExchangeDocument {
  /** Where the records are. */
  readonly home: readonly string[];
  /** Names of storages they were moved from, those of a ring in one text, oldest first: what is left in there is out of date. */
  readonly former: readonly string[];
  /** Where they are being copied to. */
  readonly target: ExchangeTarget | null;
}

const KEY = 'storage-exchange';
const FORMAT = 1;
/** As many moves are remembered. */
const MAX_FORMER = 32;

/** @throws NautilusError `STORAGE_DAMAGED`; `CONFIG_INVALID` for that of a newer version */
export async function readDocument(state: StateStore): Promise<ExchangeDocument | undefined> {
  const bytes = await state.get(KEY);
  return bytes && decodeDocument(bytes);
}

export function writeDocument(state: StateStore, document: ExchangeDocument): Promise<void> {
  return state.set(KEY, utf8Encode(JSON.stringify({ format: FORMAT, ...document })));
}

/** What it says once the records are where they were being copied to. */
export function afterSwitch(document: ExchangeDocument, naming: StorageNaming): ExchangeDocument {
  const { home, former, target } = document;
  if (target === null) return document;
  const [from, to] = [listed(naming.names(home)), listed(naming.names(target.urls))];
  const others = former.filter((each) => each !== to && each !== from);
  return { home: target.urls, former: [...others, from].slice(-MAX_FORMER), target: null };
}

function decodeDocument(bytes: Uint8Array): ExchangeDocument {
  let fields: unknown;
  try {
    fields = JSON.parse(utf8Decode(bytes));
  } catch (cause) {
    throw damaged(cause);
  }
  if (typeof fields !== 'object' || fields === null || !('format' in fields)) throw damaged();
  if (fields.format !== FORMAT) {
    throw misconfigured('a newer version has exchanged the storage of this node: update Nautilus');
  }
  const { home, former, target } = fields as unknown as ExchangeDocument;
  const isTarget = target === null || (areTexts(target?.urls) && ['copying', 'verifying'].includes(target.phase));
  if (!areTexts(home) || !areTexts(former) || !isTarget) throw damaged();
  return { home, former, target };
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function damaged(cause?: unknown): NautilusError {
  return new NautilusError(
    'STORAGE_DAMAGED',
    'what this node noted of where its records are cannot be read: restore the state directory from a copy',
    { cause },
  );
}
