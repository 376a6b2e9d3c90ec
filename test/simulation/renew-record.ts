/** A publisher's renewal as it comes over the wire: the same version with a later end, its header only. */
import { NodeId } from '../../src/kademlia/index.ts';
import type { HeldRecord, RecordHeader } from '../../src/records/index.ts';
import { encodeSignedHeader } from '../../src/records/signed-header.ts';
import { createHolderSet } from '../../src/replication/holder-set.ts';
import { writeQuorum } from '../../src/replication/quorum.ts';
import { storeOnHolders } from '../../src/replication/store-round.ts';
import type { SimulatedNode, World } from '../../testnet/simulator/index.ts';

/** @returns the renewed header once a majority of the holders has it; undefined when they have not, or it may have no later end */
export async function renewRecord(
  { constants }: World,
  { signer, life }: SimulatedNode,
  header: RecordHeader,
  byMs: number,
): Promise<RecordHeader | undefined> {
  const { kademlia, registry, clock } = life;
  const expiresAt = Math.min(header.expiresAt + byMs, clock.now() + constants.maxTtlMs);
  if (expiresAt <= header.expiresAt) return undefined;
  const later = { ...header, expiresAt };
  const signature = await signer.sign(encodeSignedHeader(constants.network, later));
  const renewed: RecordHeader = { ...later, signature };
  const target = NodeId.fromBytes(header.key.id);
  const { closest, silent } = await kademlia.findClosest(target);
  const selfHolds = registry !== undefined;
  const holders = createHolderSet({ target, k: constants.k, found: closest, silent, self: kademlia.self, selfHolds });
  const wanted = writeQuorum(holders.kEffective);
  const storeVerified = async (own: HeldRecord) => {
    const { newestSeq, ...outcome } = await registry!.merge(own);
    return { type: 'STORE' as const, outcome, newestSeq, time: clock.now() };
  };
  const components = { kademlia, holder: { storeVerified }, clock };
  const { receipt } = await storeOnHolders(components, { header: renewed, value: undefined }, holders, { wanted });
  return receipt.acked >= wanted ? renewed : undefined;
}
