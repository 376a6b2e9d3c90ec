/** What a start with these storages means for the ring they may have been: the same, a change that moves keys, or a mistake that is named. */
import type { RingMember } from './hash-ring.ts';
import { type DocumentMember, isDrained, type RingDocument } from './ring-document.ts';
import { together } from './shard-url.ts';

export interface GivenShard extends RingMember {
  /** Undefined: it could not be opened. */
  readonly opened:
    | { readonly document: RingDocument | undefined; readonly hasEntries: boolean; readonly isLasting: boolean }
    | undefined;
  readonly failure: unknown;
}

export interface PlanInput {
  readonly given: readonly GivenShard[];
  readonly copies: number;
  /** For a new ring. */
  readonly newRingId: string;
  warn(message: string): void;
}

/** @throws NautilusError `CONFIG_INVALID`; the failure of a shard that would be a new one */
export function planRing({ given, copies, newRingId, warn }: PlanInput): RingDocument {
  const documents = given.flatMap(({ opened }) => opened?.document ?? []);
  const rings = new Set(documents.map(({ ringId }) => ringId));
  if (rings.size > 1) throw together('they belong to different rings: start each with its own');
  const newest = documents.reduce<RingDocument | undefined>(
    (best, document) => (best === undefined || document.epoch > best.epoch ? document : best),
    undefined,
  );
  return newest === undefined ? firstRing(given, copies, newRingId) : nextRing(newest, given, copies, warn);
}

function firstRing(given: readonly GivenShard[], copies: number, ringId: string): RingDocument {
  for (const { opened, failure } of given) if (opened === undefined) throw failure;
  const holding = given.filter(({ opened }) => opened?.hasEntries === true);
  if (holding.length > 1) {
    throw together(`${namesOf(holding)} hold records of their own, and are no ring: all but one must be empty`);
  }
  const members = given.map((shard) => toMember(shard, undefined));
  checkShares(members);
  // A store of its own so far: it shares with the others from now on.
  const former = holding.length === 0 ? null : { copies: 1, members: holding.map(({ name }) => ({ name, weight: 1 })) };
  return { ringId, epoch: 1, copies, members, former: former !== null && members.length > 1 ? former : null };
}

function nextRing(
  known: RingDocument,
  given: readonly GivenShard[],
  copies: number,
  warn: (message: string) => void,
): RingDocument {
  const missing = known.members.filter(({ name }) => !given.some((shard) => shard.name === name));
  const lost = missing.filter((member) => !isDrained(known, member) && member.isLasting);
  if (lost.length > 0) {
    const names = namesOf(lost);
    throw together(
      `the ring keeps records in ${names} as well: name it too; to take it away, "nautilus storage drain ${lost[0]!.name}" first`,
    );
  }
  for (const shard of given) checkJoining(known, shard);
  const members = given.map((shard) => {
    const before = known.members.find(({ name }) => name === shard.name);
    if (before?.isDrainAsked && isDrained(known, before)) {
      warn(`${shard.name} has been drained: take it off the list of storages, and name it again later to use it again`);
    }
    return toMember(shard, before);
  });
  checkShares(members);
  const isSame = known.copies === copies && shapeOf(known.members) === shapeOf(members);
  if (isSame && missing.length === 0) return known;
  if (!isSame && known.former !== null) {
    throw together('keys are still moving from an earlier change: start with the former list until it is through');
  }
  const former = isSame ? known.former : { copies: known.copies, members: known.members.filter(isSharing(given)) };
  const isMoving = former !== null && former.members.length > 0;
  return { ...known, epoch: known.epoch + 1, copies, members, former: isMoving ? former : null };
}

function checkJoining(known: RingDocument, { name, opened, failure }: GivenShard): void {
  if (known.members.some((member) => member.name === name)) return;
  if (opened === undefined) throw failure;
  if (opened.document === undefined && opened.hasEntries) {
    throw together(`${name} would join the ring, but holds records of its own: it must be empty`);
  }
}

/** Drained, it stays so until it is taken off the list. */
function toMember({ name, weight, opened }: GivenShard, before: DocumentMember | undefined): DocumentMember {
  const isDrainAsked = before?.isDrainAsked === true;
  return {
    name,
    weight: isDrainAsked ? 0 : weight,
    isDrainAsked,
    isLasting: opened?.isLasting ?? before?.isLasting ?? true,
  };
}

function isSharing(given: readonly GivenShard[]) {
  return ({ name, weight }: RingMember) => weight > 0 && given.some((shard) => shard.name === name);
}

function checkShares(members: readonly RingMember[]): void {
  if (members.every(({ weight }) => weight === 0)) throw together('one of them must have a weight over 0');
}

function shapeOf(members: readonly RingMember[]): string {
  const sharing = members.filter(({ weight }) => weight > 0);
  return JSON.stringify(sharing.map(({ name, weight }) => [name, weight]).sort(([a], [b]) => (a! < b! ? -1 : 1)));
}

function namesOf(shards: readonly { readonly name: string }[]): string {
  return shards.map(({ name }) => name).join(', ');
}
