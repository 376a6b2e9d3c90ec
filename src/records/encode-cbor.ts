/**
 * The writing half of cbor.ts: numbers (integers of 32 bits, others as float64), text, byte strings, arrays, booleans, null; heads in their
 * shortest form. By hand, because contact lists dominate the wire and a general library spends half of their time on what they do not have: it moves
 * every text of 24 to 31 characters, the usual address, by a byte to make room for its head.
 */
import { assert } from '../core/index.ts';
import { utf8Encode } from './bytes.ts';

/** Frames share buffers of this size: to allocate one for each would cost as much as to write it. A small frame that is kept, keeps its buffer. */
const BUFFER_BYTES = 8 * 1024;
/** The longest head, and the longest number. */
const MAX_HEAD_BYTES = 9;

const MAJOR_NATURAL = 0x00;
const MAJOR_NEGATIVE = 0x20;
const MAJOR_BYTES = 0x40;
const MAJOR_TEXT = 0x60;
const MAJOR_ARRAY = 0x80;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const FLOAT64 = 0xfb;

// BOUNDED: BUFFER_BYTES, or the one item that is longer. What was written before `start` belongs to others.
let buffer = new Uint8Array(BUFFER_BYTES);
let view = new DataView(buffer.buffer);
let start = 0;
let end = 0;

/** A value that would have to be put together only to be written: it writes itself, as one item, with the functions below. */
export abstract class CborWritable {
  abstract write(): void;
}

/** A view of a buffer it shares with other items: nobody else ever writes to these bytes. */
export function encodeCbor(value: unknown): Uint8Array {
  end = start;
  write(value);
  const item = buffer.subarray(start, end);
  start = end;
  return item;
}

function write(value: unknown): void {
  reserve(MAX_HEAD_BYTES);
  if (typeof value === 'number') writeNumber(value);
  else if (typeof value === 'string') writeText(value);
  else if (value instanceof Uint8Array) writeBytes(MAJOR_BYTES, value);
  else if (Array.isArray(value)) {
    writeHead(MAJOR_ARRAY, value.length);
    for (let i = 0; i < value.length; i++) write(value[i]);
  } else if (value === null) buffer[end++] = NULL;
  else if (value instanceof CborWritable) value.write();
  else {
    assert(typeof value === 'boolean', 'only what cbor.ts names is written');
    buffer[end++] = value ? TRUE : FALSE;
  }
}

/** As many items must follow. For a `CborWritable`. */
export function writeArrayHead(length: number): void {
  reserve(MAX_HEAD_BYTES);
  writeHead(MAJOR_ARRAY, length);
}

/** As many bytes must follow. For a `CborWritable`. */
export function writeByteStringHead(length: number): void {
  reserve(MAX_HEAD_BYTES);
  writeHead(MAJOR_BYTES, length);
}

/** What is encoded already, or part of a byte string: `bytes` from `from` up to `to`. For a `CborWritable`. */
export function writeRaw(bytes: Uint8Array, from: number, to: number): void {
  reserve(to - from);
  const target = buffer;
  let offset = end;
  for (let i = from; i < to; i++) target[offset++] = bytes[i]!; // pieces are short: set() would need a view of each
  end = offset;
}

function writeNumber(value: number): void {
  if (value >>> 0 === value) {
    writeHead(MAJOR_NATURAL, value);
    return;
  }
  if (value >> 0 === value) {
    writeHead(MAJOR_NEGATIVE, -1 - value);
    return;
  }
  buffer[end] = FLOAT64;
  view.setFloat64(end + 1, value);
  end += 9;
}

/** As ASCII, which nearly all is; from the beginning again if it is not. */
function writeText(text: string): void {
  const { length } = text;
  reserve(length + MAX_HEAD_BYTES);
  const before = end;
  writeHead(MAJOR_TEXT, length);
  const target = buffer;
  const offset = end;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) {
      end = before;
      writeBytes(MAJOR_TEXT, utf8Encode(text));
      return;
    }
    target[offset + i] = code;
  }
  end = offset + length;
}

function writeBytes(major: number, bytes: Uint8Array): void {
  reserve(bytes.length + MAX_HEAD_BYTES);
  writeHead(major, bytes.length);
  buffer.set(bytes, end);
  end += bytes.length;
}

/** `argument` below 2^32. */
function writeHead(major: number, argument: number): void {
  if (argument < 24) buffer[end++] = major | argument;
  else if (argument < 0x100) {
    buffer[end++] = major | 24;
    buffer[end++] = argument;
  } else if (argument < 0x1_0000) {
    buffer[end++] = major | 25;
    buffer[end++] = argument >> 8;
    buffer[end++] = argument;
  } else {
    buffer[end++] = major | 26;
    view.setUint32(end, argument);
    end += 4;
  }
}

/** Room for so many bytes more: what this item has so far moves to a new buffer when there is none. */
function reserve(bytes: number): void {
  if (end + bytes <= buffer.length) return;
  const written = end - start;
  const next = new Uint8Array(Math.max(BUFFER_BYTES, 2 * (written + bytes)));
  next.set(buffer.subarray(start, end));
  buffer = next;
  view = new DataView(next.buffer);
  start = 0;
  end = written;
}
