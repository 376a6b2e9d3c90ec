/**
 * What must be true of every node of a simulated world after every event, whatever happens to it: its table, its bounds, what it serves and
 * counts as live, its lookups. Cheap: a table is looked at when it changed, the rest of one node every few events, in turn.
 */

import { isNautilusError, sleep } from '../../src/core/index.ts';
import type { Peer } from '../../src/kademlia/index.ts';
import {
  cellId,
  cellRange,
  compareBytes,
  compareVersions,
  floorUntil,
  isLive,
  type Key,
  type RecordHeader,
  toHex,
} from '../../src/records/index.ts';
import type { SimulatedNode, World } from '../../testnet/simulator/index.ts';
import { type Account, CLOCK_MARGIN_MS } from './account.ts';

type NodeLife = SimulatedNode['life'];

/** Every so many events one node's bounds are looked at, in turn. */
const EVENTS_PER_LOOK = 4;
/** Every so many events one node is asked for one key out of turn. */
const EVENTS_PER_PROBE = 16;
/** From a record's end, by its holder's clock, until its value must have left the store: time for a disk, ms. */
const EXPIRY_SLACK_MS = 1_000;
/** A registry sleeps at most 5 minutes: so late it may notice that its clock was set ahead. */
const CLOCK_SET_SLACK_MS = 5 * 60_000 + EXPIRY_SLACK_MS;
/** No node looks something up for so long without a moment's pause: then one of its lookups does not end. */
const LOOKUPS_LIMIT_MS = 180_000;

interface Watched {
  life: NodeLife | undefined;
  tableRevision: number;
  /** Size of each bucket when the table was last looked at. */
  buckets: Map<number, number>;
  /** World's time, ms: when it was last seen without a lookup under way. */
  idleAt: number;
  /** World's time, ms: from then on its store knows exactly what has expired. */
  exactFrom: number;
  /** When the next of the records it holds ends, by its own clock. */
  nextExpiry: number;
  copies: number;
}

export class NodeChecks {
  readonly #world: World;
  readonly #account: Account;
  readonly #keys: readonly Key[];
  readonly #watched: readonly Watched[];
  #events = 0;
  #broken: string | undefined;
  /** Answers that were looked at. */
  probes = 0;

