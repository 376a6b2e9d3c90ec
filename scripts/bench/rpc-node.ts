/** What both processes of rpc.ts share: our transport from the compiled code, and the plainest framing for the two baselines. */
import '../../src/platform/node20.ts';
import { createHash } from 'node:crypto';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';
import type * as Kademlia from '../../src/kademlia/index.ts';
import type * as Network from '../../src/network/index.ts';
import type * as Platform from '../../src/platform/index.ts';
import type * as Records from '../../src/records/index.ts';

/** The compiled rooms: what users run. tsx would measure its own transformation. */
async function built<Room>(room: string): Promise<Room> {
  return (await import(new URL(`../../dist/src/${room}/index.js`, import.meta.url).href)) as Room;
}

export const kademlia = await built<typeof Kademlia>('kademlia');
const { createLibp2pTransport, LOOPBACK_NETWORK_LIMITS } = await built<typeof Network>('network');
const { systemClock } = await built<typeof Platform>('platform');
const { DEFAULT_NETWORK_CONSTANTS } = await built<typeof Records>('records');

export const PER_STREAM_PROTOCOL = '/nautilus-bench/stream-per-request/1';

export const REQUEST: Kademlia.Request = { type: 'FIND_NODE', target: createHash('sha256').update('target').digest() };
/** Nine contacts with a typical address: about 0.6 kB on the wire. */
const ANSWER: Kademlia.Response = { type: 'FIND_NODE', closer: Array.from({ length: 9 }, (_, i) => contact(i)) };

function contact(i: number): Kademlia.Contact {
  const publicKey = new Uint8Array(createHash('sha256').update(`contact ${i}`).digest());
  return kademlia.createContact(publicKey, [`/ip4/203.0.113.${i}/tcp/${4801 + i}`]);
}

export async function createRpcNode(privateKey: Uint8Array): Promise<Network.Libp2pTransport> {
  const transport = await createLibp2pTransport({
    privateKey,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    constants: { ...DEFAULT_NETWORK_CONSTANTS, network: 'bench' },
    mode: 'server',
    clock: systemClock,
    observer: { notify: () => undefined },
    limits: LOOPBACK_NETWORK_LIMITS,
  });
  await transport.start({
    onPeerConnected: () => undefined,
    onPeerChanged: () => undefined,
    onPeerDisconnected: () => undefined,
    onRequest: async () => ANSWER,
  });
  return transport;
}

/** The host of the stream-per-request baseline: libp2p as it comes, without services. */
export function createPlainHost(listen: readonly string[]): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: [...listen] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  });
}

/** Decodes a request as the transport does, and makes the framed answer. */
export function toAnswer(frame: Uint8Array): Uint8Array {
  const decoded = kademlia.decodeFrame(frame);
  if (decoded.kind !== 'request') throw new Error(`not a request: ${decoded.kind}`);
  return withLength(kademlia.encodeResponse(decoded.requestId, ANSWER));
}

export function withLength(frame: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(4 + frame.length);
  framed.writeUInt32BE(frame.length);
  framed.set(frame, 4);
  return framed;
}

export type FrameHandler = (frame: Uint8Array) => void;

/** Calls `onFrame` with every whole frame of the chunks that `subscribe` passes on. */
export function onFrames(subscribe: (listener: (chunk: Uint8Array) => void) => void, onFrame: FrameHandler): void {
  let rest: Uint8Array = new Uint8Array(0);
  subscribe((chunk) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (bytes.length >= 4) {
      const end = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      if (bytes.length < end) break;
      onFrame(bytes.subarray(4, end));
      bytes = bytes.subarray(end);
    }
    rest = bytes;
  });
}
