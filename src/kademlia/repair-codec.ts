/**
 * What holders say to each other, behind `[kind, requestId, …]`.
 * Requests: SYNC prefixes, bits, digests, settled · FETCH prefixes, bits, withValues, after or null · HAND_OFF [[header, value or null], …] ·
 * LEAVE nothing. Responses: SYNC parts (null the same, 16 bytes a digest, an array all cells), settled · FETCH [[header, value or null], …], more ·
 * HAND_OFF codes (0 held, else the refusal) · LEAVE nothing.
 *
 * Records of a later version: HAND_OFF keeps the reason in their place, so that every other one is taken; FETCH answers are read without them.
 */
import { assert, unreachable } from '../core/index.ts';
import {
  CELL_ID_BYTES,
  cellId,
  compareBytes,
  copyBytes,
  type HeldRecord,
  REFUSAL_CODES,
  type RefusalReason,
  refusalFromCode,
} from '../records/index.ts';
import { cellVersionsFromFields, cellVersionsToFields } from './cell-version-list.ts';
import type {
  FetchRequest,
  FetchResponse,
  HandOffRequest,
  HandOffResponse,
  LeaveRequest,
  LeaveResponse,
  SyncPart,
  SyncRequest,
  SyncResponse,
} from './messages.ts';
import { rangesFromFields, rangesToFields } from './range-list.ts';
import { recordFromFields, recordToFields } from './record-fields.ts';
import {
  DIGEST_BYTES,
  isBytes,
  isNatural,
  MAX_RANGES,
  MAX_RECORDS,
  MAX_SYNC_CELLS,
  TYPE_FETCH,
  TYPE_HAND_OFF,
  TYPE_LEAVE,
  TYPE_SYNC,
  type WireLimits,
} from './wire-format.ts';

const HELD = 0;

export type RepairRequest = SyncRequest | FetchRequest | HandOffRequest | LeaveRequest;
export type RepairResponse = SyncResponse | FetchResponse | HandOffResponse | LeaveResponse;

/** `[type, …]` */
export function repairRequestToFields(request: RepairRequest): unknown[] {
  switch (request.type) {
    case 'SYNC': {
      const { ranges, digests, settled } = request;
      assert(isDigests(digests, ranges.length), 'one digest for all ranges or one for each');
      return [TYPE_SYNC, ...rangesToFields(ranges), digests, settled];
    }
    case 'FETCH': {
      const { ranges, withValues, after } = request;
      return [TYPE_FETCH, ...rangesToFields(ranges), withValues, after ?? null];
    }
    case 'HAND_OFF': {
      const { records } = request;
      assert(records.length >= 1 && records.length <= MAX_RECORDS, 'a hand-off has 1 to MAX_RECORDS records');
      return [TYPE_HAND_OFF, records.map(handedToFields)];
    }
    case 'LEAVE':
      return [TYPE_LEAVE];
    default:
      return unreachable(request);
  }
}

function handedToFields(record: HandOffRequest['records'][number]): unknown[] {
  assert(typeof record !== 'string', 'records are sent, not reasons');
  return recordToFields(record);
}

/** `fields`: the whole frame. The request, what is wrong with it, or undefined for types that are none of these. */
export function repairRequestFromFields(
  type: number,
  fields: readonly unknown[],
  limits: WireLimits,
): RepairRequest | string | undefined {
  switch (type) {
    case TYPE_SYNC: {
      const [, , , prefixes, bits, digests, settled] = fields;
      const ranges = rangesFromFields(prefixes, bits);
      if (ranges === undefined) return 'sync ranges';
      if (!isDigests(digests, ranges.length)) return 'sync digests';
      if (typeof settled !== 'boolean') return 'sync flag';
      return { type: 'SYNC', ranges, digests: copyBytes(digests), settled };
    }
    case TYPE_FETCH: {
      const [, , , prefixes, bits, withValues, after] = fields;
      const ranges = rangesFromFields(prefixes, bits);
      if (ranges === undefined) return 'fetch ranges';
      if (typeof withValues !== 'boolean') return 'fetch flag';
      if (after !== null && !isBytes(after, CELL_ID_BYTES)) return 'fetch position';
      return { type: 'FETCH', ranges, withValues, after: after === null ? undefined : copyBytes(after) };
    }
    case TYPE_HAND_OFF:
      return handOffFromField(fields[3], limits);
    case TYPE_LEAVE:
      return { type: 'LEAVE' };
    default:
      return undefined;
  }
}

function handOffFromField(list: unknown, limits: WireLimits): HandOffRequest | string {
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_RECORDS) return 'hand-off records';
  const records: (HeldRecord | RefusalReason)[] = [];
  for (const fields of list as unknown[]) {
    const parsed = Array.isArray(fields) ? recordFromFields(fields[0], fields[1], limits) : undefined;
    if (parsed === undefined) return 'hand-off records';
    records.push(parsed.kind === 'record' ? parsed.record : parsed.reason);
  }
  return { type: 'HAND_OFF', records };
}

