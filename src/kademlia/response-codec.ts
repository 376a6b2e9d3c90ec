/**
 * Responses: `[2, requestId, type, …]`.
 * PING time · FIND_NODE publicKeys, addresses · FIND_VALUE publicKeys, addresses, headers, [index, value] or null, settled, holder ·
 * STORE code (0 stored, else the refusal), until, newestSeq, time · ERROR code · SYNC, FETCH, HAND_OFF and LEAVE: repair-codec.ts.
 */
import { assert, unreachable } from '../core/index.ts';
import {
  copyBytes,
  encodeCbor,
  headerFromFields,
  headerToFields,
  REFUSAL_CODES,
  type RecordHeader,
  refusalFromCode,
} from '../records/index.ts';
import { contactsFromFields, contactsToFields } from './contact-list.ts';
import type { ErrorResponse, FindValueResponse, Response, StoreResponse } from './messages.ts';
import { repairResponseFromFields, repairResponseToFields } from './repair-codec.ts';
import {
  type InvalidFrame,
  invalid,
  isNatural,
  KIND_RESPONSE,
  MAX_HEADERS,
  TYPE_ERROR,
  TYPE_FIND_NODE,
  TYPE_FIND_VALUE,
  TYPE_PING,
  TYPE_STORE,
  type WireLimits,
} from './wire-format.ts';

const STORED = 0;
const ERROR_NUMBERS = {
  UNSUPPORTED: 1,
  RESOURCE_EXHAUSTED: 2,
  MALFORMED: 3,
  INTERNAL: 4,
} as const satisfies Record<ErrorResponse['code'], number>;
const ERROR_CODES: readonly (ErrorResponse['code'] | undefined)[] = [
  undefined,
  'UNSUPPORTED',
  'RESOURCE_EXHAUSTED',
  'MALFORMED',
  'INTERNAL',
];

/** At most `MAX_HEADERS` headers: which of more are worth telling is the holder's to decide. */
export function encodeResponse(requestId: number, response: Response): Uint8Array {
  return encodeCbor(responseToFields(requestId, response));
}

function responseToFields(requestId: number, response: Response): unknown[] {
  switch (response.type) {
    case 'PING':
      return [KIND_RESPONSE, requestId, TYPE_PING, response.time];
    case 'FIND_NODE':
      return [KIND_RESPONSE, requestId, TYPE_FIND_NODE, ...contactsToFields(response.closer)];
    case 'FIND_VALUE': {
      const { closer, headers, value, settled, holder } = response;
      assert(headers.length <= MAX_HEADERS, 'an answer has at most MAX_HEADERS headers');
      const valueField = value === undefined ? null : [value.valueIndex, value.bytes];
      const contacts = contactsToFields(closer);
      return [
        KIND_RESPONSE,
        requestId,
        TYPE_FIND_VALUE,
        ...contacts,
        headers.map(headerToFields),
        valueField,
        settled,
        holder,
      ];
    }
    case 'STORE': {
      const { outcome, newestSeq, time } = response;
      const code = outcome.kind === 'stored' ? STORED : REFUSAL_CODES[outcome.reason];
      const until = outcome.kind === 'stored' ? outcome.until : 0;
      return [KIND_RESPONSE, requestId, TYPE_STORE, code, until, newestSeq, time];
    }
    case 'SYNC':
    case 'FETCH':
    case 'HAND_OFF':
    case 'LEAVE':
      return [KIND_RESPONSE, requestId, ...repairResponseToFields(response)];
    case 'ERROR':
      return [KIND_RESPONSE, requestId, TYPE_ERROR, ERROR_NUMBERS[response.code]];
    default:
      return unreachable(response);
  }
}

export type DecodedResponse =
  | { readonly kind: 'response'; readonly requestId: number; readonly response: Response }
  | InvalidFrame;

