/**
 * Warm requests between two processes over our transport, beside a libp2p stream per request and raw TCP, all in one run with one codec: requests
 * per second and CPU of both ends per request, one at a time and 64 in flight. Answers have 0.6 kB. Needs a build. Usage: npm run bench:rpc
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { multiaddr } from '@multiformats/multiaddr';
import {
  createPlainHost,
  createRpcNode,
  kademlia,
  onFrames,
  PER_STREAM_PROTOCOL,
  REQUEST,
  withLength,
} from './rpc-node.ts';

const WARM_UP_MS = 1_000;
const CELL_MS = 1_500;
const IN_FLIGHT = 64;
const GOAL_PER_SECOND = 10_000;
const GOAL_CPU_US = 100;

/** Where the other process listens. */
interface Ready {
  readonly address: string;
  readonly plainAddress: string;
  readonly port: number;
}

type Ask = () => Promise<unknown>;

interface Cell {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const peer = fork(fileURLToPath(new URL('rpc-peer.ts', import.meta.url)));
try {
  const [ready] = (await once(peer, 'message')) as [Ready];
  const rows: { name: string; sequential: Cell; parallel: Cell }[] = [];
  for (const [name, open] of Object.entries({
    'raw TCP': overTcp,
    'stream per request': overStreams,
    nautilus: overTransport,
  })) {
    const { ask, close } = await open(ready);
    await measure(ask, IN_FLIGHT, WARM_UP_MS);
    rows.push({ name, sequential: await measure(ask, 1, CELL_MS), parallel: await measure(ask, IN_FLIGHT, CELL_MS) });
    await close();
  }
  report(rows);
} finally {
  peer.disconnect();
}

async function measure(ask: Ask, inFlight: number, durationMs: number): Promise<Cell> {
  const times: number[] = [];
  const before = await cpuOfBothUs(peer);
  const startedAt = performance.now();
  const worker = async () => {
    for (let now = performance.now(); now - startedAt < durationMs; ) {
      await ask();
      const end = performance.now();
      times.push(end - now);
      now = end;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const elapsedMs = performance.now() - startedAt;
  const cpuUs = ((await cpuOfBothUs(peer)) - before) / times.length;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * times.length)] ?? Number.NaN;
  return { perSecond: (times.length / elapsedMs) * 1000, cpuUs, p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function cpuOfBothUs(other: ChildProcess): Promise<number> {
  other.send('cpu');
  const [theirs] = (await once(other, 'message')) as [NodeJS.CpuUsage];
  const own = process.cpuUsage();
  return own.user + own.system + theirs.user + theirs.system;
}

interface Way {
  readonly ask: Ask;
  close(): Promise<void>;
}

async function overTransport({ address }: Ready): Promise<Way> {
  const transport = await createRpcNode(randomBytes(32));
  const { contact } = await transport.connect(address, { timeoutMs: 10_000 });
  return {
    ask: () => transport.request(contact, REQUEST, { timeoutMs: 10_000 }),
    close: () => transport.stop(),
  };
}

/** As libp2p's own DHT does it: negotiate a protocol for every request. */
async function overStreams({ plainAddress }: Ready): Promise<Way> {
  const host = await createPlainHost([]);
  const connection = await host.dial(multiaddr(plainAddress));
  const request = withLength(kademlia.encodeRequest(1, REQUEST));
  const ask = async () => {
    const stream = await connection.newStream(PER_STREAM_PROTOCOL, { maxOutboundStreams: 1_000 });
    await new Promise<void>((resolve, reject) => {
      onFrames(
        (listener) => stream.addEventListener('message', ({ data }) => listener(data.subarray())),
        (frame) => {
          kademlia.decodeFrame(frame);
          resolve();
        },
      );
      stream.addEventListener('close', () => reject(new Error('closed without an answer')));
      stream.send(request);
    });
    await stream.close();
  };
  return { ask, close: async () => host.stop() };
}

async function overTcp({ port }: Ready): Promise<Way> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let lastId = 0;
  const waiting = new Map<number, () => void>();
  onFrames(
    (listener) => socket.on('data', listener),
    (frame) => {
      const decoded = kademlia.decodeFrame(frame);
      if (decoded.kind !== 'response') throw new Error(`not a response: ${decoded.kind}`);
      waiting.get(decoded.requestId)?.();
      waiting.delete(decoded.requestId);
    },
  );
  return {
    ask: () =>
      new Promise<void>((resolve) => {
        waiting.set(++lastId, resolve);
        socket.write(withLength(kademlia.encodeRequest(lastId, REQUEST)));
      }),
    close: async () => {
      socket.destroy();
    },
  };
}

function report(rows: readonly { name: string; sequential: Cell; parallel: Cell }[]): void {
  const columns = [
    '',
    '1 in flight/s',
    'p50 ms',
    'p99 ms',
    'CPU µs',
    `${IN_FLIGHT} in flight/s`,
    'p50 ms',
    'p99 ms',
    'CPU µs',
    '× stream per request',
  ];
  const baseline = rows.find(({ name }) => name === 'stream per request')!.parallel.perSecond;
  const lines = rows.map(({ name, sequential, parallel }) => [
    name,
    ...[sequential, parallel].flatMap((cell) => [
      cell.perSecond.toFixed(0),
      cell.p50Ms.toFixed(2),
      cell.p99Ms.toFixed(2),
      cell.cpuUs.toFixed(0),
    ]),
    (parallel.perSecond / baseline).toFixed(1),
  ]);
  const widths = columns.map((column, i) => Math.max(column.length, ...lines.map((line) => line[i]!.length)));
  for (const line of [columns, ...lines]) {
    console.log(line.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  '));
  }
  const { perSecond, cpuUs } = rows.find(({ name }) => name === 'nautilus')!.parallel;
  const isMet = perSecond >= GOAL_PER_SECOND && cpuUs <= GOAL_CPU_US;
  console.log(
    `\ngoal ≥ ${GOAL_PER_SECOND}/s and ≤ ${GOAL_CPU_US} µs with ${IN_FLIGHT} in flight: ${isMet ? 'met' : 'missed'} (${perSecond.toFixed(0)}/s, ${cpuUs.toFixed(0)} µs)`,
  );
  if (!isMet) process.exitCode = 1;
}
