import { describe, expect, it } from 'vitest';
import { RoutingTable } from '../../../src/kademlia/index.ts';
import { byteId, byteOf, contact } from './byte-ids.ts';

const SELF = 0b0000_0000;

function tableOf(values: readonly number[], k = 2): RoutingTable {
  const table = new RoutingTable({ self: byteId(SELF), k });
  values.forEach((value, i) => {
    table.insert(contact(value), i);
  });
  return table;
}

const valuesOf = (table: RoutingTable) => Array.from(table.entries(), (entry) => byteOf(entry.contact));

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
    const table = tableOf([0b1000_0001, 0b1000_0010]);
    const outcome = table.insert(contact(0b1000_0011), 5);
    expect(outcome).toMatchObject({ kind: 'full', oldestSeenAt: 0, oldest: { id: byteId(0b1000_0001) } });
    expect(valuesOf(table)).toEqual([0b1000_0001, 0b1000_0010]);
  });

  it('promotes the replacement that was seen last when a place becomes free', () => {
    const table = tableOf([0b1000_0001, 0b1000_0010, 0b1000_0011, 0b1000_0100]);
    const outcome = table.remove(byteId(0b1000_0001));
    expect(outcome).toMatchObject({ kind: 'removed', promoted: { id: byteId(0b1000_0100) } });
    expect(valuesOf(table)).toEqual([0b1000_0010, 0b1000_0100]);
    expect(table.remove(byteId(0b1000_0001))).toEqual({ kind: 'unknown' });
  });

  it('does not promote a replacement that was removed', () => {
    const table = tableOf([0b1000_0001, 0b1000_0010, 0b1000_0011]);
    table.remove(byteId(0b1000_0011));
    expect(table.remove(byteId(0b1000_0001))).toEqual({ kind: 'removed', promoted: undefined });
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
      expect(table.failed(byteId(0b1000_0001))).toEqual({ kind: 'removed', promoted: undefined });
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
      const table = tableOf([0b1000_0001, 0b1000_0010]);
      table.failed(byteId(0b1000_0001));
      table.failed(byteId(0b1000_0001));
      expect(table.insert(contact(0b1000_0011), 5)).toEqual({ kind: 'inserted' });
      expect(valuesOf(table)).toEqual([0b1000_0010, 0b1000_0011]);
      expect(table.size).toBe(2);
    });

    it('remembers at most 2k of the lost', () => {
      const values = Array.from({ length: 40 }, (_, i) => i + 1);
      const table = new RoutingTable({ self: byteId(SELF), k: 8 });
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
      table.insert(inGroup(0b1000_0001), 0);
      table.insert(contact(0b1000_0010), 0);
      table.insert(inGroup(0b1000_0011), 0);
      table.insert(inGroup(0b0100_0001), 0);
      table.insert(inGroup(0b0100_0010), 0);
      expect(table.remove(byteId(0b1000_0010))).toMatchObject({ promoted: { id: byteId(0b1000_0011) } });
    });
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