  constructor(world: World, account: Account, keys: readonly Key[]) {
    this.#world = world;
    this.#account = account;
    this.#keys = keys;
    this.#watched = world.nodes.map(() => ({
      life: undefined,
      tableRevision: -1,
      buckets: new Map(),
      idleAt: 0,
      exactFrom: 0,
      nextExpiry: 0,
      copies: 0,
    }));
  }

  /** Its wall clock was set. */
  clockSet(number: number): void {
    this.#watched[number]!.exactFrom = this.#world.clock.monotonic() + CLOCK_SET_SLACK_MS;
  }

  /** It goes on after a pause. */
  resumed(number: number): void {
    const watched = this.#watched[number]!;
    const now = this.#world.clock.monotonic();
    watched.exactFrom = Math.max(watched.exactFrom, now + EXPIRY_SLACK_MS);
    watched.idleAt = now;
  }

  /** @throws Error naming what is wrong, and with which node */
  check(): void {
    if (this.#broken !== undefined) throw new Error(this.#broken);
    const { nodes } = this.#world;
    this.#events++;
    const turn = this.#events % EVENTS_PER_LOOK === 0 ? (this.#events / EVENTS_PER_LOOK) % nodes.length : -1;
    for (const node of nodes) {
      if (!node.isAlive || node.isPaused) continue;
      const watched = this.#watched[node.number]!;
      if (watched.life !== node.life) this.#begin(watched, node);
      const { table } = node.life.kademlia;
      if (table.revision !== watched.tableRevision) checkTable(node, watched);
      if (node.life.clock.now() >= watched.nextExpiry) this.#onExpiry(watched, node);
      if (node.number === turn) this.#checkLoads(watched, node);
    }
    if (this.#events % EVENTS_PER_PROBE === 0) this.#probeSomebody(this.#events / EVENTS_PER_PROBE);
  }

  #begin(watched: Watched, { life }: SimulatedNode): void {
    const now = this.#world.clock.monotonic();
    watched.life = life;
    watched.tableRevision = -1;
    watched.buckets = new Map();
    watched.idleAt = now;
    watched.exactFrom = Math.max(watched.exactFrom, now + EXPIRY_SLACK_MS);
    watched.nextExpiry = 0;
  }

  #checkLoads(watched: Watched, { number, life }: SimulatedNode): void {
    const { kademlia, replication, registry, clock } = life;
    const now = this.#world.clock.monotonic();
    if (kademlia.lookups === 0) watched.idleAt = now;
    else if (now - watched.idleAt > LOOKUPS_LIMIT_MS) throw new Error(`a lookup of node ${number} never ends`);
    for (const loads of [kademlia.loads, replication.loads, registry?.loads ?? {}]) {
      for (const [name, { size, limit }] of Object.entries(loads)) {
        if (size > limit) throw new Error(`node ${number} has ${size} ${name}, the limit is ${limit}`);
      }
    }
    if (registry === undefined) return;
    const { size: cells } = registry.loads.cells!;
    const copies = this.#account.copiesOf(number);
    if (cells !== copies.size) throw new Error(`node ${number} counts ${cells} cells and has told of ${copies.size}`);
    if (copies.size !== watched.copies) watched.nextExpiry = 0;
    watched.copies = copies.size;
    if (now < watched.exactFrom) return;
    const { records } = registry.size();
    const most = this.#account.liveCopies(number, clock.now() - EXPIRY_SLACK_MS);
    const least = this.#account.liveCopies(number, clock.now() + CLOCK_SET_SLACK_MS);
    if (records > most) throw new Error(`node ${number} counts ${records} live records, of which ${most} can be live`);
    if (records < least) throw new Error(`node ${number} counts ${records} live records, and has ${least}`);
  }

  /** One of its records has just ended. */
  #onExpiry(watched: Watched, node: SimulatedNode): void {
    const now = node.life.clock.now();
    watched.nextExpiry = Number.POSITIVE_INFINITY;
    for (const header of this.#account.copiesOf(node.number).values()) {
      if (header.deleted) continue;
      if (header.expiresAt > now) watched.nextExpiry = Math.min(watched.nextExpiry, header.expiresAt);
      else if (now - header.expiresAt < EXPIRY_SLACK_MS) this.#probe(node, header.key);
    }
  }

  #probeSomebody(turn: number): void {
    const { nodes } = this.#world;
    const node = nodes[turn % nodes.length]!;
    const key = this.#keys[Math.floor(turn / nodes.length) % this.#keys.length]!;
    if (node.isAlive && !node.isPaused) this.#probe(node, key);
  }

  /** Asks as a peer would. No time passes: a simulated disk reads at once. */
  #probe(node: SimulatedNode, key: Key): void {
    this.#serve(node, key).catch((error: unknown) => {
      if (isNautilusError(error)) return; // it is stopping, and says so
      this.#broken ??= `node ${node.number} cannot answer: ${String(error)}`;
    });
  }

  async #serve({ number, life }: SimulatedNode, key: Key): Promise<void> {
    const { handler } = life.replication;
    const askedAt = life.clock.now();
    const held = [...this.#account.copiesOf(number).values()].filter((header) => header.key.text === key.text);
    const { headers, value } = await handler.findValue(this.#asker(number), {
      type: 'FIND_VALUE',
      keyId: key.id,
      value: 'newest',
    });
    const { records } = await handler.fetch(this.#asker(number), {
      type: 'FETCH',
      ranges: [cellRange(key.id, 8 * key.id.length)],
      withValues: true,
      after: undefined,
    });
    this.probes++;
    const served = records.filter((record) => record.value !== undefined).map(({ header }) => header);
    if (value !== undefined) served.push(headers[value.valueIndex]!);
    // Its clock may have been set back before it had read anything: then it never was beyond the end of what it served.
    const now = Math.min(askedAt, life.clock.now());
    for (const header of served) {
      if (!isLive(header, now)) this.#broken ??= `node ${number} serves "${key.text}", which has ended`;
    }
    for (const header of held) {
      const answer = headers.find((other) => toHex(cellId(other)) === toHex(cellId(header)));
      if (answer === undefined) await this.#checkGone(number, life, header);
      else if (compareVersions(answer, header) < 0) {
        this.#broken ??= `node ${number} serves something older of "${key.text}" than it holds`;
      }
    }
  }

  /** What a disk has forgotten already, the store says to be gone when that is flushed. */
  async #checkGone(number: number, life: NodeLife, header: RecordHeader): Promise<void> {
    await sleep(this.#world.clock, EXPIRY_SLACK_MS);
    const node = this.#world.node(number);
    const isSame = node.isAlive && !node.isPaused && node.life === life;
    const isForgotten = floorUntil(header, this.#world.constants) <= life.clock.now() + CLOCK_MARGIN_MS;
    if (!isSame || isForgotten || this.#account.copiesOf(number).get(toHex(cellId(header))) !== header) return;
    const held = (await life.registry?.read(header.key.id)) ?? [];
    if (held.some((record) => toHex(cellId(record.header)) === toHex(cellId(header)))) return;
    this.#broken ??= `node ${number} serves nothing of "${header.key.text}", which it holds`;
  }

  #asker(number: number): Peer {
    const { nodes } = this.#world;
    const { self } = nodes[(number + 1) % nodes.length]!;
    return { contact: self, mode: 'server', direction: 'inbound', remoteAddress: self.addresses[0] };
  }
}

