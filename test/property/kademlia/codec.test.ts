import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createContact,
  decodeFrame,
  encodeHello,
  encodeRequest,
  encodeResponse,
  type Hello,
  type Request,
  type Response,
} from '../../../src/kademlia/index.ts';
import {
  type CellRange,
  cellId,
  cellRange,
  compareBytes,
  encodeCbor,
  type HeldRecord,
  parseKey,
  REFUSAL_CODES,
  type RefusalReason,
  toHex,
} from '../../../src/records/index.ts';

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const natural = fc.maxSafeNat();
const address = fc.stringMatching(/^\/ip4\/[0-9]{1,3}\/tcp\/[0-9]{1,5}$/);
const addresses = fc.array(address, { maxLength: 8 });
const contact = fc.tuple(bytesOf(32), addresses).map(([key, list]) => createContact(key, list));
const contacts = fc.array(contact, { maxLength: 20 });
const value = fc.uint8Array({ maxLength: 300 });
const header = fc.record({
  key: fc.stringMatching(/^[a-z]{1,40}\/[0-9]{0,5}$/).map((text) => parseKey(text)),
  publisher: bytesOf(32),
  seq: natural,
  expiresAt: natural,
  deleted: fc.boolean(),
  valueHash: bytesOf(32),
  signature: bytesOf(64),
});

const heldRecord: fc.Arbitrary<HeldRecord> = fc.record({ header, value: fc.oneof(value, fc.constant(undefined)) });
const inOrder = (records: readonly HeldRecord[]) =>
  records.toSorted((a, b) => compareBytes(cellId(a.header), cellId(b.header)));
const reason = fc.constantFrom(...(Object.keys(REFUSAL_CODES) as RefusalReason[]));

/** As text of bits, so that order and overlap are plain to see: `1` is behind `011`, and `011` lies within `01`. */
const bitsOf = ({ prefix, bits }: CellRange) =>
  Array.from(prefix, (byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, bits);
const range = fc.tuple(bytesOf(64), fc.nat({ max: 512 })).map(([id, bits]) => cellRange(id, bits));
const fewBits = fc.tuple(bytesOf(64), fc.nat({ max: 6 })).map(([id, bits]) => cellRange(id, bits));
const ranges = fc.array(fc.oneof(range, fewBits), { minLength: 1, maxLength: 12 }).map((list) => {
  const kept: CellRange[] = [];
  const overlap = (a: string, b: string) => a.startsWith(b) || b.startsWith(a);
  for (const next of list) if (!kept.some((other) => overlap(bitsOf(other), bitsOf(next)))) kept.push(next);
  return kept.toSorted((a, b) => (bitsOf(a) < bitsOf(b) ? -1 : 1));
});

const cellVersion = fc.record({
  cellId: bytesOf(64),
  seq: natural,
  expiresAt: natural,
  deleted: fc.boolean(),
  valueHash: bytesOf(32),
});
const cellVersions = fc
  .uniqueArray(cellVersion, { selector: (cell) => toHex(cell.cellId), maxLength: 6 })
  .map((cells) => cells.toSorted((a, b) => compareBytes(a.cellId, b.cellId)));

const hello: fc.Arbitrary<Hello> = fc.record({
  protocolVersion: fc.nat(),
  constants: fc.record({
    network: fc.stringMatching(/^[a-z0-9]{1,63}$/),
    k: natural,
    maxTtlMs: natural,
    maxKeyBytes: natural,
    maxValueBytes: natural,
    maxPublishersPerKey: natural,
    maxClockSkewMs: natural,
    suspicionTimeMs: natural,
  }),
  mode: fc.constantFrom('server', 'client', 'bootstrap'),
  addresses,
  features: fc.array(fc.string({ maxLength: 64 }), { maxLength: 32 }),
  time: natural,
});

const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ type: fc.constant('PING' as const) }),
  fc.record({ type: fc.constant('FIND_NODE' as const), target: bytesOf(32) }),
  fc.record({
    type: fc.constant('FIND_VALUE' as const),
    keyId: bytesOf(32),
    value: fc.oneof(fc.constantFrom('none' as const, 'newest' as const), fc.record({ publisher: bytesOf(32) })),
  }),
  fc.record({ type: fc.constant('STORE' as const), record: heldRecord }),
  fc.tuple(ranges, fc.boolean(), fc.boolean(), bytesOf(16 * 12)).map(([list, isEach, settled, digests]) => ({
    type: 'SYNC' as const,
    ranges: list,
    digests: digests.slice(0, isEach ? 16 * list.length : 16),
    settled,
  })),
  fc.record({
    type: fc.constant('FETCH' as const),
    ranges,
    withValues: fc.boolean(),
    after: fc.option(bytesOf(64), { nil: undefined }),
  }),
  fc.record({
    type: fc.constant('HAND_OFF' as const),
    records: fc.array(heldRecord, { minLength: 1, maxLength: 5 }),
  }),
  fc.record({ type: fc.constant('LEAVE' as const) }),
);

