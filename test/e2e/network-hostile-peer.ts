/** A peer that speaks libp2p correctly and our protocol as a test wants it: raw bytes over a stream of its own host. */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Libp2p, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { encodeHello, type Hello, PROTOCOL_VERSION } from '../../src/kademlia/index.ts';
import { DEFAULT_NETWORK_CONSTANTS } from '../../src/records/index.ts';
import type { TestNode } from './network-nodes.ts';

export const HELLO: Hello = {
  protocolVersion: PROTOCOL_VERSION,
  constants: DEFAULT_NETWORK_CONSTANTS,
  mode: 'client',
  addresses: [],
  features: [],
  time: 0,
};

export class HostilePeer {
  readonly libp2p: Libp2p;

  constructor(libp2p: Libp2p) {
    this.libp2p = libp2p;
  }

  /** @param protocols answered by `onStream`; it listens then */
  static async start(onStream?: (stream: Stream) => void, protocol = '/nautilus/main/1'): Promise<HostilePeer> {
    const libp2p = await createLibp2p({
      addresses: { listen: onStream === undefined ? [] : ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      // Its window would grow with every message, and what it does not read with it.
      streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: 256 * 1024 } })],
      connectionMonitor: { enabled: false },
    });
    if (onStream !== undefined) await libp2p.handle(protocol, onStream);
    return new HostilePeer(libp2p);
  }

  async open(node: TestNode, protocol = '/nautilus/main/1'): Promise<Stream> {
    const connection = await this.libp2p.dial(multiaddr(node.address));
    return connection.newStream(protocol);
  }

  /** A stream after our HELLO, properly greeted. */
  async greet(node: TestNode): Promise<Stream> {
    const stream = await this.open(node);
    stream.send(framed(encodeHello(HELLO)));
    await node.until(() => node.transport.peers().length > 0);
    return stream;
  }

  async stop(): Promise<void> {
    await this.libp2p.stop();
  }
}

export function framed(...frames: Uint8Array[]): Uint8Array {
  return Buffer.concat(frames.flatMap((frame) => [lengthPrefix(frame.length), frame]));
}

export function lengthPrefix(length: number): Uint8Array {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(length);
  return prefix;
}

/** Resolves when the other side has ended the stream, one way or another. */
export function closed(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.status !== 'open' || stream.remoteWriteStatus === 'closed') resolve();
    stream.addEventListener('close', () => resolve());
    stream.addEventListener('remoteCloseWrite', () => resolve());
  });
}
