/** What the samples of codec.test.ts do not show: each bound of the messages between holders, at it and one beyond. */
import { describe, expect, it } from 'vitest';
import {
  type CellVersion,
  DIGEST_BYTES,
  decodeFrame,
  encodeRequest,
  encodeResponse,
  MAX_FRAME_BYTES,
  MAX_RANGES,
  MAX_RECORDS,
  MAX_SYNC_CELLS,
  RECORDS_BUDGET_BYTES,
  recordBytes,
} from '../../../src/kademlia/index.ts';
import {
  type CellRange,
  cellRange,
  DEFAULT_NETWORK_CONSTANTS,
  decodeCbor,
  encodeCbor,
  type HeldRecord,
  headerToFields,
  type RecordHeader,
} from '../../../src/records/index.ts';
import { encodeSample, HEADER, SAMPLE_FRAMES } from './sample-frames.ts';

/** A valid frame with one element exchanged. */
function withElement(name: string, index: number, element: unknown): Uint8Array {
  const fields = decodeCbor(encodeSample(SAMPLE_FRAMES[name]!))?.value as unknown[];
  return encodeCbor(fields.with(index, element));
}

/** Any bytes as ranges, checked by nobody. */
const fetchOf = (prefixes: readonly number[], bits: readonly unknown[]) =>
  decodeFrame(encodeCbor([1, 1, 6, Uint8Array.from(prefixes), bits, true, null]));

/** 32 bytes that begin with a number, so that higher numbers come later. */
function idOf(number: number, length = 32): Uint8Array {
  const id = new Uint8Array(length);
  new DataView(id.buffer).setUint32(0, number);
  return id;
}

const ranges = (count: number): CellRange[] => Array.from({ length: count }, (_, i) => cellRange(idOf(i), 256));

const headerOf = (publisher: number): RecordHeader => ({ ...HEADER, publisher: idOf(publisher) });
const headers = (count: number): HeldRecord[] =>
  Array.from({ length: count }, (_, i) => ({ header: headerOf(i), value: undefined }));
const recordFields = ({ header, value }: HeldRecord) => [headerToFields(header), value ?? null];

const versions = (count: number, first = 0): CellVersion[] =>
  Array.from({ length: count }, (_, i) => ({
    cellId: idOf(first + i, 64),
    seq: HEADER.seq,
    expiresAt: HEADER.expiresAt,
    deleted: false,
    valueHash: HEADER.valueHash,
  }));

/** The wire form of one part of a SYNC answer. */
function cellFields(cells: readonly CellVersion[]): unknown[] {
  const joined = new Uint8Array(cells.length * 96);
  for (const [i, cell] of cells.entries()) {
    joined.set(cell.cellId, i * 96);
    joined.set(cell.valueHash, i * 96 + 64);
  }
  return [
    joined,
    cells.map((cell) => cell.seq),
    cells.map((cell) => cell.expiresAt),
    cells.map((cell) => cell.deleted),
  ];
}