/**
 * Everybody once, in the bucket of its prefix, nobody is ourselves. A bucket grows only while it has fewer than its places: K, or three times
 * as many where fewer than K are nearer; what it has may be more, because places go when somebody nearer comes.
 */
function checkTable({ life, number }: SimulatedNode, watched: Watched): void {
  const { table, self } = life.kademlia;
  const { k } = table;
  const isFirst = watched.tableRevision === -1;
  watched.tableRevision = table.revision;
  const seen = new Set<string>();
  const sizes = new Map<number, number>();
  for (const { contact } of table.entries()) {
    const bucket = prefixLength(contact.id.bytes, self.id.bytes);
    sizes.set(bucket, (sizes.get(bucket) ?? 0) + 1);
    const isWrong = bucket !== table.bucketIndex(contact.id) || compareBytes(contact.id.bytes, self.id.bytes) === 0;
    if (isWrong || seen.has(contact.id.hex))
      throw new Error(`the table of node ${number} is wrong at bucket ${bucket}`);
    seen.add(contact.id.hex);
  }
  for (const [bucket, size] of sizes) {
    const hasGrown = size > (watched.buckets.get(bucket) ?? 0);
    const trustedNearer = table
      .sizes()
      .slice(bucket + 1)
      .reduce((sum, trusted) => sum + trusted, 1);
    const places = trustedNearer < k || isFirst || !hasGrown ? 3 * k : k;
    if (size > places) throw new Error(`bucket ${bucket} of node ${number} has ${size} contacts in ${places} places`);
  }
  watched.buckets = sizes;
}

/** Leading bits in common, bit by bit: not by the code under test. */
function prefixLength(a: Uint8Array, b: Uint8Array): number {
  const bitOf = (bytes: Uint8Array, bit: number) => (bytes[bit >> 3]! >> (7 - (bit & 7))) & 1;
  let length = 0;
  while (length < 8 * a.length && bitOf(a, length) === bitOf(b, length)) length++;
  return length;
}
