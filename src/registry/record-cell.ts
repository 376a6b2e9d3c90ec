/**
 * How records lie in a storage: one entry per cell under its id (key id ‖ publisher), so that a prefix scan reads a key and a full scan walks in
 * key-id order. The value of an entry is the record without its value once it is a tombstone or has expired.
 */
import { NautilusError } from '../core/index.ts';
import {
  bytesEqual,
  CELL_ID_BYTES,
  decodeCbor,
  decodeHeldRecord,
  encodeHeldRecord,
  floorUntil,
  type HeldRecord,
  isLive,
  KEY_ID_BYTES,
  mergeRecords,
  type NetworkConstants,
  type RecordHeader,
  utf8Encode,
} from '../records/index.ts';
import type { MergeEntries, StorageEntry } from './storage.ts';

/** How long an entry outlives its record at least, ms: time to announce that it expired. */
const ANNOUNCE_MARGIN_MS = 60_000;

/** The part of a cell id's key text that stands for its key id. */
export function keyIdText(cellIdText: string): string {
  return cellIdText.slice(0, KEY_ID_BYTES);
}

/** When the last trace of a record may go, ms since the epoch. */
export function cellUntil(header: RecordHeader, constants: NetworkConstants): number {
  return Math.max(floorUntil(header, constants), header.expiresAt + ANNOUNCE_MARGIN_MS);
}

export function toCellEntry(record: HeldRecord, version: number, constants: NetworkConstants): StorageEntry {
  return { value: encodeHeldRecord(record), version, expiresAt: cellUntil(record.header, constants) };
}

/** @throws NautilusError `STORAGE_DAMAGED` */
export function fromCellEntry(entry: StorageEntry): HeldRecord {
  return decodeHeldRecord(entry.value) ?? damaged();
}

/** What of a record is told to anybody at a time. */
export function withoutExpiredValue(record: HeldRecord, now: number): HeldRecord {
  return record.value === undefined || isLive(record.header, now)
    ? record
    : { header: record.header, value: undefined };
}

/** What a cell costs its storage. */
export function entryBytes(entry: StorageEntry): number {
  return CELL_ID_BYTES + entry.value.length;
}

/**
 * For storages that have to merge entries without asking (see `StorageParts.mergeWith`): the join of the records in them. An entry that is no record
 * loses to one that is; what is not in a cell at all is the time mark, whose later one counts.
 */
export function mergeCellEntries(constants: NetworkConstants): MergeEntries {
  return (key, current, other) => {
    if (key.length !== CELL_ID_BYTES) return timeOf(other) > timeOf(current) ? other : current;
    const [held, incoming] = [decodeHeldRecord(current.value), decodeHeldRecord(other.value)];
    if (held === undefined || incoming === undefined) return incoming === undefined ? current : other;
    const version = Math.max(current.version, other.version);
    const merged = toCellEntry(mergeRecords(held, incoming), version, constants);
    const [later, earlier] = other.version > current.version ? [other, current] : [current, other];
    return [later, earlier].find(({ value }) => bytesEqual(value, merged.value)) ?? merged;
  };
}

function timeOf({ value }: StorageEntry): number {
  const mark: unknown = decodeCbor(value)?.value;
  return typeof mark === 'number' ? mark : 0;
}

export interface CellSummary {
  readonly seq: number;
  readonly expiresAt: number;
  readonly deleted: boolean;
  /** Bytes of key and value; undefined for tombstones and floors, which have no value. */
  readonly liveBytes: number | undefined;
}

/**
 * What counting needs, without the price of a whole decode (hashing the key, copying the value).
 * @throws NautilusError `STORAGE_DAMAGED`
 */
export function summarizeCell(entry: StorageEntry): CellSummary {
  const decoded = decodeCbor(entry.value)?.value;
  if (!Array.isArray(decoded) || !Array.isArray(decoded[0])) return damaged();
  // The layout of headerToFields: [version, key, publisher, seq, expiresAt, deleted, …].
  const [, key, , seq, expiresAt, deleted] = decoded[0] as unknown[];
  const value: unknown = decoded[1];
  if (typeof key !== 'string' || typeof seq !== 'number' || typeof expiresAt !== 'number') return damaged();
  if (typeof deleted !== 'boolean' || !(value === null || value instanceof Uint8Array)) return damaged();
  return { seq, expiresAt, deleted, liveBytes: value === null ? undefined : utf8Encode(key).length + value.length };
}

function damaged(): never {
  throw new NautilusError(
    'STORAGE_DAMAGED',
    'the storage holds an entry that is no record: stop the node, move its records away and start it again',
  );
}