describe('ranges on the wire', () => {
  const broken = { kind: 'invalid', reason: 'fetch ranges' };

  it('may be neighbours, and as small as one cell', () => {
    expect(fetchOf([0b0000_0000, 0b1000_0000], [1, 1])).toMatchObject({
      request: { ranges: [cellRange(Uint8Array.of(0), 1), cellRange(Uint8Array.of(0x80), 1)] },
    });
    expect(fetchOf(Array(64).fill(7), [512])).toMatchObject({ request: { ranges: [{ bits: 512 }] } });
  });

  it('ascend', () => {
    expect(fetchOf([0x80, 0x00], [1, 1])).toEqual(broken);
    expect(fetchOf([0x12, 0x34, 0x12, 0x33], [16, 16])).toEqual(broken);
  });

  it('do not overlap: not twice the same, not one within another, whichever comes first', () => {
    expect(fetchOf([0x80, 0x80], [1, 1])).toEqual(broken);
    expect(fetchOf([0x80, 0xc0], [1, 2])).toEqual(broken);
    expect(fetchOf([0xc0, 0x80], [2, 1])).toEqual(broken);
    expect(fetchOf([0x80, 0x80], [1, 8])).toEqual(broken);
    expect(fetchOf([0x80, 0x80], [8, 1])).toEqual(broken);
    expect(fetchOf([0x80], [0, 1])).toEqual(broken);
  });

  it('have one form each: spare bits are 0', () => {
    expect(fetchOf([0b1010_0000], [3]).kind).toBe('request');
    expect(fetchOf([0b1010_0001], [3])).toEqual(broken);
    expect(fetchOf([0b1011_0000], [3])).toEqual(broken);
  });

  it('use all bytes and no others', () => {
    expect(fetchOf([0x12, 0x34], [8])).toEqual(broken);
    expect(fetchOf([0x12], [9])).toEqual(broken);
    expect(fetchOf([], [])).toEqual(broken);
  });

  it('are no longer than a cell id', () => {
    expect(fetchOf(Array(65).fill(0), [513])).toEqual(broken);
    expect(fetchOf([0x12], ['8'])).toEqual(broken);
    expect(fetchOf([0x12], [7.5])).toEqual(broken);
  });

  it('are at most MAX_RANGES', () => {
    const request = (count: number) =>
      encodeRequest(1, { type: 'FETCH', ranges: ranges(count), withValues: true, after: undefined });
    expect(decodeFrame(request(MAX_RANGES))).toMatchObject({ kind: 'request', request: { ranges: { length: 512 } } });
    expect(() => request(MAX_RANGES + 1)).toThrow('MAX_RANGES');
    const bits = Array(MAX_RANGES + 1).fill(16);
    const prefixes = bits.flatMap((_, i) => [i >> 8, i & 0xff]);
    expect(fetchOf(prefixes, bits)).toEqual(broken);
    expect(fetchOf(prefixes.slice(0, 2 * MAX_RANGES), bits.slice(1)).kind).toBe('request');
  });

  it('are never sent in disorder', () => {
    const send = (list: CellRange[]) => () =>
      encodeRequest(1, { type: 'SYNC', ranges: list, digests: new Uint8Array(DIGEST_BYTES), settled: false });
    expect(send(ranges(2).reverse())).toThrow('ascend');
    expect(send([cellRange(idOf(0), 0), ...ranges(1)])).toThrow('ascend');
    expect(send([])).toThrow('1 to MAX_RANGES');
  });
});

