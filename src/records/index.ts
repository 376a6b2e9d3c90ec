/** Door of `records`: what a record is, which of two wins, how it is signed, and the ports of signing and storing. */
export { bytesEqual, compareBytes, copyBytes, fromHex, toHex, utf8Decode, utf8Encode } from './bytes.ts';
export {
  CborArray,
  CborWritable,
  decodeCbor,
  encodeCbor,
  writeArrayHead,
  writeByteStringHead,
  writeRaw,
} from './cbor.ts';
export { CELL_ID_BYTES, cellId, KEY_ID_BYTES } from './cell.ts';
export {
  type CellRange,
  cellRange,
  compareRanges,
  HEAD_BITS,
  headOf,
  headRange,
  isRangeBefore,
  isWithinRange,
  rangeAt,
  rangeContains,
} from './cell-range.ts';
export { type Key, type KeyClass, parseKey } from './key.ts';
export { cellPublisher, compareVersions, floorUntil, isRenewal, mergeRecords } from './merge.ts';
export {
  DEFAULT_NETWORK_CONSTANTS,
  DEFAULT_TTL_MS,
  NETWORK_NAME_PATTERN,
  type NetworkConstants,
} from './network-constants.ts';
export { PUBLIC_KEY_BYTES, parsePeerIdText, peerIdBytes, toPeerIdText } from './publisher.ts';
export {
  EMPTY_VALUE_HASH,
  type HeldRecord,
  hashValue,
  isLive,
  type RecordHeader,
  type SignedRecord,
} from './record.ts';
export {
  decodeHeldRecord,
  encodeHeldRecord,
  headerFromFields,
  headerToFields,
  type ParsedHeader,
} from './record-codec.ts';
export type { CellChange, MergeOutcome, RecordStore } from './record-store.ts';
export { REFUSAL_CODES, type RefusalReason, refusalFromCode } from './refusal.ts';
export { nextSeq, type SeqSources } from './seq-clock.ts';
export { encodeSignedHeader } from './signed-header.ts';
export { type RecordDraft, type Signer, signRecord, type Verifier, verifyHeader } from './signing.ts';
export { validateHeader } from './validate-header.ts';
