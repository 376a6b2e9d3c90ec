import { describe, expect, it } from 'vitest';
import { FrameReader } from '../../../src/network/frame-reader.ts';

const MAX = 5_000;

function framed(...frames: Uint8Array[]): Uint8Array {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(frame.length);
      return [prefix, frame];
    }),
  );
}

function frame(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (length + i) % 251);
}

/** Everything the reader has, copied, because views are good until the next call only. */
function readAll(reader: FrameReader): (number[] | 'oversize')[] {
  const frames: (number[] | 'oversize')[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    frames.push(next === 'oversize' ? next : [...next]);
    if (next === 'oversize') break;
  }
  return frames;
}

describe('FrameReader', () => {
  const frames = [0, 1, 3, 4, 5, 100, 1_500, MAX].map(frame);
  const expected = frames.map((bytes) => [...bytes]);

  it('cuts whole chunks, and the same bytes in chunks of any size', () => {
    const stream = framed(...frames);
    for (const size of [stream.length, 1, 2, 3, 4, 5, 7, 64, 1_000, 4_096]) {
      const reader = new FrameReader(MAX);
      const read: unknown[] = [];
      for (let at = 0; at < stream.length; at += size) {
        reader.push(stream.subarray(at, at + size));
        read.push(...readAll(reader));
      }
      expect(read).toEqual(expected);
      expect(reader.isInsideFrame).toBe(false);
    }
  });

  it('takes many chunks before it is asked', () => {
    const reader = new FrameReader(MAX);
    for (const byte of framed(...frames)) reader.push(Uint8Array.of(byte));
    expect(readAll(reader)).toEqual(expected);
    reader.push(framed(frame(2)));
    expect(readAll(reader)).toEqual([[...frame(2)]]);
  });

  it('knows that a frame has begun', () => {
    const reader = new FrameReader(MAX);
    reader.push(framed(frame(10)).subarray(0, 2));
    expect(reader.next()).toBe(undefined);
    expect(reader.isInsideFrame).toBe(true);
    reader.push(framed(frame(10)).subarray(2));
    expect(readAll(reader)).toHaveLength(1);
    expect(reader.isInsideFrame).toBe(false);
  });

  it('refuses a length over the limit as soon as its four bytes are there, however they come', () => {
    for (const length of [MAX + 1, 2 ** 30, 2 ** 32 - 1]) {
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(length);
      const whole = new FrameReader(MAX);
      whole.push(prefix);
      expect(readAll(whole)).toEqual(['oversize']);
      const byByte = new FrameReader(MAX);
      for (const byte of prefix) byByte.push(Uint8Array.of(byte));
      expect(readAll(byByte)).toEqual(['oversize']);
    }
  });

  it('holds what has arrived, not what was announced', () => {
    const reader = new FrameReader(2 ** 28);
    const before = process.memoryUsage().arrayBuffers;
    reader.push(Uint8Array.of(0x0f, 0xff, 0xff, 0xff, 1, 2, 3));
    expect(reader.next()).toBe(undefined);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});
