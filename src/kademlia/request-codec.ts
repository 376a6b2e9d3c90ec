/**
 * Requests: `[1, requestId, type, …]`.
 * PING nothing · FIND_NODE target · FIND_VALUE keyId, value (null none, true newest, 32 bytes a publisher's) · STORE header, value or null ·
 * SYNC, FETCH, HAND_OFF and LEAVE: repair-codec.ts.
 */
import { unreachable } from '../core/index.ts';
import { copyBytes, encodeCbor, PUBLIC_KEY_BYTES, type RefusalReason } from '../records/index.ts';
import type { FindValueRequest, Request } from './messages.ts';
import { recordFromFields, recordToFields } from './record-fields.ts';
import { repairRequestFromFields, repairRequestToFields } from './repair-codec.ts';
import {
  ID_BYTES,
  type InvalidFrame,
  invalid,
  isBytes,
  KIND_REQUEST,
  TYPE_FIND_NODE,
  TYPE_FIND_VALUE,
  TYPE_PING,
  TYPE_STORE,
  type WireLimits,
} from './wire-format.ts';

export function encodeRequest(requestId: number, request: Request): Uint8Array {
  return encodeCbor(requestToFields(requestId, request));
}

function requestToFields(requestId: number, request: Request): unknown[] {
  switch (request.type) {
    case 'PING':
      return [KIND_REQUEST, requestId, TYPE_PING];
    case 'FIND_NODE':
      return [KIND_REQUEST, requestId, TYPE_FIND_NODE, request.target];
    case 'FIND_VALUE':
      return [KIND_REQUEST, requestId, TYPE_FIND_VALUE, request.keyId, wantedToField(request.value)];
    case 'STORE':
      return [KIND_REQUEST, requestId, TYPE_STORE, ...recordToFields(request.record)];
    case 'SYNC':
    case 'FETCH':
    case 'HAND_OFF':
    case 'LEAVE':
      return [KIND_REQUEST, requestId, ...repairRequestToFields(request)];
    default:
      return unreachable(request);
  }
}

export type DecodedRequest =
  | { readonly kind: 'request'; readonly requestId: number; readonly request: Request }
  /** A type of a later build: answer `ERROR` `UNSUPPORTED`. */
  | { readonly kind: 'unsupported'; readonly requestId: number }
  /** A well-formed STORE of a record nobody here can take: answer `STORE` refused with this reason. */
  | { readonly kind: 'refused'; readonly requestId: number; readonly reason: RefusalReason }
  | InvalidFrame;

export function requestFromFields(
  requestId: number,
  type: number,
  fields: readonly unknown[],
  limits: WireLimits,
): DecodedRequest {
  switch (type) {
    case TYPE_PING:
      return { kind: 'request', requestId, request: { type: 'PING' } };
    case TYPE_FIND_NODE: {
      const target = fields[3];
      if (!isBytes(target, ID_BYTES)) return invalid('find-node target');
      return { kind: 'request', requestId, request: { type: 'FIND_NODE', target: copyBytes(target) } };
    }
    case TYPE_FIND_VALUE: {
      const keyId = fields[3];
      const value = wantedFromField(fields[4]);
      if (!isBytes(keyId, ID_BYTES) || value === undefined) return invalid('find-value key');
      return { kind: 'request', requestId, request: { type: 'FIND_VALUE', keyId: copyBytes(keyId), value } };
    }
    case TYPE_STORE:
      return storeFromFields(requestId, fields[3], fields[4], limits);
    default: {
      const request = repairRequestFromFields(type, fields, limits);
      if (request === undefined) return { kind: 'unsupported', requestId };
      return typeof request === 'string' ? invalid(request) : { kind: 'request', requestId, request };
    }
  }
}

function storeFromFields(requestId: number, header: unknown, value: unknown, limits: WireLimits): DecodedRequest {
  const parsed = recordFromFields(header, value, limits);
  if (parsed === undefined) return invalid('store record');
  if (parsed.kind === 'refused') return { kind: 'refused', requestId, reason: parsed.reason };
  return { kind: 'request', requestId, request: { type: 'STORE', record: parsed.record } };
}

function wantedToField(value: FindValueRequest['value']): Uint8Array | true | null {
  if (value === 'none') return null;
  return value === 'newest' ? true : value.publisher;
}

function wantedFromField(field: unknown): FindValueRequest['value'] | undefined {
  if (field === null) return 'none';
  if (field === true) return 'newest';
  return isBytes(field, PUBLIC_KEY_BYTES) ? { publisher: copyBytes(field) } : undefined;
}