describe('answers to SYNC', () => {
  const answer = (parts: unknown[]) => decodeFrame(encodeCbor([2, 1, 5, parts, true]));

  it('list MAX_SYNC_CELLS cells over all parts and not one more', () => {
    const half = cellFields(versions(MAX_SYNC_CELLS / 2));
    expect(answer([cellFields(versions(MAX_SYNC_CELLS))]).kind).toBe('response');
    expect(answer([half, null, half]).kind).toBe('response');
    expect(answer([cellFields(versions(MAX_SYNC_CELLS + 1))])).toEqual({ kind: 'invalid', reason: 'sync parts' });
    expect(answer([half, half, cellFields(versions(1))])).toEqual({ kind: 'invalid', reason: 'sync parts' });
  });

  it('list the cells of a part in their order, none twice', () => {
    const [first, second] = versions(2) as [CellVersion, CellVersion];
    expect(answer([cellFields([first, second])]).kind).toBe('response');
    expect(answer([cellFields([second, first])]).kind).toBe('invalid');
    expect(answer([cellFields([first, first])]).kind).toBe('invalid');
  });

  it('have at most MAX_RANGES parts', () => {
    expect(answer(Array(MAX_RANGES).fill(null)).kind).toBe('response');
    expect(answer(Array(MAX_RANGES + 1).fill(null))).toEqual({ kind: 'invalid', reason: 'sync parts' });
  });

  it('fit a frame when they are as large as they may be', () => {
    const filler = Array.from({ length: MAX_RANGES - 1 }, () => ({
      kind: 'differs' as const,
      digest: new Uint8Array(DIGEST_BYTES),
    }));
    const cells = versions(MAX_SYNC_CELLS);
    const bytes = encodeResponse(1, { type: 'SYNC', parts: [...filler, { kind: 'cells', cells }], settled: true });
    expect(bytes.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    expect(decodeFrame(bytes).kind).toBe('response');
    expect(() =>
      encodeResponse(1, { type: 'SYNC', parts: [{ kind: 'cells', cells: versions(1_025) }], settled: true }),
    ).toThrow('MAX_SYNC_CELLS');
  });
});

describe('records in frames', () => {
  const later = [[2, 'of', 'the', 'future'], null];
  const [first, second] = headers(2) as [HeldRecord, HeldRecord];
  const handOff = (list: unknown[]) => decodeFrame(withElement('hand-off request', 3, list));
  const fetched = (list: unknown[], more = false) => decodeFrame(encodeCbor([2, 1, 6, list, more]));

  it('leave the reason in the place of one that cannot be taken, and the others where they were', () => {
    const unnamed = [headerToFields(HEADER).with(1, '@nobody/x'), null];
    const large = [headerToFields(HEADER), new Uint8Array(DEFAULT_NETWORK_CONSTANTS.maxValueBytes + 1)];
    expect(handOff([later, recordFields(first), unnamed, large, recordFields(second)])).toMatchObject({
      request: { records: ['UNSUPPORTED_VERSION', first, 'MALFORMED', 'TOO_LARGE', second] },
    });
  });

  it('are sent as records, never as reasons', () => {
    expect(() => encodeRequest(1, { type: 'HAND_OFF', records: [first, 'MALFORMED'] })).toThrow('not reasons');
  });

  it('are read without those of a later build in an answer to FETCH, unless nothing is left to go on behind', () => {
    expect(fetched([recordFields(first), later, recordFields(second), later], true)).toMatchObject({
      response: { records: [first, second], more: true },
    });
    expect(fetched([later])).toMatchObject({ response: { records: [], more: false } });
    expect(fetched([later], true)).toEqual({ kind: 'invalid', reason: 'fetch without end' });
    expect(() => encodeResponse(1, { type: 'FETCH', records: [], more: true })).toThrow('gets on');
  });

  it('make an answer to FETCH invalid when one is malformed, too large or out of order', () => {
    const large = { header: second.header, value: new Uint8Array(DEFAULT_NETWORK_CONSTANTS.maxValueBytes + 1) };
    expect(fetched([[headerToFields(HEADER).slice(0, 7), null]])).toEqual({ kind: 'invalid', reason: 'fetch records' });
    expect(fetched([recordFields(first), recordFields(large)])).toEqual({ kind: 'invalid', reason: 'fetch records' });
    expect(fetched([recordFields(second), recordFields(first)])).toEqual({ kind: 'invalid', reason: 'fetch order' });
    expect(fetched([recordFields(first), recordFields(first)])).toEqual({ kind: 'invalid', reason: 'fetch order' });
  });

  it('are at most MAX_RECORDS', () => {
    const most = headers(MAX_RECORDS);
    const tooMany = headers(MAX_RECORDS + 1);
    expect(handOff(most.map(recordFields)).kind).toBe('request');
    expect(handOff(tooMany.map(recordFields))).toEqual({ kind: 'invalid', reason: 'hand-off records' });
    expect(fetched(most.map(recordFields)).kind).toBe('response');
    expect(fetched(tooMany.map(recordFields))).toEqual({ kind: 'invalid', reason: 'fetch records' });
    expect(() => encodeRequest(1, { type: 'HAND_OFF', records: tooMany })).toThrow('MAX_RECORDS');
    expect(() => encodeResponse(1, { type: 'FETCH', records: tooMany, more: false })).toThrow();
    const answers = (count: number) => decodeFrame(encodeCbor([2, 1, 7, Array(count).fill(0)]));
    expect(answers(MAX_RECORDS)).toMatchObject({ response: { refusals: { length: MAX_RECORDS } } });
    expect(answers(MAX_RECORDS + 1)).toEqual({ kind: 'invalid', reason: 'hand-off answer' });
  });

  it('take no more bytes than recordBytes says, so that a frame within the budget fits', () => {
    const { maxKeyBytes, maxValueBytes } = DEFAULT_NETWORK_CONSTANTS;
    const long = { ...HEADER, key: { ...HEADER.key, text: 'ü'.repeat(maxKeyBytes / 2) } };
    const samples: HeldRecord[] = [
      first,
      { header: { ...HEADER, seq: Number.MAX_SAFE_INTEGER, expiresAt: Number.MAX_SAFE_INTEGER }, value: undefined },
      { header: long, value: new Uint8Array(maxValueBytes) },
    ];
    const bytesOf = (records: HeldRecord[]) => encodeRequest(1, { type: 'HAND_OFF', records }).length;
    for (const record of samples) {
      const actual = bytesOf([record, record]) - bytesOf([record]);
      expect(actual).toBeLessThanOrEqual(recordBytes(record));
      expect(actual).toBeGreaterThan(recordBytes(record) - 32);
    }
    expect(recordBytes(samples[2]!)).toBeLessThan(RECORDS_BUDGET_BYTES);
    expect(RECORDS_BUDGET_BYTES).toBeLessThan(MAX_FRAME_BYTES - 1_024);
  });

  it('keep a refusal a refusal when its reason comes from a later build', () => {
    expect(decodeFrame(withElement('hand-off response', 3, [0, 999]))).toMatchObject({
      response: { refusals: [undefined, 'UNSUPPORTED_VERSION'] },
    });
  });
});
