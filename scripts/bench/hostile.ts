/**
 * What a hostile peer costs everybody else: one victim process, one honest peer that asks it one thing after another, and a third process that
 * attacks as fast as it can. Figures of the honest peer under attack are printed beside its own figures before it, in the same run.
 * The victim listens on every interface, so that the limits of production apply and not those of a loopback testnet.
 * All three share this machine's cores: the control row tells what an attacker costs that only burns its own. Needs a build.
 * Usage: npm run bench:hostile
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import '../../src/platform/node20.ts';
import { NautilusError } from '../../src/core/index.ts';
import type { Contact, Request } from '../../src/kademlia/index.ts';
import { createLibp2pTransport, type Libp2pTransport } from '../../src/network/index.ts';
import { createSigner, systemClock, systemRandom } from '../../src/platform/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, parseKey, signRecord } from '../../src/records/index.ts';

const NETWORK = 'bench-hostile';
const MEASURED_MS = 3_000;
const IN_FLIGHT = 256;
const BIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

const ATTACKS = {
  'none, a busy core (control)': burnCpu,
  'forged STOREs': floodWithStores,
  'FIND_NODE flood': floodWithLookups,
  'garbage connections': floodWithGarbage,
} satisfies Record<string, (address: string) => Promise<never>>;
type Attack = keyof typeof ATTACKS;

const [, , attack, address] = process.argv;
if (attack !== undefined && address !== undefined) await ATTACKS[attack as Attack](address);
else await measure();

async function measure(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'nautilus-bench-'));
  const children: ChildProcess[] = [];
  try {
    const victim = start(children, [
      BIN,
      'start',
      '--json',
      '--data-dir',
      join(directory, 'victim'),
      '--network',
      NETWORK,
      '--listen',
      '/ip4/0.0.0.0/tcp/0',
    ]);
    const ready = JSON.parse(await firstLine(victim)) as { readonly addresses: readonly [string] };
    const honest = await createPeer();
    const { contact } = await honest.connect(ready.addresses[0], { timeoutMs: 10_000 });
    await askFor(honest, contact, 1_000); // warm
    const rows = [];
    for (const name of Object.keys(ATTACKS) as Attack[]) {
      const before = { ...(await askFor(honest, contact, MEASURED_MS)), rss: await rssMib(victim) };
      const attacker = start(children, ['--import', 'tsx', fileURLToPath(import.meta.url), name, ready.addresses[0]]);
      await firstLine(attacker);
      const during = { ...(await askFor(honest, contact, MEASURED_MS)), rss: await rssMib(victim) };
      attacker.kill('SIGKILL');
      await once(attacker, 'exit');
      rows.push({
        attack: name,
        'p50 ms before': before.p50.toFixed(2),
        'p50 ms under it': during.p50.toFixed(2),
        'p95 ms before': before.p95.toFixed(2),
        'p95 ms under it': during.p95.toFixed(2),
        'p50 ratio (≤ 3)': (during.p50 / before.p50).toFixed(2),
        failed: during.failed,
        'RSS MiB before': before.rss.toFixed(0),
        'RSS MiB under it': during.rss.toFixed(0),
      });
    }
    console.table(rows);
    await honest.stop();
  } finally {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  }
}

function start(children: ChildProcess[], args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line;
  throw new Error('the process ended before it was ready');
}

async function rssMib(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

async function createPeer(): Promise<Libp2pTransport> {
  const peer = await createLibp2pTransport({
    privateKey: systemRandom.bytes(32),
    listen: [],
    constants: { ...DEFAULT_NETWORK_CONSTANTS, network: NETWORK },
    mode: 'client',
    clock: systemClock,
    observer: { notify: () => undefined },
  });
  await peer.start({
    onPeerConnected: () => undefined,
    onPeerChanged: () => undefined,
    onPeerDisconnected: () => undefined,
    onRequest: () => Promise.reject(new NautilusError('UNSUPPORTED', 'this peer only asks')),
  });
  return peer;
}

async function askFor(peer: Libp2pTransport, to: Contact, durationMs: number) {
  const request: Request = { type: 'FIND_VALUE', keyId: parseKey('bench/hostile').id, value: 'newest' };
  const timesMs: number[] = [];
  let failed = 0;
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    const sentAt = performance.now();
    await peer.request(to, request, { timeoutMs: 5_000 }).catch(() => failed++);
    timesMs.push(performance.now() - sentAt);
  }
  timesMs.sort((a, b) => a - b);
  const percentile = (share: number) => timesMs[Math.floor(timesMs.length * share)] ?? Number.NaN;
  return { p50: percentile(0.5), p95: percentile(0.95), failed };
}

async function burnCpu(): Promise<never> {
  process.stdout.write('attacking\n');
  for (;;) await new Promise(setImmediate);
}

/** Every record is another one, so that each costs a verification that fails. */
async function floodWithStores(victim: string): Promise<never> {
  const signer = createSigner(systemRandom.bytes(32));
  const draft = { key: parseKey('bench/forged'), value: new Uint8Array(256), deleted: false };
  const { header, value } = await signRecord(signer, NETWORK, {
    ...draft,
    seq: Date.now() * 1000,
    expiresAt: Date.now() + 60_000,
  });
  return floodWith(victim, () => ({
    type: 'STORE',
    record: { header: { ...header, signature: systemRandom.bytes(64) }, value },
  }));
}

function floodWithLookups(victim: string): Promise<never> {
  return floodWith(victim, () => ({ type: 'FIND_NODE', target: systemRandom.bytes(32) }));
}

async function floodWith(victim: string, next: () => Request): Promise<never> {
  const peer = await createPeer();
  const { contact } = await peer.connect(victim, { timeoutMs: 10_000 });
  process.stdout.write('attacking\n');
  const flood = async (): Promise<never> => {
    for (;;) await peer.request(contact, next(), { timeoutMs: 60_000 }).catch(() => undefined);
  };
  return Promise.race(Array.from({ length: IN_FLIGHT }, flood));
}

/** Raw TCP, no handshake: random bytes until the victim closes, then again. */
async function floodWithGarbage(victim: string): Promise<never> {
  const port = Number(/\/tcp\/(\d+)/.exec(victim)?.[1]);
  process.stdout.write('attacking\n');
  const attack = async (): Promise<never> => {
    for (;;) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined); // being cut is what it is for
      socket.on('connect', () => socket.write(systemRandom.bytes(16_384)));
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
  };
  return Promise.race(Array.from({ length: 16 }, attack));
}
