/** A registry, and a holder, over a ring of which a part is away. */
import { describe, expect, test } from 'vitest';
import { type NodeEvent, SILENT_OBSERVER } from '../../../../src/core/index.ts';
import { type Contact, createContact, NodeId, type Peer } from '../../../../src/kademlia/index.ts';
import {
  type CellChange,
  cellId,
  DEFAULT_NETWORK_CONSTANTS,
  type HeldRecord,
  parseKey,
  toHex,
} from '../../../../src/records/index.ts';
import { ExchangeableStorage } from '../../../../src/registry/exchange/exchangeable-storage.ts';
import { openRegistry, type Registry } from '../../../../src/registry/index.ts';
import { HashRing } from '../../../../src/registry/ring/hash-ring.ts';
import { groupOf } from '../../../../src/registry/ring/key-group.ts';
import { Holder } from '../../../../src/replication/holder.ts';
import { RingWorld } from '../../../support/ring-world.ts';
import { unsignedRecord } from '../../../support/unsigned-record.ts';

const constants = { ...DEFAULT_NETWORK_CONSTANTS, maxTtlMs: 3_600_000 };
const LIFE_MS = 600_000;

class Node {
  readonly world: RingWorld;
  readonly events: NodeEvent[] = [];
  changes: CellChange[] = [];
  registry!: Registry;

  constructor(copies = 1) {
    this.world = new RingWorld({ shards: 3, copies });
  }

  async open(moods: Parameters<RingWorld['open']>[0] = []): Promise<this> {
    const ring = await this.world.open(moods);
    const { clock } = this.world;
    const observer = { notify: (event: NodeEvent) => void this.events.push(event) };
    // As in a node, where the storage can be exchanged.
    const storage = new ExchangeableStorage(ring.storage);
    this.registry = await openRegistry({ storage, clock, constants, observer });
    this.changes = [];
    this.registry.subscribe((change) => this.changes.push(change));
    return this;
  }

  async restart(moods: Parameters<RingWorld['open']>[0] = []): Promise<void> {
    await this.registry.close();
    await this.world.kill();
    await this.open(moods);
  }

  put(key: string, seq: number, ttlMs = LIFE_MS): HeldRecord {
    const { clock } = this.world;
    return unsignedRecord(key, { seq: clock.now() * 1_000 + seq, expiresAt: clock.now() + ttlMs, value: `v${seq}` });
  }

  merge(record: HeldRecord) {
    return this.world.settled(this.registry.merge(record));
  }

  read(key: string) {
    return this.world.settled(this.registry.read(parseKey(key).id));
  }

  async fail(n: number): Promise<void> {
    this.world.shard(n).mood = 'failing';
    for (let call = 0; call < 3; call++) await this.read(this.keyOn(n));
  }

  /** A key whose first home is this shard. */
  keyOn(n: number, skip = 0): string {
    const ring = new HashRing(this.world.members, this.world.copies);
    let skipped = 0;
    for (let i = 0; ; i++) {
      const text = `svc/${i}`;
      const group = groupOf(parseKey(text).id);
      if (ring.homes(ring.virtualNode(group))[0] === `shard-${n}` && skipped++ === skip) return text;
    }
  }
}

const stored = expect.objectContaining({ kind: 'stored' });
const valuesOf = (outcome: { readonly kind: string; readonly value?: readonly HeldRecord[] }) =>
  outcome.value?.map(({ value }) => (value === undefined ? undefined : new TextDecoder().decode(value)));