const findValueResponse = fc
  .record({
    type: fc.constant('FIND_VALUE' as const),
    closer: contacts,
    headers: fc.array(header, { maxLength: 5 }),
    bytes: value,
    wanted: fc.nat(),
    settled: fc.boolean(),
    holder: fc.boolean(),
  })
  .map(({ bytes, wanted, ...answer }) => ({
    ...answer,
    value: answer.headers.length === 0 ? undefined : { valueIndex: wanted % answer.headers.length, bytes },
  }));

const response: fc.Arbitrary<Response> = fc.oneof(
  fc.record({ type: fc.constant('PING' as const), time: natural }),
  fc.record({ type: fc.constant('FIND_NODE' as const), closer: contacts }),
  findValueResponse,
  fc.record({
    type: fc.constant('STORE' as const),
    outcome: fc.oneof(
      fc.record({ kind: fc.constant('stored' as const), until: natural }),
      fc.record({
        kind: fc.constant('refused' as const),
        reason,
      }),
    ),
    newestSeq: natural,
    time: natural,
  }),
  fc.record({
    type: fc.constant('SYNC' as const),
    parts: fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('same' as const) }),
        fc.record({ kind: fc.constant('differs' as const), digest: bytesOf(16) }),
        fc.record({ kind: fc.constant('cells' as const), cells: cellVersions }),
      ),
      { maxLength: 8 },
    ),
    settled: fc.boolean(),
  }),
  fc.uniqueArray(heldRecord, { selector: (record) => toHex(cellId(record.header)), maxLength: 5 }).chain((records) =>
    fc.record({
      type: fc.constant('FETCH' as const),
      records: fc.constant(inOrder(records)),
      more: records.length > 0 ? fc.boolean() : fc.constant(false),
    }),
  ),
  fc.record({
    type: fc.constant('HAND_OFF' as const),
    refusals: fc.array(fc.option(reason, { nil: undefined }), { maxLength: 256 }),
  }),
  fc.record({ type: fc.constant('LEAVE' as const) }),
  fc.record({
    type: fc.constant('ERROR' as const),
    code: fc.constantFrom(
      'UNSUPPORTED' as const,
      'RESOURCE_EXHAUSTED' as const,
      'MALFORMED' as const,
      'INTERNAL' as const,
    ),
  }),
);

const requestId = fc.nat({ max: 0xffff_ffff });
const ANY_KIND = /^(hello|request|response|unsupported|refused|invalid)$/;

describe('codec', () => {
  it('gives back every hello, request and response it encoded', () => {
    fc.assert(
      fc.property(hello, (it) => {
        expect(decodeFrame(encodeHello(it))).toEqual({ kind: 'hello', hello: it });
      }),
    );
    fc.assert(
      fc.property(requestId, request, (id, it) => {
        expect(decodeFrame(encodeRequest(id, it))).toEqual({ kind: 'request', requestId: id, request: it });
      }),
    );
    fc.assert(
      fc.property(requestId, response, (id, it) => {
        expect(decodeFrame(encodeResponse(id, it))).toEqual({ kind: 'response', requestId: id, response: it });
      }),
    );
  });

  it('takes ranges exactly when their bits ascend and none begins like another', () => {
    fc.assert(
      fc.property(fc.array(fewBits, { minLength: 1, maxLength: 4 }), (list) => {
        const texts = list.map(bitsOf);
        const isSound = texts.every((text, i) => {
          const next = texts[i + 1];
          return next === undefined || (text < next && !next.startsWith(text));
        });
        const prefixes = Uint8Array.from(list.flatMap(({ prefix }) => [...prefix]));
        const frame = encodeCbor([1, 1, 6, prefixes, list.map(({ bits }) => bits), true, null]);
        expect(decodeFrame(frame).kind).toBe(isSound ? 'request' : 'invalid');
      }),
      { numRuns: 1_000 },
    );
  });

  it('never throws on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeFrame(bytes).kind).toMatch(ANY_KIND);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws on a well-formed array of anything, and never takes more contacts than K', () => {
    const leaf = fc.oneof(
      fc.nat(),
      natural,
      fc.string(),
      fc.uint8Array({ maxLength: 96 }),
      fc.boolean(),
      fc.constant(null),
    );
    const { element } = fc.letrec((tie) => ({
      element: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('element'), { maxLength: 9 })),
    }));
    const frame = fc.tuple(
      fc.nat({ max: 3 }),
      fc.nat({ max: 9 }),
      fc.nat({ max: 9 }),
      fc.array(element, { maxLength: 7 }),
    );
    const few = { k: 2, maxKeyBytes: 8, maxValueBytes: 16 };
    fc.assert(
      fc.property(frame, ([kind, id, type, rest]) => {
        const decoded = decodeFrame(encodeCbor([kind, id, type, ...rest]), few);
        expect(decoded.kind).toMatch(ANY_KIND);
        if (decoded.kind === 'response' && 'closer' in decoded.response) {
          expect(decoded.response.closer.length).toBeLessThanOrEqual(2);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
