/**
 * A NodeApi that keeps its records in memory, in this process: the smallest thing the doors can be tested against. It follows the contract
 * of NodeApi, errors included. Not here: a network, signatures, key classes.
 */
import type { HeldSummary, NodeApi, PeerSummary, PutOptions } from '../../src/commands/index.ts';
import { NautilusError } from '../../src/core/index.ts';

const PEER_ID = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq';
const NODE_ID = 'dfd53212a4bd2beda3ea8e82d08285370c70a70cfe9c588e28754b23c8033121';
const DAY_MS = 86_400_000;

interface Held {
  readonly value: Uint8Array;
  readonly seq: number;
  readonly expiresAt: number;
}

export interface MemoryNode extends NodeApi {
  readonly records: Map<string, Held>;
  /** What the last put was asked for. */
  readonly lastPut: PutOptions | undefined;
  /** Keys being worked on right now, and the most there ever were. */
  readonly load: { now: number; peak: number };
}

export function createMemoryNode(overrides: Partial<NodeApi> = {}): MemoryNode {
  const records = new Map<string, Held>();
  const load = { now: 0, peak: 0 };
  let lastPut: PutOptions | undefined;
  let seq = 0;

  const counted = async <T>(work: () => T): Promise<T> => {
    load.now += 1;
    load.peak = Math.max(load.peak, load.now);
    await Promise.resolve();
    try {
      return work();
    } finally {
      load.now -= 1;
    }
  };
  const stored = (key: string, expiresAt: number) => ({
    key,
    seq: ++seq,
    publisher: PEER_ID,
    expiresAt,
    receipt: {
      k: 1,
      wanted: 1,
      acked: 1,
      holders: [{ peerId: PEER_ID, rank: 1, status: 'stored' as const, reason: null, until: expiresAt }],
    },
    degraded: false,
    requests: 0,
    elapsedMs: 0.5,
  });
  const require = (key: string): Held => {
    const held = records.get(key);
    if (held === undefined) throw new NautilusError('NOT_FOUND', `no live record under "${key}"`);
    return held;
  };

  return {
    records,
    load,
    get lastPut() {
      return lastPut;
    },
    id: () => ({ peerId: PEER_ID, nodeId: NODE_ID }),
    put: (key, value, options = {}) =>
      counted(() => {
        if (key === '') throw new NautilusError('KEY_INVALID', 'the key is empty');
        lastPut = options;
        const result = stored(key, 1_000 + (options.ttlMs ?? DAY_MS));
        records.set(key, { value, seq: result.seq, expiresAt: result.expiresAt });
        return result;
      }),
    get: (key) =>
      counted(() => ({
        key,
        records: [{ ...require(key), publisher: PEER_ID }],
        asked: 1,
        agreed: 1,
        partial: false,
        degraded: false,
        hops: 0,
        requests: 0,
        elapsedMs: 0.5,
      })),
    delete: (key) =>
      counted(() => {
        const { expiresAt } = require(key);
        records.delete(key);
        return stored(key, expiresAt);
      }),
    async *list({ prefix = '' } = {}): AsyncIterable<HeldSummary> {
      for (const [key, held] of [...records].sort()) {
        if (!key.startsWith(prefix)) continue;
        yield { key, publisher: PEER_ID, seq: held.seq, expiresAt: held.expiresAt, bytes: held.value.length, rank: 1 };
      }
    },
    peers: (): readonly PeerSummary[] => [],
    ping: async (peer) => ({ peerId: peer, rttMs: 1.5 }),
    lookup: async (target) => ({
      target,
      closest: [{ peerId: PEER_ID, nodeId: NODE_ID }],
      hops: 0,
      requests: 0,
      elapsedMs: 0.1,
    }),
    status: async () => ({
      peerId: PEER_ID,
      mode: 'server',
      network: 'main',
      uptimeMs: 12,
      peers: 0,
      records: records.size,
      bytes: 0,
      networkSize: 1,
      kEffective: 1,
      settled: true,
      storage: [{ url: 'memory:', state: 'up', records: records.size, bytes: 0 }],
      hotKeys: [],
    }),
    storageStatus: async () => ({ copies: 1, isMoving: false, migration: null, shards: [], hotKeys: [] }),
    drainStorage: async () => undefined,
    migrateStorage: async function* (to) {
      yield {
        phase: 'switched' as const,
        from: ['memory:'],
        to,
        entries: records.size,
        total: records.size,
        differences: 0,
      };
    },
    stop: async () => undefined,
    ...overrides,
  };
}