describe('a registry over a ring with a shard that is down', () => {
  test('keeps merging: what it cannot see is merged when the shard is back, and told of', async () => {
    const node = await new Node().open();
    const [first, second] = [node.keyOn(0), node.keyOn(0, 1)];
    const [newer, older] = [node.put(first, 9), node.put(first, 5)];
    const before = node.put(second, 1);
    await node.merge(newer);
    await node.merge(before);
    await node.fail(0);
    expect((await node.read(first)).kind).toBe('failed');
    expect(await node.merge(older)).toEqual({ kind: 'done', value: stored });
    const later = node.put(second, 7);
    expect(await node.merge(later)).toEqual({ kind: 'done', value: stored });
    expect(valuesOf(await node.read(second))).toEqual(['v7']);
    expect(node.registry.isWhole(parseKey(second).id)).toBe(false);
    node.changes = [];
    await node.world.heal();
    expect(valuesOf(await node.read(first))).toEqual(['v9']);
    expect(valuesOf(await node.read(second))).toEqual(['v7']);
    expect(node.registry.isWhole(parseKey(second).id)).toBe(true);
    expect(node.changes).toContainEqual({ kind: 'held', header: newer.header });
    expect(node.registry.size().records).toBe(2);
  });

  test('starts without it, and counts, schedules and tells of what it has when it is back', async () => {
    const node = await new Node().open();
    const keys = [0, 1, 2].map((n) => node.keyOn(n));
    const records = keys.map((key) => node.put(key, 1));
    for (const record of records) await node.merge(record);
    await node.restart(['failing']);
    expect(node.registry.size().records).toBe(2);
    expect((await node.read(keys[0]!)).kind).toBe('failed');
    expect(valuesOf(await node.read(keys[1]!))).toEqual(['v1']);
    await node.world.heal();
    expect(node.registry.size().records).toBe(3);
    expect(node.changes).toEqual([{ kind: 'held', header: records[0]!.header }]);
    await node.world.clock.advance(LIFE_MS);
    const expired = node.events.flatMap((event) => (event.type === 'record-expired' ? [event.key] : []));
    expect(expired.sort()).toEqual([...keys].sort());
  });

  test('announces what expired meanwhile when it is back, and warns nobody before', async () => {
    const node = await new Node().open();
    const key = node.keyOn(0);
    await node.merge(node.put(key, 1, 10_000));
    await node.fail(0);
    await node.world.clock.advance(20_000);
    expect(node.events).toEqual([]);
    await node.world.heal();
    expect(node.events).toEqual([{ type: 'record-expired', key, deleted: false }]);
    expect(valuesOf(await node.read(key))).toEqual([undefined]);
  });

  test('drops nothing it cannot see, and lists nothing that would be short', async () => {
    const node = await new Node().open();
    const key = node.keyOn(0);
    await node.merge(node.put(key, 1));
    await node.fail(0);
    await node.merge(node.put(key, 2));
    expect(await node.world.settled(node.registry.drop(parseKey(key).id))).toMatchObject({
      error: { code: 'SHARD_DOWN' },
    });
    const list = async () => {
      for await (const record of node.registry.scan()) void record;
    };
    expect(await node.world.settled(list())).toMatchObject({ error: { code: 'SHARD_DOWN' } });
    const held: string[] = [];
    for await (const { header } of node.registry.cells()) held.push(toHex(cellId(header)));
    expect(held).toHaveLength(1);
  });

  test('forgets what a shard has lost for good, and tells, so that others can give it again', async () => {
    const node = await new Node().open();
    const [lost, kept] = [node.keyOn(0), node.keyOn(1)];
    for (const key of [lost, kept]) await node.merge(node.put(key, 1));
    await node.fail(0);
    const [base] = node.world.bases;
    for (const { key } of await base!.scan({ limit: 100 })) await base!.remove(key);
    node.changes = [];
    await node.world.heal();
    expect(node.changes.map(({ kind }) => kind)).toEqual(['gone']);
    expect(node.registry.size().records).toBe(1);
    expect(valuesOf(await node.read(lost))).toEqual([]);
    expect(valuesOf(await node.read(kept))).toEqual(['v1']);
  });

  test('with two copies nobody notices', async () => {
    const node = await new Node(2).open();
    const keys = [0, 1, 2].map((n) => node.keyOn(n));
    for (const key of keys) await node.merge(node.put(key, 1));
    await node.fail(0);
    for (const key of keys) {
      expect(valuesOf(await node.read(key))).toEqual(['v1']);
      expect(node.registry.isWhole(parseKey(key).id)).toBe(true);
      expect(await node.merge(node.put(key, 2))).toEqual({ kind: 'done', value: stored });
    }
    await node.restart(['failing']);
    expect(node.registry.size().records).toBe(3);
  });
});

describe('a holder over such a registry', () => {
  const asker: Peer = { contact: contact(9), mode: 'server', direction: 'inbound' };

  function holderOf(node: Node): Holder {
    const kademlia = { closest: (): readonly Contact[] => [contact(3)], rank: () => 1 };
    const verifier = { verify: async () => true };
    const { clock } = node.world;
    const holder = new Holder({
      kademlia,
      store: node.registry,
      verifier,
      clock,
      observer: SILENT_OBSERVER,
      constants,
    });
    const never = () => Promise.reject(new Error('not asked'));
    holder.vouchBy({ isSettled: () => true, answerSync: never, onHandedOff: () => undefined });
    return holder;
  }

  test('does not say that a key is absent which it cannot read, and still names who is closer', async () => {
    const node = await new Node().open();
    const [there, away] = [node.keyOn(1), node.keyOn(0)];
    for (const key of [there, away]) await node.merge(node.put(key, 1));
    const holder = holderOf(node);
    const ask = async (key: string) => {
      const request = { type: 'FIND_VALUE', keyId: parseKey(key).id, value: 'newest' } as const;
      const outcome = await node.world.settled(holder.findValue(asker, request));
      if (outcome.kind === 'failed') throw outcome.error;
      const { headers, settled, closer } = outcome.value;
      return { headers: headers.length, settled, closer: closer.length };
    };
    expect(await ask(away)).toEqual({ headers: 1, settled: true, closer: 1 });
    await node.fail(0);
    expect(await ask(away)).toEqual({ headers: 0, settled: false, closer: 1 });
    expect(await ask(there)).toEqual({ headers: 1, settled: true, closer: 1 });
    await node.merge(node.put(away, 2));
    expect(await ask(away)).toEqual({ headers: 1, settled: false, closer: 1 });
    await node.world.heal();
    expect(await ask(away)).toEqual({ headers: 1, settled: true, closer: 1 });
    expect(await holder.readHeld(parseKey(away).id)).toHaveLength(1);
  });
});

function contact(n: number): Contact {
  const made = createContact(new Uint8Array(32).fill(n), []);
  expect(made.id).toBeInstanceOf(NodeId);
  return made;
}
