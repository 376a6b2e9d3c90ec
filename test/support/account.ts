/**
 * The books of a simulated world: what was acknowledged, and who has held it since. After every event it says whether a promise was broken; it
 * hears of each change from the stores themselves, so a check costs nothing where nothing changed.
 */
import type { CellChange, Key, RecordHeader } from '../../src/records/index.ts';
import { compareBytes, toHex } from '../../src/records/index.ts';
import type { SimulatedNode, World } from '../../testnet/simulator/index.ts';

interface Acknowledged {
  readonly key: Key;
  readonly seq: number;
  readonly deleted: boolean;
  /** Nodes that have held this version or a newer one, and those that do. */
  readonly ever: Set<number>;
  readonly now: Set<number>;
}

export class Account {
  readonly #world: World;
  // BOUNDED: by the keys of the test. By hex key id.
  readonly #acknowledged = new Map<string, Acknowledged>();
  /** Newest version per node and cell: nothing may come back below it. */
  readonly #floors = new Map<string, RecordHeader>();
  #suspects = new Set<string>();
  #checked = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** To be called for every life of a node, right after its start. */
  async follow(node: SimulatedNode): Promise<void> {
    const { registry } = node.life;
    if (registry === undefined) return;
    registry.subscribe((change) => this.#onChange(node.number, change));
    this.#forget(node.number);
    for await (const { header } of registry.cells()) this.#onChange(node.number, { kind: 'held', header });
  }

  /** A node lost its disk: nobody expects anything of it. */
  #forget(number: number): void {
    for (const entry of this.#acknowledged.values()) {
      entry.ever.delete(number);
      entry.now.delete(number);
    }
    for (const floor of this.#floors.keys()) if (floor.startsWith(`${number}/`)) this.#floors.delete(floor);
  }

  wiped(number: number): void {
    this.#forget(number);
  }

  /** A put or delete was acknowledged; `holders` by their numbers. */
  async acknowledged(key: Key, version: { readonly seq: number; readonly deleted: boolean }): Promise<void> {
    const entry: Acknowledged = { key, ...version, ever: new Set(), now: new Set() };
    for (const { number, life } of this.#world.alive) {
      const held = (await life.registry?.read(key.id)) ?? [];
      if (!held.some(({ header }) => header.seq >= version.seq)) continue;
      entry.ever.add(number);
      entry.now.add(number);
    }
    this.#acknowledged.set(toHex(key.id), entry);
  }

  /** What somebody still has who has held it: whose every holder lost its disk cannot be asked for. */
  get owed(): readonly { readonly key: Key; readonly deleted: boolean; readonly seq: number }[] {
    return [...this.#acknowledged.values()].filter(({ ever }) => ever.size > 0);
  }

  /** @throws Error naming the promise that was broken. Cheap: to be called after every event. */
  check(): void {
    const { nodes } = this.#world;
    const node = nodes[this.#checked++ % nodes.length]!;
    if (node.isAlive) checkTable(node);
    for (const keyId of this.#suspects) {
      const entry = this.#acknowledged.get(keyId)!;
      const isUp = (number: number) => nodes[number]!.isAlive;
      if ([...entry.ever].some(isUp) && ![...entry.now].some(isUp)) {
        throw new Error(`nobody who is up holds "${entry.key.text}" any more, and somebody who is up has held it`);
      }
    }
    this.#suspects = new Set();
  }

  #onChange(number: number, change: CellChange): void {
    if (change.kind === 'gone') {
      const keyId = toHex(change.cellId.subarray(0, 32));
      this.#floors.delete(`${number}/${toHex(change.cellId)}`);
      if (this.#acknowledged.get(keyId)?.now.delete(number)) this.#suspects.add(keyId);
      return;
    }
    const { header } = change;
    const cell = `${number}/${toHex(header.key.id)}${toHex(header.publisher)}`;
    const floor = this.#floors.get(cell);
    if (floor !== undefined && floor.seq > header.seq)
      throw new Error(`node ${number} went back on "${header.key.text}"`);
    this.#floors.set(cell, header);
    const entry = this.#acknowledged.get(toHex(header.key.id));
    if (entry === undefined || header.seq < entry.seq) return;
    entry.ever.add(number);
    entry.now.add(number);
  }
}

/** Buckets and table: everybody once, in the right bucket, nobody is ourselves, no bucket beyond three times K. */
function checkTable({ kademlia, number }: SimulatedNode): void {
  const seen = new Set<string>();
  const sizes = new Map<number, number>();
  for (const { contact } of kademlia.table.entries()) {
    const bucket = kademlia.table.bucketIndex(contact.id);
    const size = (sizes.get(bucket) ?? 0) + 1;
    sizes.set(bucket, size);
    const isWrong =
      seen.has(contact.id.hex) ||
      compareBytes(contact.id.bytes, kademlia.self.id.bytes) === 0 ||
      size > 3 * kademlia.table.k;
    if (isWrong) throw new Error(`the table of node ${number} is broken at bucket ${bucket}`);
    seen.add(contact.id.hex);
  }
}
