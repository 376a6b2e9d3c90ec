import { describe, expect, it } from 'vitest';
import {
  createContact,
  decodeFrame,
  encodeRequest,
  encodeResponse,
  MAX_ADDRESS_LENGTH,
  MAX_ADDRESSES,
  MAX_FRAME_BYTES,
  MAX_HEADERS,
} from '../../../src/kademlia/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, decodeCbor, encodeCbor, fromHex, toHex } from '../../../src/records/index.ts';
import frames from '../../fixtures/frames.json' with { type: 'json' };
import { ALICE, encodeSample, HEADER, SAMPLE_FRAMES } from './sample-frames.ts';

const vectors = Object.entries(frames);
const sampleOf = (name: string) => SAMPLE_FRAMES[name]!;

/** A valid frame with one element exchanged. */
function withElement(name: string, index: number, element: unknown): Uint8Array {
  const fields = decodeCbor(encodeSample(sampleOf(name)))?.value as unknown[];
  return encodeCbor(fields.with(index, element));
}

function joinedKeys(count: number): Uint8Array {
  const keys = new Uint8Array(count * 32);
  for (let i = 0; i < count; i++) keys[i * 32] = i;
  return keys;
}

describe('codec', () => {
  it('has a golden vector for every sample and a sample for every vector', () => {
    expect(vectors.map(([name]) => name)).toEqual(Object.keys(SAMPLE_FRAMES));
  });

  describe.each(vectors)('%s', (name, hex) => {
    it('is encoded as the golden vector', () => {
      expect(toHex(encodeSample(sampleOf(name)))).toBe(hex);
    });

    it('decodes to what was encoded', () => {
      expect(decodeFrame(fromHex(hex))).toEqual(sampleOf(name));
    });

    it('is invalid when cut anywhere or followed by anything', () => {
      const whole = fromHex(hex);
      for (let length = 0; length < whole.length; length++) {
        expect(decodeFrame(whole.subarray(0, length)).kind).toBe('invalid');
      }
      expect(decodeFrame(Uint8Array.of(...whole, 0)).kind).toBe('invalid');
    });

    it('survives every single byte being another', () => {
      const bytes = fromHex(hex);
      for (let i = 0; i < bytes.length; i++) {
        const original = bytes[i]!;
        for (const other of [0x00, 0x1b, 0x5a, 0x7b, 0x9a, 0xff, original ^ 0x20]) {
          bytes[i] = other;
          expect(decodeFrame(bytes).kind).toMatch(/^(hello|request|response|unsupported|refused|invalid)$/);
        }
        bytes[i] = original;
      }
    });

    it('may carry elements of a later build at its end', () => {
      const fields = decodeCbor(fromHex(hex))?.value as unknown[];
      expect(decodeFrame(encodeCbor([...fields, 'later', 7]))).toEqual(sampleOf(name));
    });

    it('owns its bytes', () => {
      const buffer = fromHex(hex);
      const decoded = decodeFrame(buffer);
      buffer.fill(0xee);
      expect(decoded).toEqual(sampleOf(name));
    });
  });

  it('names what is wrong with a frame, without quoting the peer', () => {
    const reasons: [Uint8Array, string][] = [
      [new Uint8Array(MAX_FRAME_BYTES + 1), 'frame too large'],
      [encodeCbor('hello'), 'not a frame'],
      [encodeCbor([]), 'frame kind'],
      [encodeCbor([3, 1, 1]), 'frame kind'],
      [encodeCbor([1, -1, 1]), 'not a frame'],
      [encodeCbor([1, 2 ** 32, 1]), 'request id'],
      [encodeCbor([1, 1.5, 1]), 'request id'],
      [encodeCbor([1, 1, 'PING']), 'message type'],
      [withElement('hello of a server', 3, 9), 'hello mode'],
      [withElement('hello of a server', 2, ['main', 20]), 'hello constants'],
      [withElement('hello of a server', 4, ['no multiaddr']), 'hello addresses'],
      [withElement('hello of a server', 4, ['/dns4/\u001b[2J/tcp/1']), 'hello addresses'],
      [withElement('hello of a server', 5, Array(33).fill('f')), 'hello features'],
      [withElement('hello of a server', 6, null), 'hello time'],
      [withElement('find-node request', 3, new Uint8Array(31)), 'find-node target'],
      [withElement('find-value request for the newest value', 4, false), 'find-value key'],
      [withElement('store request', 3, 'record'), 'store record'],
      [withElement('ping response', 2, 99), 'response type'],
      [withElement('find-node response', 3, new Uint8Array(33)), 'find-node contacts'],
      [withElement('find-value response with the value', 6, [2, new Uint8Array(1)]), 'find-value value'],
      [withElement('find-value response with the value', 6, [0, new Uint8Array(65_537)]), 'find-value value'],
      [withElement('find-value response with the value', 7, 1), 'find-value flags'],
      [withElement('store response', 4, 'forever'), 'store answer'],
      [withElement('sync request with one digest', 4, [3, 256]), 'sync ranges'],
      [withElement('sync request with one digest', 5, new Uint8Array(32)), 'sync digests'],
      [withElement('sync request with one digest', 6, null), 'sync flag'],
      [withElement('fetch request', 3, new Uint8Array(0)), 'fetch ranges'],
      [withElement('fetch request', 5, 'values'), 'fetch flag'],
      [withElement('fetch request', 6, new Uint8Array(63)), 'fetch position'],
      [withElement('hand-off request', 3, []), 'hand-off records'],
      [withElement('hand-off request', 3, [['header', null]]), 'hand-off records'],
      [withElement('hand-off request', 3, [null]), 'hand-off records'],
      [withElement('sync response with parts', 3, [new Uint8Array(15)]), 'sync parts'],
      [withElement('sync response with parts', 3, [[new Uint8Array(96), [1], [1], []]]), 'sync parts'],
      [withElement('sync response with parts', 3, [[new Uint8Array(95), [1], [1], [false]]]), 'sync parts'],
      [withElement('sync response with parts', 3, [[new Uint8Array(96), [0.5], [1], [false]]]), 'sync parts'],
      [withElement('sync response with parts', 4, 1), 'sync flag'],
      [withElement('fetch response', 3, [[]]), 'fetch records'],
      [withElement('fetch response', 4, 1), 'fetch flag'],
      [withElement('fetch response', 3, []), 'fetch without end'],
      [withElement('hand-off response', 3, [0, -1]), 'not a frame'],
      [withElement('hand-off response', 3, [0, 'no']), 'hand-off answer'],
    ];
    for (const [bytes, reason] of reasons) expect(decodeFrame(bytes)).toEqual({ kind: 'invalid', reason });
  });

  it('takes K contacts and not one more, however short the frame', () => {
    const { k } = DEFAULT_NETWORK_CONSTANTS;
    const answer = (count: number) => encodeCbor([2, 1, 2, joinedKeys(count), Array(count).fill([])]);
    expect(decodeFrame(answer(k))).toMatchObject({ kind: 'response', response: { type: 'FIND_NODE' } });
    expect(decodeFrame(answer(k + 1))).toEqual({ kind: 'invalid', reason: 'find-node contacts' });
    expect(decodeFrame(answer(4), { ...DEFAULT_NETWORK_CONSTANTS, k: 3 }).kind).toBe('invalid');
  });

  it('refuses an answer that lists ten thousand contacts', () => {
    // Larger than a frame may be, and refused again by the count if it were not.
    expect(decodeFrame(encodeCbor([2, 1, 2, joinedKeys(8_000), Array(8_000).fill([])])).kind).toBe('invalid');
    expect(decodeFrame(encodeCbor([2, 1, 2, joinedKeys(10_000), []])).kind).toBe('invalid');
  });

  it('refuses too many or too long addresses, and never sends them', () => {
    const key = joinedKeys(1);
    const long = `/dns4/${'a'.repeat(MAX_ADDRESS_LENGTH)}`;
    expect(decodeFrame(encodeCbor([2, 1, 2, key, [Array(MAX_ADDRESSES + 1).fill('/ip4/192.0.2.1')]])).kind).toBe(
      'invalid',
    );
    expect(decodeFrame(encodeCbor([2, 1, 2, key, [[long]]])).kind).toBe('invalid');
    const many = Array.from({ length: 12 }, (_, i) => `/ip4/192.0.2.${i}/tcp/1`);
    const sent = encodeResponse(1, { type: 'FIND_NODE', closer: [createContact(ALICE.publicKey, [long, ...many])] });
    const closer = [createContact(ALICE.publicKey, many.slice(0, MAX_ADDRESSES))];
    expect(decodeFrame(sent)).toEqual({ kind: 'response', requestId: 1, response: { type: 'FIND_NODE', closer } });
  });

  it('tells a request of a later build from garbage, so that it can be answered UNSUPPORTED', () => {
    expect(decodeFrame(encodeCbor([1, 12, 40, 'whatever']))).toEqual({ kind: 'unsupported', requestId: 12 });
  });

  it('hands a STORE of a record nobody here can take to a refusal', () => {
    const header = decodeCbor(encodeSample(sampleOf('store request')))?.value as unknown[];
    const fields = header[3] as unknown[];
    const refused = (reason: string) => ({ kind: 'refused', requestId: 70_000, reason });
    expect(decodeFrame(withElement('store request', 3, [2, 'of', 'the', 'future']))).toEqual(
      refused('UNSUPPORTED_VERSION'),
    );
    expect(decodeFrame(withElement('store request', 3, fields.with(1, '@nobody/x')))).toEqual(refused('MALFORMED'));
    expect(decodeFrame(withElement('store request', 4, new Uint8Array(65_537)))).toEqual(refused('TOO_LARGE'));
  });

  it('drops headers of a later record version from an answer and keeps the value where it belongs', () => {
    const fields = decodeCbor(encodeSample(sampleOf('find-value response with the value')))?.value as unknown[];
    const [first, second] = fields[5] as unknown[];
    const decoded = decodeFrame(
      encodeCbor(fields.with(5, [[2, 'later'], second, first]).with(6, [1, Uint8Array.of(1)])),
    );
    expect(decoded).toMatchObject({
      response: { headers: [HEADER, { ...HEADER, deleted: true }], value: { valueIndex: 0, bytes: Uint8Array.of(1) } },
    });
  });

  it('keeps a refusal a refusal when its reason comes from a later build', () => {
    expect(decodeFrame(withElement('store response that refuses', 3, 999))).toMatchObject({
      response: { outcome: { kind: 'refused', reason: 'UNSUPPORTED_VERSION' } },
    });
  });

  it('has room in a frame for the largest honest answer', () => {
    const { k, maxKeyBytes, maxValueBytes } = DEFAULT_NETWORK_CONSTANTS;
    const address = `/dns4/${'a'.repeat(MAX_ADDRESS_LENGTH - 6)}`;
    const contact = createContact(ALICE.publicKey, Array(MAX_ADDRESSES).fill(address));
    const header = { ...HEADER, key: { ...HEADER.key, text: 'k'.repeat(maxKeyBytes) } };
    const bytes = encodeResponse(1, {
      type: 'FIND_VALUE',
      closer: Array(k).fill(contact),
      headers: Array(MAX_HEADERS).fill(header),
      value: { valueIndex: 0, bytes: new Uint8Array(maxValueBytes) },
      settled: true,
      holder: true,
    });
    expect(bytes.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    expect(decodeFrame(bytes).kind).toBe('response');
    const store = encodeRequest(1, { type: 'STORE', record: { header, value: new Uint8Array(maxValueBytes) } });
    expect(decodeFrame(store).kind).toBe('request');
  });
});
