/**
 * Fewer system calls and noise records per request, by wrapping what libp2p passes between its layers (public interfaces, nothing on the wire that
 * yamux or noise forbid). Plain libp2p writes a record as two chunks, its length and its content, and answers every data frame with a record that
 * holds only a window update: eight writes for one request and its answer. With both wrappers it is two.
 */
import type { ConnectionEncrypter, MessageStream, StreamMuxerFactory } from '@libp2p/interface';

/** Every message to the socket as one chunk, so one write and, if it fits, one packet. */
export function joinWrites<Components>(
  create: (components: Components) => ConnectionEncrypter,
): (components: Components) => ConnectionEncrypter {
  return (components) => {
    const encrypter = create(components);
    const secureInbound = encrypter.secureInbound.bind(encrypter);
    const secureOutbound = encrypter.secureOutbound.bind(encrypter);
    encrypter.secureInbound = (connection, options) => secureInbound(joined(connection), options);
    encrypter.secureOutbound = (connection, options) => secureOutbound(joined(connection), options);
    return encrypter;
  };
}

function joined<Connection extends MessageStream>(connection: Connection): Connection {
  const send = connection.send.bind(connection);
  connection.send = (data) => send(data.subarray());
  return connection;
}

/** Window updates wait until they are worth a message: never more than `thresholdBytes`, a part of the window, is withheld from the sender. */
export function withholdWindowUpdates<Components>(
  create: (components: Components) => StreamMuxerFactory,
  thresholdBytes: number,
): (components: Components) => StreamMuxerFactory {
  return (components) => {
    const factory = create(components);
    const createStreamMuxer = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => createStreamMuxer(withholding(connection, thresholdBytes));
    return factory;
  };
}

/** yamux spec: version 0, type, flags (16 bits), stream id (32), length (32). */
const HEADER_BYTES = 12;
const WINDOW_UPDATE = 1;
/** Streams of one connection whose updates are withheld; ids are never used again. */
const MAX_WITHHELD = 16;

function withholding<Connection extends MessageStream>(connection: Connection, thresholdBytes: number): Connection {
  const send = connection.send.bind(connection);
  // BOUNDED: MAX_WITHHELD; over it the oldest is sent after all. (To a stream that is gone: the peer ignores it.)
  const withheld = new Map<number, Uint8Array>();
  connection.send = (data) => {
    if (!(data instanceof Uint8Array) || !isPlainUpdate(data)) return send(data);
    const streamId = readUint32(data, 4);
    const before = withheld.get(streamId);
    if (before !== undefined) {
      withheld.delete(streamId);
      writeUint32(data, 8, readUint32(data, 8) + readUint32(before, 8));
    }
    if (readUint32(data, 8) >= thresholdBytes) return send(data);
    withheld.set(streamId, data);
    if (withheld.size <= MAX_WITHHELD) return !connection.writableNeedsDrain;
    const [oldestId, oldest] = withheld.entries().next().value!;
    withheld.delete(oldestId);
    return send(oldest);
  };
  return connection;
}

/** Without flags: SYN, ACK, FIN and RST travel as updates too. */
function isPlainUpdate(data: Uint8Array): boolean {
  return data.length === HEADER_BYTES && data[1] === WINDOW_UPDATE && data[2] === 0 && data[3] === 0;
}

function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
