/**
 * Arrays as PostgreSQL takes them in binary (array_recv, array.h): one parameter for a column of a whole statement, without the hex and the
 * escapes of array literals, which double the bytes and cost most of the client's time.
 */
import { assert } from '../../core/index.ts';

/** Object ids of the element types (pg_type.dat): they never change. */
const BYTEA = 17;
const INT8 = 20;
const INT8_BYTES = 8;
const HEAD_BYTES = 20;

/** For a parameter written `$n::bytea[]`. */
export function byteaArray(items: readonly Uint8Array[]): Buffer {
  const array = open(
    BYTEA,
    items.length,
    items.reduce((sum, { length }) => sum + length, 0),
  );
  let offset = HEAD_BYTES;
  for (const item of items) {
    offset = array.writeInt32BE(item.length, offset);
    array.set(item, offset);
    offset += item.length;
  }
  return array;
}

/** For a parameter written `$n::int8[]`; whole numbers within ±(2^53 - 1). */
export function int8Array(items: readonly number[]): Buffer {
  const array = open(INT8, items.length, items.length * INT8_BYTES);
  let offset = HEAD_BYTES;
  for (const item of items) {
    assert(Number.isSafeInteger(item), 'a bigint column takes whole numbers up to 2^53 - 1');
    offset = array.writeInt32BE(INT8_BYTES, offset);
    offset = array.writeInt32BE(Math.floor(item / 2 ** 32), offset);
    offset = array.writeUInt32BE((item % 2 ** 32) >>> 0, offset);
  }
  return array;
}

/** One dimension from index 1 on, without nulls; an empty array is written with no element, which reads the same. */
function open(elementType: number, count: number, dataBytes: number): Buffer {
  const array = Buffer.allocUnsafe(HEAD_BYTES + count * 4 + dataBytes);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(0, 4);
  array.writeInt32BE(elementType, 8);
  array.writeInt32BE(count, 12);
  array.writeInt32BE(1, 16);
  return array;
}
