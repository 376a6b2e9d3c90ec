/**
 * Get: read the key's holders, believe what is signed, return the newest live record. One answer that saw a delete or a newer version is
 * enough to know better than all others; "not found" is said only when a quorum of holders answered and none has the record.
 */
import { type Clock, isNautilusError, NautilusError } from '../core/index.ts';
import type { Contact } from '../kademlia/index.ts';
import {
  hashValue,
  isLive,
  type Key,
  type RecordHeader,
  type SignedRecord,
  toHex,
  toPeerIdText,
} from '../records/index.ts';
import { type CellsComponents, holdsVersion, verifiedCells } from './cells.ts';
import { firstAnswer } from './hedge.ts';
import type { KHistory } from './k-history.ts';
import { type KeyReading, type KeyReadingComponents, readKey } from './key-reading.ts';
import { type QuorumChoice, readQuorum, writeQuorum } from './quorum.ts';
import type { GetResult } from './results.ts';
import type { SeenVersions } from './seen-versions.ts';
import { type StoreRoundComponents, storeOnHolders } from './store-round.ts';

export interface GetComponents extends CellsComponents {
  readonly kademlia: KeyReadingComponents['kademlia'] & StoreRoundComponents['kademlia'];
  readonly holder: KeyReadingComponents['holder'] & StoreRoundComponents['holder'];
  readonly clock: Clock;
  readonly kHistory: KHistory;
  readonly seen: SeenVersions;
}