export function responseFromFields(
  requestId: number,
  type: number,
  fields: readonly unknown[],
  limits: WireLimits,
): DecodedResponse {
  const response = bodyFromFields(type, fields, limits);
  if (typeof response === 'string') return invalid(response);
  return { kind: 'response', requestId, response };
}

/** Index of the contacts' addresses in answers that name contacts: it is decoded by contact-list.ts. */
export const CONTACT_ADDRESSES = 4;

export function namesContacts(type: unknown): boolean {
  return type === TYPE_FIND_NODE || type === TYPE_FIND_VALUE;
}

/** The response, or what is wrong with it. */
function bodyFromFields(type: number, fields: readonly unknown[], limits: WireLimits): Response | string {
  switch (type) {
    case TYPE_PING: {
      const time = fields[3];
      return isNatural(time) ? { type: 'PING', time } : 'ping time';
    }
    case TYPE_FIND_NODE: {
      const closer = contactsFromFields(fields[3], fields[4], limits.k);
      return closer === undefined ? 'find-node contacts' : { type: 'FIND_NODE', closer };
    }
    case TYPE_FIND_VALUE:
      return findValueFromFields(fields, limits);
    case TYPE_STORE:
      return storeFromFields(fields);
    case TYPE_ERROR: {
      const number = fields[3];
      if (!isNatural(number)) return 'error code';
      return { type: 'ERROR', code: ERROR_CODES[number] ?? 'INTERNAL' };
    }
    default:
      return repairResponseFromFields(type, fields, limits) ?? 'response type';
  }
}

function findValueFromFields(fields: readonly unknown[], limits: WireLimits): FindValueResponse | string {
  const [, , , publicKeys, addresses, headerList, valueField, settled, holder] = fields;
  const closer = contactsFromFields(publicKeys, addresses, limits.k);
  if (closer === undefined) return 'find-value contacts';
  if (typeof settled !== 'boolean' || typeof holder !== 'boolean') return 'find-value flags';
  if (!Array.isArray(headerList) || headerList.length > MAX_HEADERS) return 'find-value headers';
  const given = valueFromField(valueField, headerList.length, limits.maxValueBytes);
  if (given === 'malformed') return 'find-value value';
  const headers: RecordHeader[] = [];
  let value: FindValueResponse['value'];
  for (let i = 0; i < headerList.length; i++) {
    const parsed = headerFromFields(headerList[i], limits.maxKeyBytes);
    if (parsed.kind === 'header') {
      if (given?.valueIndex === i) value = { valueIndex: headers.length, bytes: copyBytes(given.bytes) };
      headers.push(parsed.header);
    } else if (parsed.reason !== 'UNSUPPORTED_VERSION') {
      return 'find-value headers';
    } // else: a record of a later version. This build cannot judge it; the others of the answer it can.
  }
  return { type: 'FIND_VALUE', closer, headers, value, settled, holder };
}

function valueFromField(
  field: unknown,
  headerCount: number,
  maxValueBytes: number,
): FindValueResponse['value'] | 'malformed' {
  if (field === null) return undefined;
  if (!Array.isArray(field)) return 'malformed';
  const [valueIndex, bytes] = field as unknown[];
  if (!isNatural(valueIndex) || valueIndex >= headerCount) return 'malformed';
  if (!(bytes instanceof Uint8Array) || bytes.length > maxValueBytes) return 'malformed';
  return { valueIndex, bytes };
}

function storeFromFields(fields: readonly unknown[]): StoreResponse | string {
  const [, , , code, until, newestSeq, time] = fields;
  if (!isNatural(code) || !isNatural(until) || !isNatural(newestSeq) || !isNatural(time)) return 'store answer';
  if (code === STORED) return { type: 'STORE', outcome: { kind: 'stored', until }, newestSeq, time };
  // A reason of a later build still is a refusal; what this build can say about it is that it does not know it.
  const reason = refusalFromCode(code) ?? 'UNSUPPORTED_VERSION';
  return { type: 'STORE', outcome: { kind: 'refused', reason }, newestSeq, time };
}
