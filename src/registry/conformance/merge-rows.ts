/** The rows of the merge table: what is held, what arrives, what is answered and what is read then. merge-cases.ts runs them. */
import { DEFAULT_NETWORK_CONSTANTS, type RefusalReason } from '../../records/index.ts';
import { LIFE_MS } from './conformance-case.ts';

export const KEY = 'svc/web';
/** Of two values the one with the higher sha256 wins: 7692c3ad… against 3fc4ccfe…. */
export const HIGHER = 'one';
export const LOWER = 'two';
const IMMUTABLE = 'sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed';

export interface Draft {
  /** @default KEY */
  readonly key?: string;
  /** One byte repeated makes the public key. @default 1 */
  readonly publisher?: number;
  /** Ticks since the case began. Of immutable keys it is 0 whatever is said here. */
  readonly seq: number;
  /** @default HIGHER */
  readonly value?: string | Uint8Array;
  /** From when the case began. @default LIFE_MS */
  readonly livesForMs?: number;
  readonly isDeleted?: boolean;
  /** It comes without its value, as a renewal does. */
  readonly isHeaderOnly?: boolean;
}

export interface MergeRow {
  readonly name: string;
  readonly held?: Draft;
  /** Passes before the other one arrives. */
  readonly laterMs?: number;
  readonly incoming: Draft;
  readonly outcome: 'stored' | RefusalReason;
  /** What is read then. `renewed`: the header that came with the value that was there; `floor`: the header that came and no value. */
  readonly left: 'held' | 'held floor' | 'incoming' | 'floor' | 'renewed' | 'both' | 'nothing';
}

export const MERGE_ROWS: readonly MergeRow[] = [
  { name: 'the first record', incoming: { seq: 1 }, outcome: 'stored', left: 'incoming' },
  { name: 'a newer record', held: { seq: 1 }, incoming: { seq: 2, value: LOWER }, outcome: 'stored', left: 'incoming' },
  { name: 'an older record', held: { seq: 2, value: LOWER }, incoming: { seq: 1 }, outcome: 'STALE', left: 'held' },
  { name: 'the same record', held: { seq: 1 }, incoming: { seq: 1 }, outcome: 'stored', left: 'held' },
  {
    name: 'a value of a higher hash at the same seq',
    held: { seq: 1, value: LOWER },
    incoming: { seq: 1, value: HIGHER },
    outcome: 'stored',
    left: 'incoming',
  },
  {
    name: 'a value of a lower hash at the same seq',
    held: { seq: 1, value: HIGHER },
    incoming: { seq: 1, value: LOWER },
    outcome: 'STALE',
    left: 'held',
  },
  {
    name: 'a tombstone of the same seq',
    held: { seq: 1 },
    incoming: { seq: 1, isDeleted: true },
    outcome: 'stored',
    left: 'floor',
  },
  {
    name: 'a record of the same seq as its tombstone',
    held: { seq: 1, isDeleted: true },
    incoming: { seq: 1 },
    outcome: 'STALE',
    left: 'held floor',
  },
  {
    name: 'a record newer than a tombstone',
    held: { seq: 1, isDeleted: true },
    incoming: { seq: 2 },
    outcome: 'stored',
    left: 'incoming',
  },
  {
    name: 'a tombstone older than the record',
    held: { seq: 2 },
    incoming: { seq: 1, isDeleted: true },
    outcome: 'STALE',
    left: 'held',
  },
  {
    name: 'a renewal by its header alone',
    held: { seq: 1 },
    incoming: { seq: 1, livesForMs: 2 * LIFE_MS, isHeaderOnly: true },
    outcome: 'stored',
    left: 'renewed',
  },
  {
    name: 'a renewal that was overtaken',
    held: { seq: 1, livesForMs: 2 * LIFE_MS },
    incoming: { seq: 1 },
    outcome: 'stored',
    left: 'held',
  },
  {
    name: 'a newer header without its value',
    held: { seq: 1 },
    incoming: { seq: 2, value: LOWER, isHeaderOnly: true },
    outcome: 'VALUE_NEEDED',
    left: 'held',
  },
  {
    name: 'a header of something unknown',
    incoming: { seq: 1, isHeaderOnly: true },
    outcome: 'VALUE_NEEDED',
    left: 'nothing',
  },
  {
    name: 'a newer record that has expired',
    held: { seq: 1 },
    incoming: { seq: 2, livesForMs: -1 },
    outcome: 'stored',
    left: 'floor',
  },
  {
    name: 'a record so old that its floor is forgotten',
    incoming: { seq: -1_000 * 2 * DEFAULT_NETWORK_CONSTANTS.maxTtlMs, livesForMs: -1 },
    outcome: 'EXPIRED',
    left: 'nothing',
  },
  {
    name: 'a record older than one that has expired meanwhile',
    held: { seq: 2 },
    laterMs: LIFE_MS,
    incoming: { seq: 1, livesForMs: 3 * LIFE_MS },
    outcome: 'STALE',
    left: 'held floor',
  },
  {
    name: 'a record newer than one that has expired meanwhile',
    held: { seq: 1 },
    laterMs: LIFE_MS,
    incoming: { seq: 2, livesForMs: 3 * LIFE_MS },
    outcome: 'stored',
    left: 'incoming',
  },
  {
    name: 'a renewal, with its value, of what has expired meanwhile',
    held: { seq: 1 },
    laterMs: LIFE_MS,
    incoming: { seq: 1, livesForMs: 3 * LIFE_MS },
    outcome: 'stored',
    left: 'incoming',
  },
  {
    name: 'a record of another publisher',
    held: { seq: 2 },
    incoming: { seq: 1, publisher: 2 },
    outcome: 'stored',
    left: 'both',
  },
  {
    name: 'an immutable value that another publisher keeps for longer',
    held: { key: IMMUTABLE, seq: 0 },
    incoming: { key: IMMUTABLE, seq: 0, publisher: 2, livesForMs: 2 * LIFE_MS },
    outcome: 'stored',
    left: 'incoming',
  },
  {
    name: 'an immutable value that another publisher keeps for less long',
    held: { key: IMMUTABLE, seq: 0, livesForMs: 2 * LIFE_MS },
    incoming: { key: IMMUTABLE, seq: 0, publisher: 2 },
    outcome: 'stored',
    left: 'held',
  },
];
