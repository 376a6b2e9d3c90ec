/** One frame of each shape the protocol has, with fixed contents: what test/fixtures/frames.json holds as bytes. */
import {
  type CellVersion,
  type Contact,
  createContact,
  encodeHello,
  encodeRequest,
  encodeResponse,
  type Hello,
  PROTOCOL_VERSION,
  type Request,
  type Response,
} from '../../../src/kademlia/index.ts';
import {
  type CellRange,
  cellId,
  cellRange,
  DEFAULT_NETWORK_CONSTANTS,
  hashValue,
  parseKey,
  type RecordHeader,
  utf8Encode,
} from '../../../src/records/index.ts';

const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte);

export const ALICE: Contact = createContact(filled(32, 0xa1), ['/ip4/192.0.2.1/tcp/4801', '/dns4/a.example/tcp/4801']);
const BOB: Contact = createContact(filled(32, 0xb0), []);

const value = utf8Encode('10.0.0.7:8080');
export const HEADER: RecordHeader = {
  key: parseKey('svc/web'),
  publisher: filled(32, 0xa1),
  seq: 1_795_225_814_000_001,
  expiresAt: 1_795_312_214_000,
  deleted: false,
  valueHash: hashValue(value),
  signature: filled(64, 0x51),
};

/** A part of the key space whose end is within a byte, one key, one cell: in their order. */
const RANGES: readonly CellRange[] = [
  cellRange(filled(32, 0x6e), 3),
  cellRange(HEADER.key.id, 256),
  cellRange(filled(64, 0xc0), 512),
];

const FLOOR: RecordHeader = { ...HEADER, publisher: filled(32, 0xb0), expiresAt: HEADER.expiresAt - 60_000 };

const HELLO: Hello = {
  protocolVersion: PROTOCOL_VERSION,
  constants: DEFAULT_NETWORK_CONSTANTS,
  mode: 'server',
  addresses: ['/ip4/192.0.2.1/tcp/4801'],
  features: ['sync'],
  time: 1_795_225_814_000,
};

export type SampleFrame =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'request'; readonly requestId: number; readonly request: Request }
  | { readonly kind: 'response'; readonly requestId: number; readonly response: Response };

const request = (requestId: number, body: Request): SampleFrame => ({ kind: 'request', requestId, request: body });
const response = (requestId: number, body: Response): SampleFrame => ({ kind: 'response', requestId, response: body });

export const SAMPLE_FRAMES: Readonly<Record<string, SampleFrame>> = {
  'hello of a server': { kind: 'hello', hello: HELLO },
  'hello of a client without addresses': {
    kind: 'hello',
    hello: { ...HELLO, mode: 'client', addresses: [], features: [] },
  },
  'ping request': request(0, { type: 'PING' }),
  'find-node request': request(1, { type: 'FIND_NODE', target: filled(32, 0x11) }),
  'find-value request without the value': request(2, { type: 'FIND_VALUE', keyId: HEADER.key.id, value: 'none' }),
  'find-value request for the newest value': request(3, { type: 'FIND_VALUE', keyId: HEADER.key.id, value: 'newest' }),
  'find-value request for the value of one publisher': request(4, {
    type: 'FIND_VALUE',
    keyId: HEADER.key.id,
    value: { publisher: HEADER.publisher },
  }),
  'store request': request(70_000, { type: 'STORE', record: { header: HEADER, value } }),
  'store request that renews': request(0xffff_ffff, { type: 'STORE', record: { header: HEADER, value: undefined } }),
  'sync request with one digest': request(8, {
    type: 'SYNC',
    ranges: RANGES,
    digests: filled(16, 0xd1),
    settled: true,
  }),
  'sync request with a digest of each range': request(9, {
    type: 'SYNC',
    ranges: RANGES,
    digests: filled(48, 0xd3),
    settled: false,
  }),
  'sync request about everything': request(9, {
    type: 'SYNC',
    ranges: [cellRange(HEADER.key.id, 0)],
    digests: filled(16, 0xd1),
    settled: false,
  }),
  'fetch request': request(10, { type: 'FETCH', ranges: RANGES, withValues: true, after: undefined }),
  'fetch request for headers that goes on': request(11, {
    type: 'FETCH',
    ranges: RANGES.slice(1),
    withValues: false,
    after: cellId(HEADER),
  }),
  'hand-off request': request(12, {
    type: 'HAND_OFF',
    records: [
      { header: HEADER, value },
      { header: FLOOR, value: undefined },
    ],
  }),
  'leave request': request(13, { type: 'LEAVE' }),
  'ping response': response(0, { type: 'PING', time: 1_795_225_814_123 }),
  'find-node response': response(1, { type: 'FIND_NODE', closer: [ALICE, BOB] }),
  'find-node response of a node that knows nobody': response(1, { type: 'FIND_NODE', closer: [] }),
  'find-value response with the value': response(2, {
    type: 'FIND_VALUE',
    closer: [BOB],
    headers: [{ ...HEADER, deleted: true }, HEADER],
    value: { valueIndex: 1, bytes: value },
    settled: true,
    holder: true,
  }),
  'find-value response of a node that keeps no records': response(3, {
    type: 'FIND_VALUE',
    closer: [ALICE],
    headers: [],
    value: undefined,
    settled: false,
    holder: false,
  }),
  'store response': response(5, {
    type: 'STORE',
    outcome: { kind: 'stored', until: 1_795_312_214_000 },
    newestSeq: HEADER.seq,
    time: 1_795_225_814_123,
  }),
  'store response that refuses': response(6, {
    type: 'STORE',
    outcome: { kind: 'refused', reason: 'STALE' },
    newestSeq: HEADER.seq + 1,
    time: 1_795_225_814_123,
  }),
  'sync response of one who holds the same': response(8, { type: 'SYNC', parts: [], settled: true }),
  'sync response with parts': response(9, {
    type: 'SYNC',
    parts: [
      { kind: 'same' },
      { kind: 'differs', digest: filled(16, 0xd4) },
      { kind: 'cells', cells: [] },
      { kind: 'cells', cells: [HEADER, FLOOR].map(versionOf) },
    ],
    settled: false,
  }),
  'fetch response': response(10, {
    type: 'FETCH',
    records: [
      { header: HEADER, value },
      { header: FLOOR, value: undefined },
    ],
    more: true,
  }),
  'fetch response of one who holds nothing': response(11, { type: 'FETCH', records: [], more: false }),
  'hand-off response': response(12, { type: 'HAND_OFF', refusals: [undefined, 'STALE', 'STORE_FULL'] }),
  'leave response': response(13, { type: 'LEAVE' }),
  'error response': response(7, { type: 'ERROR', code: 'RESOURCE_EXHAUSTED' }),
};

function versionOf(header: RecordHeader): CellVersion {
  const { seq, expiresAt, deleted, valueHash } = header;
  return { cellId: cellId(header), seq, expiresAt, deleted, valueHash };
}

export function encodeSample(frame: SampleFrame): Uint8Array {
  switch (frame.kind) {
    case 'hello':
      return encodeHello(frame.hello);
    case 'request':
      return encodeRequest(frame.requestId, frame.request);
    case 'response':
      return encodeResponse(frame.requestId, frame.response);
  }
}
