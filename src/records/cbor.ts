/**
 * General CBOR for the wire and the disk (never under a signature, see signed-header.ts). What this build writes is a small part of the
 * format: natural numbers (large ones as float64), byte and text strings, arrays, booleans, null. Bytes from outside must be one well-formed
 * item of that part before anything is made of them: a length field allocates nothing, and nesting is bounded. By hand, as encode-cbor.ts, and
 * so that a list which is compared with what is known already need not be decoded (`CborArray`).
 */
import { utf8Decode } from './bytes.ts';

export { CborWritable, encodeCbor, writeArrayHead, writeByteStringHead, writeRaw } from './encode-cbor.ts';

/** Deepest nesting of arrays this build writes is 5. */
const MAX_DEPTH = 8;
/** Texts up to this length are put together from their characters; a decoder takes longer to start. */
const SHORT_TEXT = 128;

const MAJOR_NATURAL = 0;
const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;
const MAJOR_SIMPLE = 7;
const FALSE = 20;
const TRUE = 21;
const NULL = 22;
const FLOAT64 = 27;

/** Undefined for anything that is not one well-formed item of the part above. Byte strings are views of `bytes`. */
export function decodeCbor(bytes: Uint8Array): { readonly value: unknown } | undefined {
  if (itemEnd(bytes, 0, 0) !== bytes.length) return undefined;
  position = 0;
  return { value: readItem(bytes) };
}

/** A well-formed array that is still encoded: its elements are taken one after the other. */
export class CborArray {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly #first: number;
  #taken = 0;
  #offset: number;

  /** @param start where an array begins that was checked */
  private constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    position = start;
    this.length = readArgument(bytes, readInfo(bytes));
    this.#first = position;
    this.#offset = position;
  }

  /** Undefined when the bytes are not exactly one well-formed array. */
  static parse(bytes: Uint8Array): CborArray | undefined {
    const isArray = bytes.length > 0 && bytes[0]! >> 5 === MAJOR_ARRAY;
    return isArray && itemEnd(bytes, 0, 0) === bytes.length ? new CborArray(bytes, 0) : undefined;
  }

  /** Where the next element begins in `bytes`. */
  get offset(): number {
    return this.#offset;
  }

  /** Takes the next element; undefined when there is none. */
  next(): unknown {
    if (this.#taken === this.length) return undefined;
    this.#taken++;
    position = this.#offset;
    const item = readItem(this.bytes);
    this.#offset = position;
    return item;
  }

  /** Takes the next element without decoding it, by who knows its bytes: so many. */
  skip(byteLength: number): void {
    this.#taken++;
    this.#offset += byteLength;
  }

  /** All elements from the first on. @param encoded index of one that stays as it is if it is an array */
  toArray(encoded = -1): unknown[] {
    this.#taken = 0;
    this.#offset = this.#first;
    const items: unknown[] = [];
    for (let i = 0; i < this.length; i++) items.push(i === encoded ? this.#nextEncoded() : this.next());
    return items;
  }

  #nextEncoded(): unknown {
    const { bytes } = this;
    const start = this.#offset;
    if (bytes[start]! >> 5 !== MAJOR_ARRAY) return this.next();
    this.skip(itemEnd(bytes, start, 0) - start);
    return new CborArray(bytes, start);
  }
}

/** Offset behind the item at `start`, or -1 if it is malformed, truncated or outside the part of CBOR we write. */
function itemEnd(bytes: Uint8Array, start: number, depth: number): number {
  const initial = bytes[start];
  if (initial === undefined || depth > MAX_DEPTH) return -1;
  const major = initial >> 5;
  const info = initial & 0x1f;
  if (major === MAJOR_SIMPLE) {
    if (info >= FALSE && info <= NULL) return start + 1;
    return info === FLOAT64 && start + 9 <= bytes.length ? start + 9 : -1;
  }
  if (major !== MAJOR_NATURAL && major !== MAJOR_BYTES && major !== MAJOR_TEXT && major !== MAJOR_ARRAY) return -1;
  if (info > 26) return -1; // 8-byte arguments, reserved and indefinite forms
  const headBytes = info < 24 ? 1 : 1 + (1 << (info - 24));
  if (start + headBytes > bytes.length) return -1;
  let argument = info < 24 ? info : 0;
  for (let i = 1; i < headBytes; i++) argument = argument * 256 + (bytes[start + i] as number);
  let end = start + headBytes;
  if (major === MAJOR_NATURAL) return end;
  if (major !== MAJOR_ARRAY) return end + argument <= bytes.length ? end + argument : -1;
  // Every element takes at least a byte, so the count is bounded before anybody allocates for it.
  if (argument > bytes.length - end) return -1;
  for (let i = 0; i < argument && end !== -1; i++) end = itemEnd(bytes, end, depth + 1);
  return end;
}

/** What is read next, in bytes that `itemEnd` has checked. */
let position = 0;
const float = new DataView(new ArrayBuffer(8));

function readItem(bytes: Uint8Array): unknown {
  const major = bytes[position]! >> 5;
  const info = readInfo(bytes);
  if (major === MAJOR_SIMPLE) return info === FLOAT64 ? readFloat(bytes) : info === NULL ? null : info === TRUE;
  const argument = readArgument(bytes, info);
  if (major === MAJOR_NATURAL) return argument;
  if (major === MAJOR_ARRAY) {
    const items: unknown[] = [];
    for (let i = 0; i < argument; i++) items.push(readItem(bytes));
    return items;
  }
  const string = bytes.subarray(position, position + argument);
  position += argument;
  return major === MAJOR_BYTES ? string : toText(string);
}

function readInfo(bytes: Uint8Array): number {
  return bytes[position++]! & 0x1f;
}

function readArgument(bytes: Uint8Array, info: number): number {
  if (info < 24) return info;
  let argument = 0;
  for (let i = 1 << (info - 24); i > 0; i--) argument = argument * 256 + bytes[position++]!;
  return argument;
}

function readFloat(bytes: Uint8Array): number {
  for (let i = 0; i < 8; i++) float.setUint8(i, bytes[position++]!);
  return float.getFloat64(0);
}

function toText(bytes: Uint8Array): string {
  if (bytes.length > SHORT_TEXT) return utf8Decode(bytes);
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! >= 0x80) return utf8Decode(bytes);
  return String.fromCharCode(...bytes);
}