export interface GetInput {
  readonly key: Key;
  readonly quorum?: QuorumChoice | undefined;
  /** Every publisher's live record. */
  readonly all?: boolean | undefined;
  /** Have a majority hold the newest before it is returned, so that no later get of anybody can miss it. */
  readonly stable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How long one holder may be silent before another is asked for the value as well, ms. */
const VALUE_HEDGE_MS = 100;

/** @throws NautilusError `NOT_FOUND`, `QUORUM_NOT_REACHED`, `NO_PEERS`, `ABORTED` */
export async function getRecords(components: GetComponents, input: GetInput): Promise<GetResult> {
  const { clock, kHistory, seen } = components;
  const { key, signal } = input;
  const startedAt = clock.monotonic();
  const first = await readKey(components, key, { withValue: true, signal });
  const { kEffective } = first.holders;
  if (first.holders.members.length === 0) throw noHolders();
  const { degraded } = await kHistory.observe(kEffective);
  const wanted = readQuorum(kEffective, input.quorum);
  const settled = countSettled(first);

  let reading = first;
  let { cells, live } = await judge(components, reading);
  if (cells.length === 0 && settled < wanted) {
    // Those nearest have not caught up yet: who was nearest before them may still have it.
    reading = await readFarther(components, first, key, signal);
    ({ cells, live } = await judge(components, reading));
  }
  for (const header of cells) seen.add(header);
  const newest = live[0];
  if (newest === undefined) {
    if (settled < wanted) throw tooFewAnswers(settled, wanted);
    throw new NautilusError('NOT_FOUND', `no live record under "${key.text}" (holders asked: ${kEffective})`);
  }

  const chosen = input.all ? live : [newest];
  const fetches = await Promise.all(chosen.map((header) => fetchValue(components, reading, header, signal)));
  signal?.throwIfAborted();
  const records = fetches.flatMap((fetch) => fetch.record ?? []);
  if (fetches[0]?.record === undefined) {
    throw new NautilusError(
      'QUORUM_NOT_REACHED',
      `"${key.text}" is there, but no holder has sent its newest value: try again`,
    );
  }
  const agreed = reading.answers.filter((answer) => holdsVersion(answer, newest)).length;
  const writtenBack = input.stable ? await makeStable(components, reading, fetches[0].record, agreed, signal) : 0;
  return {
    key: key.text,
    records: records.map(({ header, value }) => ({
      value,
      publisher: toPeerIdText(header.publisher),
      seq: header.seq,
      expiresAt: header.expiresAt,
    })),
    asked: kEffective,
    agreed,
    partial: settled < wanted,
    degraded,
    hops: reading.hops,
    requests: fetches.reduce((sum, fetch) => sum + fetch.requests, reading.requests + writtenBack),
    elapsedMs: clock.monotonic() - startedAt,
  };
}

/** Holders that may speak for the key. */
export function countSettled({ answers }: KeyReading): number {
  return answers.filter((answer) => answer.settled).length;
}

async function judge(
  components: GetComponents,
  { key, answers }: KeyReading,
): Promise<{ readonly cells: readonly RecordHeader[]; readonly live: readonly RecordHeader[] }> {
  const cells = await verifiedCells(components, answers, components.seen.of(key));
  return { cells, live: cells.filter((header) => isLive(header, components.clock.now())) };
}

/** Asks twice as many, and counts what the first ones said only once. */
async function readFarther(
  components: GetComponents,
  first: KeyReading,
  key: Key,
  signal: AbortSignal | undefined,
): Promise<KeyReading> {
  const farther = await readKey(components, key, { withValue: true, k: 2 * components.constants.k, signal });
  return { ...farther, requests: first.requests + farther.requests };
}

export function noHolders(): NautilusError {
  return new NautilusError('NO_PEERS', 'no storing node can be reached: check --bootstrap and "nautilus peers"');
}

export function tooFewAnswers(settled: number, wanted: number): NautilusError {
  return new NautilusError(
    'QUORUM_NOT_REACHED',
    `only ${settled} of the ${wanted} holders needed answered: try again, or use --quorum one`,
  );
}

interface Fetch {
  readonly record: SignedRecord | undefined;
  readonly requests: number;
}

/** The value of a verified header: it mostly came along with the reading, else one of the holders of this version has it. */
async function fetchValue(
  { kademlia, clock }: GetComponents,
  reading: KeyReading,
  header: RecordHeader,
  signal: AbortSignal | undefined,
): Promise<Fetch> {
  const hash = toHex(header.valueHash);
  const here = reading.values.get(hash);
  if (here !== undefined) return { record: { header, value: here }, requests: 0 };
  const { publisher, key } = header;
  let requests = 0;
  const ask = async (holder: Contact): Promise<SignedRecord | undefined> => {
    requests += 1;
    try {
      const response = await kademlia.request(
        holder,
        { type: 'FIND_VALUE', keyId: key.id, value: { publisher } },
        { signal },
      );
      const value = response.value?.bytes;
      return value !== undefined && toHex(hashValue(value)) === hash ? { header, value } : undefined;
    } catch (error) {
      if (isNautilusError(error) || signal?.aborted) return undefined; // the next holder is asked
      throw error;
    }
  };
  const holders = reading.answers.filter((answer) => holdsVersion(answer, header)).map((answer) => answer.holder);
  const record = await firstAnswer(holders, ask, { clock, hedgeAfterMs: VALUE_HEDGE_MS });
  return { record, requests };
}

/** Writes the newest to the holders that lack it until a majority has it. */
async function makeStable(
  components: GetComponents,
  { holders, answers }: KeyReading,
  record: SignedRecord,
  agreed: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const missing = writeQuorum(holders.kEffective) - agreed;
  if (missing <= 0) return 0;
  const having = new Set(
    answers.filter((answer) => holdsVersion(answer, record.header)).map((answer) => answer.holder.id.hex),
  );
  const lacking = holders.members.filter((member) => !having.has(member.id.hex));
  const round = await storeOnHolders(components, record, { ...holders, members: lacking }, { wanted: missing, signal });
  if (round.receipt.acked >= missing) return round.requests;
  throw new NautilusError(
    'QUORUM_NOT_REACHED',
    `the newest value is on ${agreed + round.receipt.acked} of the ${agreed + missing} holders --stable needs: try again`,
  );
}
