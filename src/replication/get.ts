/**
 * Get: read the key's holders, believe what is signed, return the newest live record. One answer that saw a delete or a newer version is
 * enough to know better than all others; "not found" is said only when a quorum of holders answered and none has the record.
 */
import { isNautilusError, NautilusError } from '../core/index.ts';
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
import { holdsVersion } from './cells.ts';
import { firstAnswer } from './hedge.ts';
import type { KHistory } from './k-history.ts';
import type { ComingValue, KeyReading } from './key-reading.ts';
import { type QuorumChoice, readQuorum, writeQuorum } from './quorum.ts';
import { isHeld, type ReadCellsComponents, readCells, withRequestsOf } from './read-cells.ts';
import type { GetResult } from './results.ts';
import { type StoreRoundComponents, storeOnHolders } from './store-round.ts';

export interface GetComponents extends ReadCellsComponents {
  readonly kademlia: ReadCellsComponents['kademlia'] & StoreRoundComponents['kademlia'];
  readonly holder: ReadCellsComponents['holder'] & StoreRoundComponents['holder'];
  readonly kHistory: KHistory;
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

/** Readings, when what was read is gone by the time its value is asked for: something newer was put, or it ended. */
const MAX_READINGS = 3;

/** @throws NautilusError `NOT_FOUND`, `QUORUM_NOT_REACHED`, `NO_PEERS`, `ABORTED` */
export async function getRecords(components: GetComponents, input: GetInput, readings = 1): Promise<GetResult> {
  const { clock, constants, kHistory, seen } = components;
  const { key, signal } = input;
  const startedAt = clock.monotonic();
  const quorumOf = (kEffective: number) => readQuorum(kEffective, input.quorum);
  const heardOf = (kEffective: number) => Math.max(quorumOf(kEffective), input.stable ? writeQuorum(kEffective) : 0);
  let read = await readCells(components, key, { withValue: true, quorumOf: heardOf, signal });
  if (read.reading.holders.members.length === 0) throw noHolders();
  const { kEffective } = read.reading.holders;
  const { degraded } = await kHistory.observe(kEffective);
  const wanted = quorumOf(kEffective);
  const settled = countSettled(read.reading);
  if (settled < wanted && (read.cells.length === 0 || (read.live.length > 0 && !isHeld(read)))) {
    // Those nearest have not caught up yet, with others or with what this node has seen: who was nearest before them may still have it.
    const wider = { withValue: true, k: 2 * constants.k, signal };
    read = withRequestsOf(read, await readCells(components, key, wider));
  }
  const { reading, cells, live } = read;
  for (const header of cells) seen.add(header);
  const newest = live[0];
  if (newest === undefined) {
    if (settled < wanted) throw tooFewAnswers(settled, wanted);
    throw new NautilusError('NOT_FOUND', `no live record under "${key.text}" (holders asked: ${kEffective})`);
  }

  const chosen = input.all ? live : [newest];
  const fetches = await Promise.all(chosen.map((header) => fetchValue(components, reading, header, signal)));
  signal?.throwIfAborted();
  // One of them may end while its value is on its way, and from then on nobody returns it: what is there instead?
  const readAgain = () => getRecords(components, input, readings + 1);
  const hasEnded = () => chosen.some((header) => !isLive(header, clock.now()));
  if (hasEnded()) return readAgain();
  const records = fetches.flatMap((fetch) => fetch.record ?? []);
  if (fetches[0]?.record === undefined) {
    if (readings < MAX_READINGS) return readAgain();
    throw new NautilusError(
      'QUORUM_NOT_REACHED',
      `"${key.text}" is there, but no holder has sent its newest value: try again`,
    );
  }
  const agreed = reading.answers.filter((answer) => holdsVersion(answer, newest)).length;
  const writtenBack = input.stable ? await makeStable(components, reading, fetches[0].record, agreed, signal) : 0;
  if (hasEnded()) return readAgain();
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

/** The value of a verified header: it mostly came along with the reading, else it is on its way, or one of the holders of this version has it. */
async function fetchValue(
  { kademlia, clock }: GetComponents,
  reading: KeyReading,
  header: RecordHeader,
  signal: AbortSignal | undefined,
): Promise<Fetch> {
  const hash = toHex(header.valueHash);
  const { publisher, key } = header;
  let requests = 0;
  const here = (): SignedRecord | undefined => {
    const value = reading.values.get(hash);
    return value === undefined ? undefined : { header, value };
  };
  const request = async (holder: Contact): Promise<SignedRecord | undefined> => {
    requests += 1;
    try {
      const response = await kademlia.request(
        holder,
        { type: 'FIND_VALUE', keyId: key.id, value: { publisher } },
        { signal },
      );
      const value = response.value?.bytes;
      return value !== undefined && toHex(hashValue(value)) === hash ? { header, value } : here();
    } catch (error) {
      if (isNautilusError(error) || signal?.aborted) return here(); // the next holder is asked
      throw error;
    }
  };
  const known = here();
  if (known !== undefined) return { record: known, requests };
  const { coming } = reading;
  // Not itself: what this node's own store holds no value of has ended there, whatever a clock that was set back says.
  const having = reading.answers.filter((answer) => !answer.isOwn && holdsVersion(answer, header));
  const sources = having.sort((a, b) => a.elapsedMs - b.elapsedMs).map(({ holder }) => holder);
  const record = await firstAnswer<Contact | ComingValue, SignedRecord>(
    coming === undefined ? sources : [coming, ...sources.filter((holder) => holder !== coming.holder)],
    (source) => ('answer' in source ? source.answer.then(here) : request(source)),
    {
      clock,
      hedgeAfterMs: (source) =>
        'answer' in source ? Math.max(0, source.dueAt - clock.monotonic()) : kademlia.hedgeAfterMs(source.id),
    },
  );
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
