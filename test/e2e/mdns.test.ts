/** mDNS between real processes, in network namespaces of their own: on one machine without any network, and over a link. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createLinkedNamespaces,
  createLoneNamespace,
  deleteNamespace,
  inside,
  type Namespace,
  problemOfNamespaces,
} from '../support/network-namespace.ts';

const PEER = fileURLToPath(new URL('../support/mdns-peer.ts', import.meta.url));
const NODES = fileURLToPath(new URL('../support/mdns-nodes.ts', import.meta.url));

const PEER_IDS = {
  1: '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5',
  2: '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq',
} as const;

interface MdnsPeer {
  /** Resolves once it has asked its first question. */
  readonly ready: Promise<void>;
  /** Resolves with the first set of addresses it hears. */
  readonly found: Promise<readonly string[]>;
  /** The sets heard so far. */
  readonly heard: (readonly string[])[];
  stop(): Promise<void>;
}

const peers: MdnsPeer[] = [];
const namespaces: Namespace[] = [];
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.stop()));
  for (const namespace of namespaces.splice(0)) deleteNamespace(namespace);
});

function startPeer(namespace: Namespace, network: string, seed: number, ...addresses: string[]): MdnsPeer {
  const [command = '', ...words] = [
    ...inside(namespace),
    process.execPath,
    '--import',
    'tsx',
    PEER,
    network,
    String(seed),
    ...addresses,
  ];
  const child: ChildProcess = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const heard: (readonly string[])[] = [];
  let onReady!: () => void;
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  const found = new Promise<readonly string[]>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const message = JSON.parse(line) as { ready?: true; found?: string[]; event?: unknown };
      if (message.ready) onReady();
      if (message.event !== undefined) reject(new Error(line));
      if (message.found === undefined) return;
      heard.push(message.found);
      resolve(message.found);
    });
    child.once('exit', (code) => reject(new Error(`the peer ended with ${code}`)));
  });
  found.catch(() => undefined); // nobody waits for those that find nobody
  const peer = {
    ready,
    found,
    heard,
    stop: async () => {
      child.stdin?.end();
      await exited;
    },
  };
  peers.push(peer);
  return peer;
}

const problem = problemOfNamespaces();

describe('mDNS', () => {
  it('can be tested here', (context) => {
    if (problem === undefined) return;
    if (process.env.CI !== undefined) throw new Error(problem);
    context.skip(problem);
  });

  it.runIf(problem === undefined)('lets two nodes on one machine without a network find each other', async () => {
    const machine = createLoneNamespace('lone');
    namespaces.push(machine);
    const a = startPeer(machine, 'main', 1, '/ip4/127.0.0.1/tcp/1001');
    const b = startPeer(machine, 'main', 2, '/ip4/127.0.0.1/tcp/1002');
    expect(await a.found).toEqual([`/ip4/127.0.0.1/tcp/1002/p2p/${PEER_IDS[2]}`]);
    expect(await b.found).toEqual([`/ip4/127.0.0.1/tcp/1001/p2p/${PEER_IDS[1]}`]);
  });

  it.runIf(problem === undefined)('brings two whole nodes together, and they exchange a record', async () => {
    const machine = createLoneNamespace('nodes');
    namespaces.push(machine);
    const [command = '', ...words] = [...inside(machine), process.execPath, '--import', 'tsx', NODES];
    const { stdout } = await promisify(execFile)(command, words);
    expect(JSON.parse(stdout)).toEqual({ got: '10.0.0.1:80' });
  });

  it.runIf(problem === undefined)(
    'lets two machines on a link find each other, without their loopback addresses, and hides other networks',
    async () => {
      const [left, right] = createLinkedNamespaces('link');
      namespaces.push(left, right);
      const a = startPeer(left, 'a.b', 1, '/ip4/127.0.0.1/tcp/1001', `/ip4/${left.address}/tcp/1001`);
      const other = startPeer(right, 'a', 3, `/ip4/${right.address}/tcp/1003`);
      await Promise.all([a.ready, other.ready]);
      const b = startPeer(right, 'a.b', 2, '/ip4/127.0.0.1/tcp/1002', `/ip4/${right.address}/tcp/1002`);
      expect(await a.found).toEqual([`/ip4/10.77.0.2/tcp/1002/p2p/${PEER_IDS[2]}`]);
      expect(await b.found).toEqual([`/ip4/10.77.0.1/tcp/1001/p2p/${PEER_IDS[1]}`]);
      expect(other.heard).toEqual([]);
      expect(a.heard).toHaveLength(1);
    },
  );
});
