/** One frame of each shape the protocol has, with fixed contents: what test/fixtures/frames.json holds as bytes. */
import {
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
  'error response': response(7, { type: 'ERROR', code: 'RESOURCE_EXHAUSTED' }),
};

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
