/** What must be true of a world some time after its last fault: everybody answers for everything, has the same, and every reader is told it. */

import { NodeId } from '../../src/kademlia/index.ts';
import { cellId, compareVersions, floorUntil, type RecordHeader, toHex } from '../../src/records/index.ts';
import type { World } from '../../testnet/simulator/index.ts';
import type { RandomOperations } from './random-operations.ts';
import type { ReaderBook } from './reader-book.ts';

export interface RecoveredComponents {
  readonly world: World;
  readonly readers: ReaderBook;
  readonly operations: RandomOperations;
  /** Lets time pass, and checks every event. */
  run(ms: number): Promise<void>;
}

/** Floors that are about to be forgotten may be by some already: clocks differ. */
const FORGETTING_MS = 5 * 60_000;
/** Timers one idle node may have: its own, and deadlines of connections. */
const MAX_TIMERS_PER_NODE = 64;

/** @throws Error naming what has not recovered */
export async function checkRecovered({ world, readers, operations, run }: RecoveredComponents): Promise<void> {
  const { pending } = operations;
  if (pending.length > 0) throw new Error(`never ended: ${pending.join(', ')}`);
  for (const [reason, count] of world.misbehaviour) throw new Error(`${count} frames broke the protocol: ${reason}`);
  const unsettled = world.nodes.filter(({ replication }) => !replication.isSettled).map(({ number }) => number);
  if (unsettled.length > 0) throw new Error(`not settled: ${unsettled.join(' ')}`);
  const { pendingEvents } = world.clock;
  if (pendingEvents > MAX_TIMERS_PER_NODE * world.nodes.length) throw new Error(`${pendingEvents} timers are left`);
  await checkCopies(world, operations);
  readers.expectEverything();
  operations.expectSuccess();
  for (const key of operations.keys) operations.startGet(world.random.pick(world.nodes), key, 'all');
  await run(60_000);
  // And it goes on: what is put now is there for everybody.
  for (const key of operations.keys) {
    const writer = world.nodes.find(({ self }) => self.publicKey.join() === key.owner?.join());
    operations.startPut(writer ?? world.random.pick(world.nodes), key, false);
  }
  await run(30_000);
  for (const key of operations.keys) operations.startGet(world.random.pick(world.nodes), key, 'newest');
  await run(60_000);
}

/** All K nearest of a key hold the same versions of it. */
async function checkCopies(world: World, { keys }: RandomOperations): Promise<void> {
  for (const key of keys) {
    const newest = new Map<string, RecordHeader>();
    const holders = await Promise.all(
      world.trueClosest(NodeId.fromBytes(key.id)).map(async ({ number, life }) => {
        const held = (await life.registry?.read(key.id)) ?? [];
        const cells = new Map(held.map(({ header }) => [toHex(cellId(header)), header] as const));
        return { number, cells };
      }),
    );
    for (const { cells } of holders) {
      for (const [cell, header] of cells) {
        const known = newest.get(cell);
        if (known === undefined || compareVersions(header, known) > 0) newest.set(cell, header);
      }
    }
    for (const [cell, header] of newest) {
      if (floorUntil(header, world.constants) < world.clock.now() + FORGETTING_MS) continue;
      const lacking = holders.filter(({ cells }) => {
        const own = cells.get(cell);
        return own === undefined || compareVersions(own, header) !== 0;
      });
      if (lacking.length > 0) {
        throw new Error(`"${key.text}" differs or lacks on ${lacking.map(({ number }) => number).join(' ')}`);
      }
    }
  }
}
