import { describe, expect, test } from 'vitest';
import type { NodeEvent } from '../../../src/core/index.ts';
import { createContact } from '../../../src/kademlia/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, type RecordHeader, type SignedRecord } from '../../../src/records/index.ts';
import { verifiedCells } from '../../../src/replication/cells.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { identity, signed, verifier } from '../../support/signed-records.ts';

const alice = identity(1);
const bob = identity(2);

function world() {
  const events: NodeEvent[] = [];
  const clock = new ManualClock();
  const observer = { notify: (event: NodeEvent) => void events.push(event) };
  return { events, components: { verifier, clock, observer, constants: DEFAULT_NETWORK_CONSTANTS } };
}

function answer(number: number, ...headers: RecordHeader[]) {
  return { holder: createContact(identity(number).publicKey, []), headers, settled: true, elapsedMs: 1, isOwn: false };
}

const seqs = (cells: readonly RecordHeader[]) => cells.map((header) => header.seq);
const forged = ({ header }: SignedRecord): RecordHeader => ({
  ...header,
  signature: header.signature.map((byte) => byte ^ 1),
});

describe('verifiedCells', () => {
  test('has the newest of each publisher, newest first', async () => {
    const { components } = world();
    const [a1, a2, b3] = await Promise.all([
      signed(alice, { seq: 1 }),
      signed(alice, { seq: 2 }),
      signed(bob, { seq: 3 }),
    ]);
    const cells = await verifiedCells(components, [
      answer(10, a1.header),
      answer(11, a2.header, b3.header),
      answer(12),
    ]);
    expect(seqs(cells)).toEqual([3, 2]);
  });

  test('lets one tombstone outweigh any number of holders that missed it', async () => {
    const { components } = world();
    const record = await signed(alice, { seq: 1 });
    const tombstone = await signed(alice, { seq: 2, deleted: true });
    const missed = [10, 11, 12, 13].map((number) => answer(number, record.header));
    const [cell] = await verifiedCells(components, [...missed, answer(14, tombstone.header)]);
    expect(cell?.deleted).toBe(true);
  });

  test('falls back behind a forged header and reports who sent it', async () => {
    const { components, events } = world();
    const [genuine, newer] = await Promise.all([signed(alice, { seq: 1 }), signed(alice, { seq: 9 })]);
    const liar = answer(10, forged(newer));
    expect(seqs(await verifiedCells(components, [liar, answer(11, genuine.header)]))).toEqual([1]);
    expect(events).toEqual([{ type: 'peer-misbehaved', nodeId: liar.holder.id.hex, reason: 'BAD_SIGNATURE' }]);
  });

  test('is not blinded by a forged copy of the very version that is genuine elsewhere', async () => {
    const { components } = world();
    const record = await signed(alice, { seq: 5 });
    expect(seqs(await verifiedCells(components, [answer(10, forged(record)), answer(11, record.header)]))).toEqual([5]);
  });

  test('ignores a seq from the future even under a good signature', async () => {
    const { components } = world();
    const [now, future] = await Promise.all([signed(alice, { seq: 1 }), signed(alice, { seq: 1_800_000_000_000_000 })]);
    expect(seqs(await verifiedCells(components, [answer(10, future.header), answer(11, now.header)]))).toEqual([1]);
  });

  test('believes the clocks of most holders rather than its own', async () => {
    const { components } = world();
    const ahead = await signed(alice, { seq: 1_800_000_000_000_000 });
    const answers = [answer(10, ahead.header), answer(11, ahead.header), answer(12)];
    expect(seqs(await verifiedCells(components, answers))).toEqual([1_800_000_000_000_000]);
  });

  test('takes what its own store has without verifying it again', async () => {
    const { components } = world();
    const record = await signed(alice, { seq: 1_800_000_000_000_000 });
    const own = { ...answer(10, forged(record)), isOwn: true };
    expect(await verifiedCells(components, [own, answer(11), answer(12)])).toEqual([forged(record)]);
  });

  test('never goes back behind what this node has seen before', async () => {
    const { components } = world();
    const [old, seen] = await Promise.all([signed(alice, { seq: 1 }), signed(alice, { seq: 2 })]);
    expect(seqs(await verifiedCells(components, [answer(10, old.header)], [seen.header]))).toEqual([2]);
  });
});
