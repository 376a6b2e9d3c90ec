/**
 * Delete: a signed tombstone over this publisher's own record. Nobody can delete what another published; the caller is told whose records
 * remain instead of being left to believe the key is gone.
 */
import { NautilusError } from '../core/index.ts';
import { bytesEqual, type Key, type RecordHeader, toPeerIdText } from '../records/index.ts';
import { countSettled, type GetComponents, noHolders, tooFewAnswers } from './get.ts';
import { type PutComponents, publish } from './put.ts';
import { type QuorumChoice, readQuorum } from './quorum.ts';
import { readCells } from './read-cells.ts';
import type { PutResult } from './results.ts';

export interface DeleteInput {
  readonly key: Key;
  readonly quorum?: QuorumChoice | undefined;
  readonly strict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const NOTHING = new Uint8Array(0);

/**
 * @throws NautilusError `NOT_DELETABLE`, `NOT_FOUND`, `CONFLICT` (the newest record is another's; the caller's own, if any, is deleted all the
 *   same), and what a put throws
 */
export async function deleteRecord(components: GetComponents & PutComponents, input: DeleteInput): Promise<PutResult> {
  const { clock, constants, signer, seen } = components;
  const { key, signal } = input;
  if (key.class === 'immutable') {
    throw new NautilusError('NOT_DELETABLE', 'immutable keys cannot be deleted: let the record expire');
  }
  const startedAt = clock.monotonic();
  const quorumOf = (kEffective: number) => readQuorum(kEffective, input.quorum);
  const { reading, cells, live } = await readCells(components, key, { withValue: false, quorumOf, signal });
  if (reading.holders.members.length === 0) throw noHolders();
  for (const header of cells) seen.add(header);
  const isOwn = (header: RecordHeader) => bytesEqual(header.publisher, signer.publicKey);
  const newest = live[0];
  if (newest === undefined) {
    const settled = countSettled(reading);
    const wanted = quorumOf(reading.holders.kEffective);
    if (settled < wanted) throw tooFewAnswers(settled, wanted);
    throw new NautilusError('NOT_FOUND', `no live record under "${key.text}": nothing to delete`);
  }
  const publishing = { ...input, value: NOTHING, ttlMs: constants.maxTtlMs, deleted: true, holders: reading.holders };
  const result = live.some(isOwn)
    ? await publish(components, { ...publishing, requests: reading.requests, startedAt })
    : undefined;
  if (isOwn(newest)) return result as PutResult;
  const others = live.filter((header) => !isOwn(header)).map((header) => toPeerIdText(header.publisher));
  const own = result === undefined ? 'nothing of yours is there' : 'your record is deleted';
  throw new NautilusError(
    'CONFLICT',
    `the newest record under "${key.text}" is another's (${own}); publishers: ${others.join(', ')}`,
    {
      details: { publishers: others, result },
    },
  );
}
