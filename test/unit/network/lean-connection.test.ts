import type { MessageStream, StreamMuxerFactory } from '@libp2p/interface';
import { describe, expect, it } from 'vitest';
import { withholdWindowUpdates } from '../../../src/network/lean-connection.ts';

/** yamux spec: version, type, flags, stream id, length. */
function frame(type: number, flags: number, streamId: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes[1] = type;
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt32BE(streamId, 4);
  bytes.writeUInt32BE(length, 8);
  return bytes;
}

const update = (streamId: number, length: number) => frame(1, 0, streamId, length);

/** What a muxer writes through the wrapper, and what comes out below it. */
function wrapped(thresholdBytes: number) {
  const sent: number[][] = [];
  const connection = {
    writableNeedsDrain: false,
    send(data: Uint8Array) {
      const bytes = Buffer.from(data);
      sent.push([bytes.readUInt16BE(0), bytes.readUInt16BE(2), bytes.readUInt32BE(4), bytes.readUInt32BE(8)]);
      return true;
    },
  } as unknown as MessageStream;
  const factory = { createStreamMuxer: (inner: MessageStream) => inner } as unknown as StreamMuxerFactory;
  const muxer = withholdWindowUpdates(() => factory, thresholdBytes)(undefined).createStreamMuxer(connection as never);
  return { sent, connection, muxer: muxer as unknown as MessageStream };
}

describe('withholdWindowUpdates', () => {
  it('adds updates up per stream and sends the sum when it reaches the threshold', () => {
    const { sent, muxer } = wrapped(100);
    for (const [streamId, length] of [
      [1, 40],
      [3, 60],
      [1, 59],
      [1, 1],
      [3, 39],
      [3, 70],
      [1, 500],
    ] as const) {
      expect(muxer.send(update(streamId, length))).toBe(true);
    }
    expect(sent).toEqual([
      [1, 0, 1, 100],
      [1, 0, 3, 169],
      [1, 0, 1, 500],
    ]);
  });

  it('lets everything else through at once: data, pings, and updates that open, end or reset a stream', () => {
    const { sent, muxer } = wrapped(100);
    const frames = [
      frame(0, 0, 1, 5),
      frame(2, 1, 0, 7),
      frame(3, 0, 0, 0),
      ...[1, 2, 4, 8].map((flag) => frame(1, flag, 1, 10)),
    ];
    for (const each of frames) muxer.send(each);
    expect(sent).toHaveLength(frames.length);
  });

  it('withholds for sixteen streams at most, and loses no byte of window', () => {
    const { sent, muxer } = wrapped(100);
    for (let streamId = 1; streamId <= 40; streamId++) muxer.send(update(streamId, 10));
    for (let streamId = 1; streamId <= 40; streamId++) muxer.send(update(streamId, 90));
    const window = new Map<number, number>();
    for (const [, , streamId = 0, length = 0] of sent) window.set(streamId, (window.get(streamId) ?? 0) + length);
    const withheld = Array.from({ length: 40 }, (_, i) => 100 - (window.get(i + 1) ?? 0)).filter((bytes) => bytes > 0);
    expect(withheld.length).toBeLessThanOrEqual(16);
    expect(Math.max(...withheld)).toBeLessThan(100);
  });

  it('says so when the connection is full', () => {
    const { connection, muxer } = wrapped(100);
    connection.writableNeedsDrain = true;
    expect(muxer.send(update(1, 10))).toBe(false);
  });
});