/** `[type, …]` */
export function repairResponseToFields(response: RepairResponse): unknown[] {
  switch (response.type) {
    case 'SYNC': {
      const { parts, settled } = response;
      const cells = parts.reduce((count, part) => count + (part.kind === 'cells' ? part.cells.length : 0), 0);
      assert(parts.length <= MAX_RANGES && cells <= MAX_SYNC_CELLS, 'an answer has at most MAX_SYNC_CELLS cells');
      return [TYPE_SYNC, parts.map(partToField), settled];
    }
    case 'FETCH': {
      const { records, more } = response;
      assert(records.length <= MAX_RECORDS && !(more && records.length === 0), 'an answer gets on');
      return [TYPE_FETCH, records.map(recordToFields), more];
    }
    case 'HAND_OFF': {
      const { refusals } = response;
      assert(refusals.length <= MAX_RECORDS, 'one answer for each record');
      return [TYPE_HAND_OFF, refusals.map((reason) => (reason === undefined ? HELD : REFUSAL_CODES[reason]))];
    }
    case 'LEAVE':
      return [TYPE_LEAVE];
    default:
      return unreachable(response);
  }
}

function partToField(part: SyncPart): unknown {
  switch (part.kind) {
    case 'same':
      return null;
    case 'differs':
      return part.digest;
    case 'cells':
      return cellVersionsToFields(part.cells);
    default:
      return unreachable(part);
  }
}

/** `fields`: the whole frame. The response, what is wrong with it, or undefined for types that are none of these. */
export function repairResponseFromFields(
  type: number,
  fields: readonly unknown[],
  limits: WireLimits,
): RepairResponse | string | undefined {
  switch (type) {
    case TYPE_SYNC:
      return syncFromFields(fields[3], fields[4]);
    case TYPE_FETCH:
      return fetchFromFields(fields[3], fields[4], limits);
    case TYPE_HAND_OFF:
      return answersFromField(fields[3]);
    case TYPE_LEAVE:
      return { type: 'LEAVE' };
    default:
      return undefined;
  }
}

function syncFromFields(list: unknown, settled: unknown): SyncResponse | string {
  if (!Array.isArray(list) || list.length > MAX_RANGES) return 'sync parts';
  if (typeof settled !== 'boolean') return 'sync flag';
  const parts: SyncPart[] = [];
  let room = MAX_SYNC_CELLS;
  for (const field of list as unknown[]) {
    const part = partFromField(field, room);
    if (part === undefined) return 'sync parts';
    if (part.kind === 'cells') room -= part.cells.length;
    parts.push(part);
  }
  return { type: 'SYNC', parts, settled };
}

function partFromField(field: unknown, room: number): SyncPart | undefined {
  if (field === null) return { kind: 'same' };
  if (isBytes(field, DIGEST_BYTES)) return { kind: 'differs', digest: copyBytes(field) };
  const cells = cellVersionsFromFields(field, room);
  return cells && { kind: 'cells', cells };
}

/** Whether the records are what was asked for, the asker must see; that they get on, it need not. */
function fetchFromFields(list: unknown, more: unknown, limits: WireLimits): FetchResponse | string {
  if (!Array.isArray(list) || list.length > MAX_RECORDS) return 'fetch records';
  if (typeof more !== 'boolean') return 'fetch flag';
  const records: HeldRecord[] = [];
  let last: Uint8Array | undefined;
  for (const fields of list as unknown[]) {
    const parsed = Array.isArray(fields) ? recordFromFields(fields[0], fields[1], limits) : undefined;
    if (parsed === undefined) return 'fetch records';
    if (parsed.kind === 'refused') {
      if (parsed.reason === 'UNSUPPORTED_VERSION') continue;
      return 'fetch records';
    }
    const id = cellId(parsed.record.header);
    if (last !== undefined && compareBytes(last, id) >= 0) return 'fetch order';
    last = id;
    records.push(parsed.record);
  }
  // There would be nothing to go on behind: the asker would ask the same again.
  return more && records.length === 0 ? 'fetch without end' : { type: 'FETCH', records, more };
}

function answersFromField(list: unknown): HandOffResponse | string {
  if (!Array.isArray(list) || list.length > MAX_RECORDS || !list.every(isNatural)) return 'hand-off answer';
  // A reason of a later build still is a refusal, as in the answer to STORE.
  const refusals = list.map((code) => (code === HELD ? undefined : (refusalFromCode(code) ?? 'UNSUPPORTED_VERSION')));
  return { type: 'HAND_OFF', refusals };
}

function isDigests(value: unknown, ranges: number): value is Uint8Array {
  return isBytes(value, DIGEST_BYTES) || isBytes(value, DIGEST_BYTES * ranges);
}
