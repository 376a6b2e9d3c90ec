/** Lookups at full size, without time or messages: every table saw everybody in random order, the oracle sorts all of them. */
import { describe, expect, it } from 'vitest';
import {
  type Contact,
  compareDistance,
  createContact,
  Lookup,
  NodeId,
  RoutingTable,
} from '../../../src/kademlia/index.ts';
import { seededRandom } from '../../unit/kademlia/memory-network.ts';

const K = 20;

interface Tally {
  readonly overlap: number;
  readonly worstHops: number;
  readonly meanRequests: number;
}

function lookUpOften(options: {
  readonly nodes: number;
  readonly met: number;
  readonly dead: number;
  readonly seed: number;
}): Tally {
  const random = seededRandom(options.seed);
  const contacts = Array.from({ length: options.nodes }, () => createContact(random.bytes(32), []));
  const dead = new Set(contacts.filter(() => random.next() < options.dead).map(({ id }) => id.hex));
  const living = contacts.filter(({ id }) => !dead.has(id.hex));
  const tables = new Map<string, RoutingTable>();
  const tableOf = ({ id }: Contact): RoutingTable => {
    let table = tables.get(id.hex);
    if (table === undefined) {
      table = new RoutingTable({ self: id, k: K });
      const start = Math.floor(random.next() * contacts.length);
      for (let i = 0; i < contacts.length * options.met; i++)
        table.insert(contacts[(start + i * 7) % contacts.length]!, 0);
      tables.set(id.hex, table);
    }
    return table;
  };

  let right = 0;
  let wanted = 0;
  let requests = 0;
  let worstHops = 0;
  const lookups = 40;
  for (let i = 0; i < lookups; i++) {
    const target = NodeId.fromBytes(random.bytes(32));
    const self = living[i]!;
    const lookup = new Lookup({ target, self: self.id, k: K, alpha: 3 }, tableOf(self).closest(target, 3 * K));
    const inFlight: Contact[] = [];
    for (let step = lookup.next(); step.kind !== 'done'; step = lookup.next()) {
      if (step.kind === 'query') {
        inFlight.push(step.contact);
        continue;
      }
      const [contact] = inFlight.splice(Math.floor(random.next() * inFlight.length), 1);
      if (dead.has(contact!.id.hex)) lookup.onFailure(contact!.id);
      else lookup.onSuccess(contact!.id, tableOf(contact!).closest(target, K, self.id));
    }
    const others = living.filter((contact) => contact !== self);
    const truth = others.sort((a, b) => compareDistance(target, a.id, b.id)).slice(0, K);
    const found = new Set(lookup.closest.map(({ id }) => id.hex));
    right += truth.filter(({ id }) => found.has(id.hex)).length;
    wanted += truth.length;
    requests += lookup.requests;
    worstHops = Math.max(worstHops, lookup.hops);
  }
  return { overlap: right / wanted, worstHops, meanRequests: requests / lookups };
}

describe('Lookup', () => {
  it('finds the 20 closest of 1,000 nodes', () => {
    const { overlap, worstHops, meanRequests } = lookUpOften({ nodes: 1_000, met: 1, dead: 0, seed: 1 });
    expect(overlap).toBeGreaterThanOrEqual(0.99);
    expect(worstHops).toBeLessThanOrEqual(5);
    expect(meanRequests).toBeLessThan(30);
  });

  it('finds the 20 closest of 1,000 nodes of whom each has met only every second', () => {
    const { overlap, worstHops } = lookUpOften({ nodes: 1_000, met: 0.5, dead: 0, seed: 2 });
    expect(overlap).toBeGreaterThanOrEqual(0.99);
    expect(worstHops).toBeLessThanOrEqual(5);
  });

  it('asks hardly more than the 20 that must be asked in a network of 64', () => {
    const { overlap, meanRequests } = lookUpOften({ nodes: 64, met: 1, dead: 0, seed: 3 });
    expect(overlap).toBe(1);
    expect(meanRequests).toBeLessThan(22);
  });

  it('finds most of the closest living when every third node is dead and nobody has noticed', () => {
    const { overlap, meanRequests } = lookUpOften({ nodes: 1_000, met: 1, dead: 0.3, seed: 4 });
    expect(overlap).toBeGreaterThan(0.9);
    expect(meanRequests).toBeLessThan(60);
  });
});
