import { describe, expect, it } from 'vitest';
import { RoutingTable } from '../../../src/kademlia/index.ts';
import { byteId, byteOf, contact, neighbourhoodOf } from './byte-ids.ts';

const SELF = 0b0000_0000;

function tableOf(values: readonly number[], k = 2): RoutingTable {
  const table = new RoutingTable({ self: byteId(SELF), k });
  values.forEach((value, i) => {
    table.insert(contact(value), i);
  });
  return table;
}

const valuesOf = (table: RoutingTable) => Array.from(table.entries(), (entry) => byteOf(entry.contact));

/** With a neighbour, so that the farther buckets have 2 places and no more. */
const NEIGHBOUR = 0b0000_0001;
const crowdedTableOf = (values: readonly number[]) => tableOf([NEIGHBOUR, ...values]);
const crowdOf = (table: RoutingTable) => valuesOf(table).filter((value) => value !== NEIGHBOUR);

describe('RoutingTable', () => {
  it('keeps a contact in the bucket of the first bit that differs from its own id', () => {
    const table = tableOf([]);
    expect(table.bucketIndex(byteId(0b1000_0000))).toBe(0);
    expect(table.bucketIndex(byteId(0b0001_1111))).toBe(3);
    expect(table.bucketIndex(byteId(0b0000_0001))).toBe(7);
    expect(table.bucketIndex(byteId(SELF))).toBe(8);
  });

  it('does not take itself', () => {
    const table = tableOf([]);
    expect(table.insert(contact(SELF), 0)).toEqual({ kind: 'rejected', reason: 'self' });
    expect(table.size).toBe(0);
  });

  it('makes a contact that is seen again the most recently seen of its bucket', () => {
    const table = tableOf([0b1000_0001, 0b1000_0010, 0b1000_0011], 3);
    expect(table.insert(contact(0b1000_0001), 9)).toEqual({ kind: 'updated' });
    expect(valuesOf(table)).toEqual([0b1000_0010, 0b1000_0011, 0b1000_0001]);
    expect(table.lastSeen(byteId(0b1000_0001))).toBe(9);
  });

  it('names the oldest of a full bucket instead of dropping it', () => {
    const table = crowdedTableOf([0b1000_0001, 0b1000_0010]);
    const outcome = table.insert(contact(0b1000_0011), 5);
    expect(outcome).toMatchObject({ kind: 'full', oldestSeenAt: 1, oldest: { id: byteId(0b1000_0001) } });
    expect(crowdOf(table)).toEqual([0b1000_0001, 0b1000_0010]);
  });

  it('promotes the replacement that was seen last when a place becomes free', () => {
    const table = crowdedTableOf([0b1000_0001, 0b1000_0010, 0b1000_0011, 0b1000_0100]);
    const outcome = table.remove(byteId(0b1000_0001));
    expect(outcome).toMatchObject({ kind: 'removed', promoted: [{ id: byteId(0b1000_0100) }] });
    expect(crowdOf(table)).toEqual([0b1000_0010, 0b1000_0100]);
    expect(table.remove(byteId(0b1000_0001))).toEqual({ kind: 'unknown' });
  });

  it('does not promote a replacement that was removed', () => {
    const table = crowdedTableOf([0b1000_0001, 0b1000_0010, 0b1000_0011]);
    table.remove(byteId(0b1000_0011));
    expect(table.remove(byteId(0b1000_0001))).toEqual({ kind: 'removed', promoted: [] });
  });

  it('takes the newest addresses of a contact', () => {
    const table = tableOf([0b1000_0001]);
    table.insert(contact(0b1000_0001, ['/ip4/203.0.113.1/tcp/1']), 1);
    expect(table.get(byteId(0b1000_0001))?.addresses).toEqual(['/ip4/203.0.113.1/tcp/1']);
  });

  describe('when contacts do not answer', () => {
    it('removes one after two failures in a row, if others answered meanwhile', () => {
      const table = tableOf([0b1000_0001, 0b0100_0000]);
      expect(table.failed(byteId(0b1000_0001))).toEqual({ kind: 'kept' });
      table.insert(contact(0b0100_0000), 3);
      expect(table.failed(byteId(0b1000_0001))).toEqual({ kind: 'removed', promoted: [] });
      expect(valuesOf(table)).toEqual([0b0100_0000]);
      expect(table.missing().map(byteOf)).toEqual([0b1000_0001]);
    });

    it('forgives a failure when the contact answers again', () => {
      const table = tableOf([0b1000_0001, 0b0100_0000]);
      table.failed(byteId(0b1000_0001));
      table.insert(contact(0b1000_0001), 3);
      table.insert(contact(0b0100_0000), 3);
      expect(table.failed(byteId(0b1000_0001))).toEqual({ kind: 'kept' });
    });

    it('forgets nobody while nobody answers: the fault may be its own', () => {
      const table = tableOf([0b1000_0001, 0b0100_0000, 0b0010_0000]);
      for (let round = 0; round < 5; round++) {
        for (const value of valuesOf(table)) expect(table.failed(byteId(value))).toEqual({ kind: 'kept' });
      }
      expect(table.size).toBe(0);
      expect(table.closest(byteId(0b1000_0000), 3).map(byteOf)).toEqual([0b1000_0001, 0b0010_0000, 0b0100_0000]);
      expect(table.missing()).toHaveLength(3);
    });

    it('asks those in doubt no more as soon as one answers, and counts who is back', () => {
      const table = tableOf([0b1000_0001, 0b0100_0000]);
      for (const value of [0b1000_0001, 0b1000_0001, 0b0100_0000, 0b0100_0000]) table.failed(byteId(value));
      table.insert(contact(0b0100_0000), 9);
      expect(table.size).toBe(1);
      expect(table.closest(byteId(0b1000_0000), 3).map(byteOf)).toEqual([0b0100_0000]);
      expect(table.failed(byteId(0b1000_0001))).toMatchObject({ kind: 'removed' });
    });

    it('gives the place of one in doubt to a newcomer of the same bucket', () => {
      const table = crowdedTableOf([0b1000_0001, 0b1000_0010]);
      table.failed(byteId(0b1000_0001));
      table.failed(byteId(0b1000_0001));
      expect(table.insert(contact(0b1000_0011), 5)).toEqual({ kind: 'inserted' });
      expect(crowdOf(table)).toEqual([0b1000_0010, 0b1000_0011]);
      expect(table.size).toBe(3);
    });

    it('remembers at most 8k of the lost', () => {
      const values = Array.from({ length: 40 }, (_, i) => i + 1);
      const table = new RoutingTable({ self: byteId(SELF), k: 2 });
      for (const value of values) {
        table.insert(contact(value), 0);
        table.failed(byteId(value));
        table.insert(contact(0b1111_1111), 0);
        table.failed(byteId(value));
      }
      expect(table.size).toBe(1);
      expect(table.missing().map(byteOf)).toEqual(values.slice(-16));
    });
  });

  describe('limits of one owner', () => {
    const inGroup = (value: number) => contact(value, [`/ip4/203.0.113.${value}/tcp/1`]);

    it('takes two of one /24 into a bucket', () => {
      const table = new RoutingTable({ self: byteId(SELF), k: 20 });
      expect(table.insert(inGroup(0b1000_0001), 0)).toEqual({ kind: 'inserted' });
      expect(table.insert(inGroup(0b1000_0010), 0)).toEqual({ kind: 'inserted' });
      expect(table.insert(inGroup(0b1000_0011), 0)).toEqual({ kind: 'rejected', reason: 'group' });
      expect(table.insert(contact(0b1000_0011, ['/ip4/198.51.100.1/tcp/1']), 0)).toEqual({ kind: 'inserted' });
    });

    it('takes ten of one /24 into the table', () => {
      const table = new RoutingTable({ self: byteId(SELF), k: 20 });
      for (let bit = 0; bit < 5; bit++) {
        table.insert(inGroup(0x80 >> bit), 0);
        table.insert(inGroup((0x80 >> bit) + 1), 0);
      }
      expect(table.size).toBe(10);
      expect(table.insert(inGroup(0b0000_0100), 0)).toEqual({ kind: 'rejected', reason: 'group' });
      table.remove(byteId(0x80));
      expect(table.insert(inGroup(0b0000_0100), 0)).toEqual({ kind: 'inserted' });
    });

    it('has no such limit for loopback and private networks', () => {
      const table = new RoutingTable({ self: byteId(SELF), k: 20 });
      for (let value = 1; value <= 30; value++) {
        const scope = value % 2 === 0 ? '127.0.0.1' : '192.168.1.9';
        expect(table.insert(contact(value, [`/ip4/${scope}/tcp/${value}`]), 0)).toEqual({ kind: 'inserted' });
      }
    });

    it('is not worked around by moving there later', () => {
      const table = new RoutingTable({ self: byteId(SELF), k: 20 });
      for (const value of [0b1000_0001, 0b1000_0010]) table.insert(inGroup(value), 0);
      table.insert(contact(0b1000_0011, ['/ip4/198.51.100.1/tcp/1']), 0);
      expect(table.insert(inGroup(0b1000_0011), 0)).toEqual({ kind: 'updated' });
      expect(table.get(byteId(0b1000_0011))?.addresses).toEqual(['/ip4/198.51.100.1/tcp/1']);
    });

    it('holds for promoted replacements too', () => {
      const table = new RoutingTable({ self: byteId(SELF), k: 2 });
      table.insert(contact(NEIGHBOUR), 0);
      table.insert(inGroup(0b1000_0001), 0);
      table.insert(contact(0b1000_0010), 0);
      table.insert(inGroup(0b1000_0011), 0);
      table.insert(inGroup(0b0100_0001), 0);
      table.insert(inGroup(0b0100_0010), 0);
      expect(table.remove(byteId(0b1000_0010))).toMatchObject({ promoted: [{ id: byteId(0b1000_0011) }] });
    });
  });

  describe('its neighbourhood', () => {
    it('names each of its contacts by a share, without those in doubt', () => {
      const table = tableOf([0b1000_0000, 0b1000_0001, 0b0100_0000, 0b0010_0000], 4);
      const expectNamed = (count: number) => {
        const { contacts } = table.neighbourhood();
        expect(contacts).toHaveLength(count);
        expect(contacts.map((_, i) => table.neighbourAt((i + 0.5) / count))).toEqual(contacts);
      };
      expectNamed(4);
      for (const value of [0b1000_0000, 0b1000_0000]) table.failed(byteId(value));
      expectNamed(3);
      expect(tableOf([], 4).neighbourAt(0.5)).toBeUndefined();
    });

    it('names who is farther away on demand, and says how far it reaches all the same', () => {
      const table = tableOf([0b1000_0000, 0b1000_0001, 0b0100_0000, 0b0100_0001, 0b0010_0000, 0b0010_0001], 2);
      const { depth, contacts } = table.neighbourhood(1);
      expect(depth).toBe(2);
      expect(contacts.map(byteOf).sort((a, b) => a - b)).toEqual([0b0010_0000, 0b0010_0001, 0b0100_0000, 0b0100_0001]);
      expect(table.neighbourhood(7)).toEqual(table.neighbourhood());
    });

    it('is everybody while fewer than K nodes are known', () => {
      expect(neighbourhoodOf(tableOf([], 4))).toEqual({ depth: 0, values: [] });
      expect(neighbourhoodOf(tableOf([0b1000_0001, 0b0100_0000], 4))).toEqual({
        depth: 0,
        values: [0b0100_0000, 0b1000_0001],
      });
    });

    it('reaches as far as it takes to have K nodes with itself, and not into full buckets at its edge', () => {
      const table = tableOf([0b1000_0000, 0b1000_0001, 0b0100_0000, 0b0100_0001, 0b0010_0000, 0b0010_0001], 3);
      for (const value of [0b0010_0010, 0b0100_0010, 0b1000_0010]) table.insert(contact(value), 9);
      expect(neighbourhoodOf(table)).toEqual({ depth: 2, values: [0b0010_0000, 0b0010_0001, 0b0010_0010] });
    });

    it('takes in farther buckets that are known not to be full, also behind a full one', () => {
      // Five so near say that there are some 200: bucket 0 cannot be as empty as it is here, unless maintenance found nobody there either.
      const table = tableOf([1, 2, 3, 4, 5, 0b1000_0000, 0b1000_0001, 0b1000_0010], 5);
      expect(table.neighbourhoodDepth()).toBe(0);
      table.insert(contact(0b1000_0011), 9);
      expect(table.neighbourhoodDepth()).toBe(1);
      expect(tableOf([0b1000_0000, 0b0100_0000, 0b0100_0001, 0b0010_0000, 0b0010_0001], 2).neighbourhoodDepth()).toBe(
        0,
      );
    });

    it('leaves out who is in doubt', () => {
      const table = tableOf([0b1000_0001, 0b0100_0000], 4);
      for (let i = 0; i < 2; i++) table.failed(byteId(0b0100_0000));
      expect(neighbourhoodOf(table)).toEqual({ depth: 0, values: [0b1000_0001] });
    });

    it('has three times the places of other buckets, for all must know each other', () => {
      const table = new RoutingTable({ self: byteId(SELF), k: 4 });
      const inBucket0 = Array.from({ length: 20 }, (_, i) => 0b1000_0000 + i);
      const outcomes = inBucket0.map((value) => table.insert(contact(value), 0).kind);
      expect(outcomes.lastIndexOf('inserted')).toBe(11);
      expect(neighbourhoodOf(table)).toEqual({ depth: 0, values: inBucket0.slice(0, 12) });
    });

    it('evicts nobody when nearer buckets fill up: then newcomers find the farther one full', () => {
      const table = new RoutingTable({ self: byteId(SELF), k: 4 });
      const far = Array.from({ length: 8 }, (_, i) => 0b1000_0000 + i);
      for (const value of [...far, 1, 2, 3]) expect(table.insert(contact(value), 0).kind).toBe('inserted');
      expect(neighbourhoodOf(table)).toEqual({ depth: 1, values: [1, 2, 3] });
      expect(table.insert(contact(0b1111_0000), 0).kind).toBe('full');
      expect(table.sizes()[0]).toBe(8);
      for (const value of far.slice(0, 4)) expect(table.remove(byteId(value))).toMatchObject({ promoted: [] });
      expect(table.remove(byteId(far[4]!))).toMatchObject({ promoted: [{ id: byteId(0b1111_0000) }] });
      expect(table.sizes()[0]).toBe(4);
    });

    it('gives a newcomer the place of one in doubt also in a bucket that has too many', () => {
      const table = new RoutingTable({ self: byteId(SELF), k: 4 });
      for (const value of [0b1000_0000, 0b1000_0001, 0b1000_0010, 0b1000_0011, 0b1000_0100, 1, 2, 3]) {
        table.insert(contact(value), 0);
      }
      for (let i = 0; i < 2; i++) table.failed(byteId(0b1000_0010));
      expect(table.insert(contact(0b1111_0000), 0)).toEqual({ kind: 'inserted' });
      expect(valuesOf(table)).not.toContain(0b1000_0010);
      expect(table.sizes()[0]).toBe(5);
    });

    it('lets those wait no longer who found a farther bucket full that is one of the nearest now', () => {
      const table = tableOf([1, 2, 0b1000_0000, 0b1000_0001, 0b1000_0010, 0b1000_0011, 0b1000_0100], 3);
      expect(table.sizes()[0]).toBe(3);
      const outcome = table.remove(byteId(1));
      expect(outcome).toMatchObject({ promoted: [{ id: byteId(0b1000_0100) }, { id: byteId(0b1000_0011) }] });
      expect(neighbourhoodOf(table).depth).toBe(0);
      expect(neighbourhoodOf(table).values).toContain(0b1000_0011);
    });
  });

  it('has another revision whenever somebody comes, goes, falls into doubt or gets out of it', () => {
    const table = tableOf([0b1000_0001, 0b0100_0000]);
    let revision = table.revision;
    const hasChanged = () => {
      const before = revision;
      revision = table.revision;
      return revision !== before;
    };
    table.insert(contact(0b1000_0001), 5);
    expect(hasChanged()).toBe(false);
    table.failed(byteId(0b1000_0001));
    expect(hasChanged()).toBe(false);
    table.failed(byteId(0b1000_0001));
    expect(hasChanged()).toBe(true);
    table.insert(contact(0b1000_0001), 6);
    expect(hasChanged()).toBe(true);
    table.remove(byteId(0b0100_0000));
    expect(hasChanged()).toBe(true);
  });

  it('has the same revision when somebody comes or goes so far away that the neighbourhood is what it was', () => {
    const nearest = [1, 2, 3, 4];
    const farther = [0b0100_0000, 0b0100_0001, 0b0100_0010, 0b0100_0011];
    const farthest = [0b1000_0000, 0b1000_0001, 0b1000_0010, 0b1000_0011];
    const table = tableOf([...nearest, ...farther, ...farthest], 4);
    const neighbourhood = neighbourhoodOf(table);
    expect(neighbourhood).toEqual({ depth: 2, values: nearest });
    const { revision } = table;
    table.remove(byteId(0b1000_0000));
    table.failed(byteId(0b1000_0001));
    table.failed(byteId(0b1000_0001));
    table.insert(contact(0b1000_1000), 9);
    expect(table.revision).toBe(revision);
    expect(neighbourhoodOf(table)).toEqual(neighbourhood);
    table.remove(byteId(0b0100_0000));
    expect(table.revision).not.toBe(revision);
  });

  it('has another revision once a bucket was searched: its neighbourhood may reach farther then', () => {
    const table = new RoutingTable({ self: byteId(SELF), k: 3 });
    table.restore(contact(0b1000_0001), 0);
    for (const value of [0b1000_0001, 0b0100_0001, 0b0010_0001]) table.insert(contact(value), 1);
    expect(table.neighbourhoodDepth()).toBe(1);
    const before = table.revision;
    table.markSearched(0);
    expect(table.neighbourhoodDepth()).toBe(0);
    expect(table.revision).not.toBe(before);
    const { revision } = table;
    table.markSearched(0);
    expect(table.revision).toBe(revision);
  });

  it('has a bucket of few contacts searched, however many there should be by its estimate', () => {
    const table = new RoutingTable({ self: byteId(SELF), k: 3 });
    table.restore(contact(0b1000_0001), 0);
    for (const value of [0b1000_0001, 0b0000_0001, 0b0000_0010, 0b0000_0011]) table.insert(contact(value), 1);
    expect(table.estimateOthers()).toBeGreaterThan(100);
    expect(table.unsearchedBucket()).toBe(0);
  });

  it('remembers who was evicted for silence, and not who said goodbye', () => {
    const table = tableOf([0b1000_0001, 0b0100_0000]);
    table.evict(byteId(0b1000_0001));
    table.remove(byteId(0b0100_0000));
    expect(table.missing().map(byteOf)).toEqual([0b1000_0001]);
    table.remove(byteId(0b1000_0001));
    expect(table.missing()).toEqual([]);
  });

  it('does not tell the asker about itself', () => {
    const table = tableOf([0b1000_0001, 0b0100_0000], 4);
    expect(table.closest(byteId(0b1000_0001), 4, byteId(0b1000_0001)).map(byteOf)).toEqual([0b0100_0000]);
  });

  it('knows which buckets no lookup went through', () => {
    const table = tableOf([0b1000_0001, 0b0010_0000]);
    expect(table.staleBuckets(100)).toEqual([0, 1, 2]);
    table.markRefreshed(byteId(0b0100_1010), 150);
    table.markRefreshed(byteId(SELF), 150);
    expect(table.staleBuckets(100)).toEqual([0, 2]);
    expect(table.staleBuckets(150)).toEqual([0, 1, 2]);
  });

  it('holds restored contacts in doubt until they answer', () => {
    const table = tableOf([]);
    expect(table.restore(contact(0b1000_0001), 7)).toBe(true);
    expect(table.restore(contact(SELF), 7)).toBe(false);
    expect(table.size).toBe(0);
    expect(table.closest(byteId(1), 5).map(byteOf)).toEqual([0b1000_0001]);
    table.insert(contact(0b1000_0001), 8);
    expect(table.size).toBe(1);
  });
});
