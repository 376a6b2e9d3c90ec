/**
 * What keeps records on a ring of real servers, as the tests of outages see it: a store that is used on its own, or a node in a small network. Every
 * target tells when its circuits open and close, in the time operations are measured in.
 */
import type { StorageStatus } from '../../src/commands/index.ts';
import type { NodeEvent, Observer } from '../../src/core/index.ts';
import { createNode, type NautilusNode, resolveConfig } from '../../src/node/index.ts';
import { systemClock, systemRandom } from '../../src/platform/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, parseKey, utf8Decode, utf8Encode } from '../../src/records/index.ts';
import { openRegistry, openStorages } from '../../src/registry/index.ts';
import { MapStateStore } from './map-state-store.ts';
import { unsignedRecord } from './unsigned-record.ts';

const HOUR_MS = 3_600_000;

export interface CircuitChange {
  readonly shard: string;
  readonly state: 'closed' | 'open' | 'half-open';
  /** performance.now() */
  readonly at: number;
}

export interface OutageTarget {
  readonly name: string;
  /** Somebody else has a copy: no get fails. */
  readonly hasCopies: boolean;
  readonly circuits: readonly CircuitChange[];
  /** Rejects when it is not stored here, whoever else has it. */
  put(key: string, value: string): Promise<void>;
  /** Undefined: it says that there is nothing. */
  get(key: string): Promise<string | undefined>;
  shards(): Promise<StorageStatus['shards']>;
  /** A sentence for each record that was acknowledged by this target itself and is not in its own storages, whatever others have. */
  missing(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A registry over the ring, put together as a node does. */
export async function openStoreTarget(
  name: string,
  urls: readonly string[],
): Promise<OutageTarget & { belongsOn(key: string, shard: string): boolean }> {
  const { circuits, observer } = circuitObserver();
  const parts = { clock: systemClock, random: systemRandom, observer };
  const opened = await openStorages(urls, { ...parts, dataDir: '/nowhere', state: new MapStateStore() });
  const { storage, ring } = opened;
  if (ring === undefined) throw new Error('several storages make a ring');
  const registry = await openRegistry({ ...parts, storage, constants: DEFAULT_NETWORK_CONSTANTS });
  let seq = systemClock.now() * 1_000;
  return {
    name,
    hasCopies: (await ring.status()).copies > 1,
    circuits,
    put: async (key, value) => {
      const record = unsignedRecord(key, { value, seq: ++seq, expiresAt: systemClock.now() + HOUR_MS });
      const outcome = await registry.merge(record);
      if (outcome.kind !== 'stored') throw new Error(`it was not stored: ${outcome.reason}`);
    },
    get: async (key) => {
      const [cell] = await registry.read(parseKey(key).id);
      return cell?.value && utf8Decode(cell.value);
    },
    shards: async () => (await ring.status()).shards,
    missing: async () => [],
    belongsOn: (key, shard) => storage.parts?.belongsIn?.(parseKey(key).id, shard) === true,
    close: async () => {
      await registry.close();
      await storage.close();
    },
  };
}

/** A node on the ring, and others that keep what they have in memory. @param directory makes paths for their data */
export async function openNodeTarget(
  name: string,
  urls: readonly string[],
  others: number,
  directory: () => Promise<string>,
): Promise<OutageTarget> {
  const { circuits, observer } = circuitObserver();
  const nodes: NautilusNode[] = [];
  const start = async (storage: readonly string[], told?: Observer) => {
    const flags = {
      dataDir: await directory(),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: nodes.slice(0, 1).flatMap(({ ready }) => ready.addresses),
      storage: [...storage],
    };
    const node = await createNode(await resolveConfig({ flags, env: {} }), { observer: told });
    nodes.push(node);
    if (nodes.length > 1) await node.joined();
    return node;
  };
  const node = await start(urls, observer);
  for (let n = 0; n < others; n++) await start(['memory:']);
  const { peerId } = node.id();
  /** By key, what this node itself has said to hold. */
  const held = new Map<string, number>();
  return {
    name,
    hasCopies: true,
    circuits,
    put: async (key, value) => {
      const { receipt, seq } = await node.put(key, utf8Encode(value));
      const own = receipt.holders.find((holder) => holder.peerId === peerId);
      if (own?.status === 'stored') held.set(key, seq);
      // One that is not through with it yet may be late, but not turn it away.
      else if (own?.status !== 'unreachable') throw new Error(`it was not stored here: ${own?.reason}`);
    },
    get: async (key) => {
      const [newest] = (await node.get(key)).records;
      return newest && utf8Decode(newest.value);
    },
    shards: async () => (await node.storageStatus()).shards,
    missing: async () => {
      const here = new Map<string, number>();
      for await (const { key, seq } of node.list()) here.set(key, seq);
      return [...held].flatMap(([key, seq]) => {
        const found = here.get(key) ?? 0;
        return found >= seq ? [] : [`${name}: ${key} is here with ${found} instead of ${seq}`];
      });
    },
    close: async () => {
      await Promise.all(nodes.map((each) => each.stop()));
    },
  };
}

function circuitObserver(): { readonly circuits: CircuitChange[]; readonly observer: Observer } {
  const circuits: CircuitChange[] = [];
  const notify = (event: NodeEvent) => {
    if (event.type === 'shard-circuit')
      circuits.push({ shard: event.shard, state: event.state, at: performance.now() });
  };
  return { circuits, observer: { notify } };
}
