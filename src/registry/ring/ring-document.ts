/**
 * What a ring is made of, as every one of its shards keeps it: so that a start with other storages notices, and knows from where to where keys have
 * to move. Not here: moving them.
 */
import { NautilusError } from '../../core/index.ts';
import { utf8Decode, utf8Encode } from '../../records/index.ts';
import { misconfigured } from '../misconfigured.ts';
import type { StorageEntry } from '../storage.ts';
import { HashRing, type RingMember } from './hash-ring.ts';

export interface DocumentMember extends RingMember {
  /** Somebody said so; it stays without a share until it is taken off the list of storages. */
  readonly isDrainAsked: boolean;
  /** What it holds outlives the process. */
  readonly isLasting: boolean;
}

export interface RingShape {
  readonly copies: number;
  readonly members: readonly RingMember[];
}

export interface RingDocument {
  /** Hex; made with the ring. */
  readonly ringId: string;
  /** Grows with each change. */
  readonly epoch: number;
  readonly copies: number;
  readonly members: readonly DocumentMember[];
  /** Keys are still on their way from there. */
  readonly former: RingShape | null;
}

const FORMAT = 1;

export function encodeDocument(document: RingDocument): StorageEntry {
  const value = utf8Encode(JSON.stringify({ format: FORMAT, ...document }));
  return { value, version: document.epoch, expiresAt: Number.MAX_SAFE_INTEGER };
}

/** @throws NautilusError `STORAGE_DAMAGED`; `CONFIG_INVALID` for that of a newer version */
export function decodeDocument(shard: string, { value }: StorageEntry): RingDocument {
  let fields: unknown;
  try {
    fields = JSON.parse(utf8Decode(value));
  } catch (cause) {
    throw damaged(shard, cause);
  }
  if (typeof fields !== 'object' || fields === null || !('format' in fields)) throw damaged(shard);
  if (fields.format !== FORMAT) {
    throw misconfigured(`the ring in ${shard} was made by a newer version: update Nautilus`);
  }
  const { ringId, epoch, copies, members, former } = fields as unknown as RingDocument;
  const isWhole = typeof ringId === 'string' && typeof epoch === 'number' && typeof copies === 'number';
  if (!isWhole || !areMembers(members) || !(former === null || areMembers(former?.members))) throw damaged(shard);
  return { ringId, epoch, copies, members, former };
}

/** Whether nothing is left on a member. */
export function isDrained({ former }: RingDocument, { weight }: RingMember): boolean {
  return weight === 0 && former === null;
}

export function toRing({ members, copies }: RingShape): HashRing {
  return new HashRing(members, copies);
}

function areMembers(members: unknown): members is readonly RingMember[] {
  return (
    Array.isArray(members) &&
    members.every((each: unknown) => typeof each === 'object' && each !== null && 'name' in each && 'weight' in each)
  );
}

function damaged(shard: string, cause?: unknown): NautilusError {
  return new NautilusError('STORAGE_DAMAGED', `what ${shard} says of its ring cannot be read: restore it from a copy`, {
    cause,
  });
}
