/**
 * Two nodes that should hold the same find out what differs and exchange it, both ways (anti-entropy over a Merkle trie, as in Dynamo §4.7):
 * one digest of everything first, and where it differs digests of ever smaller parts. One request when nothing differs. This is the side that
 * asks; answer-sync.ts answers. Not here: when, with whom, how fast.
 */
import { assert, NautilusError } from '../core/index.ts';
import type {
  CellVersion,
  Contact,
  FetchRequest,
  HandOffRequest,
  RequestOptions,
  ResponseTo,
  SyncPart,
  SyncRequest,
  SyncResponse,
} from '../kademlia/index.ts';
import { DIGEST_BYTES, MAX_RANGES, MAX_RECORDS, RECORDS_BUDGET_BYTES, recordBytes } from '../kademlia/index.ts';
import {
  bytesEqual,
  CELL_ID_BYTES,
  type CellRange,
  cellId,
  cellRange,
  compareBytes,
  compareRanges,
  type HeldRecord,
  type RecordStore,
  type RefusalReason,
  toHex,
} from '../records/index.ts';
import { childRanges, coversId } from './cell-ranges.ts';
import { isEmptyDigest } from './digest-trie.ts';
import type { HeldCells } from './held-cells.ts';

export interface ReconciliationComponents {
  readonly kademlia: {
    request<R extends SyncRequest | FetchRequest | HandOffRequest>(
      to: Contact,
      request: R,
      options?: Partial<RequestOptions>,
    ): Promise<ResponseTo<R>>;
  };
  readonly store: RecordStore;
  readonly held: HeldCells;
  /** Checks and keeps what came; which were refused, and why. */
  takeIn(from: Contact, records: readonly HeldRecord[]): Promise<readonly (RefusalReason | undefined)[]>;
  /** Waits until this many bytes of records may travel. */
  pace(bytes: number): Promise<void>;
}

export interface ReconcileInput {
  readonly partner: Contact;
  /** Ascending, disjoint, at least one. */
  readonly ranges: readonly CellRange[];
  /** This node is settled in them. */
  readonly settled: boolean;
  /** `compare`: find out whether anything differs. `push`: give what the partner lacks, take nothing. */
  readonly mode: 'exchange' | 'push' | 'compare';
  readonly signal?: AbortSignal | undefined;
}

export interface ReconcileOutcome {
  /** Both held the same at the end, as far as one can say while writes go on: what differed has been exchanged. */
  readonly agreed: boolean;
  /** The partner was settled in all of the ranges. */
  readonly partnerSettled: boolean;
  readonly requests: number;
  readonly fetched: number;
  readonly pushed: number;
}

/** A part of a range is listed cell by cell when there are at most so many. */
export const LISTED_CELLS = 8;
const CHILD_BITS = 4;
/** One more than the levels of a trie of a million cells: a partner that answers nonsense does not keep us busy. */
const MAX_LEVELS = 12;

interface Differences {
  /** Ranges of which the partner holds nothing. */
  readonly lackedByPartner: CellRange[];
  /** Ranges of which we hold nothing. */
  readonly lackedHere: CellRange[];
  /** Of cells both may have: what the partner's newer or other versions are, and ours. */
  readonly wanted: CellRange[];
  readonly wantedHeaders: CellRange[];
  readonly offered: CellRange[];
  readonly offeredHeaders: CellRange[];
}

/** @throws NautilusError as `Kademlia.request`, and what the store throws */
export async function reconcile(
  components: ReconciliationComponents,
  input: ReconcileInput,
): Promise<ReconcileOutcome> {
  const pass = new Pass(components, input);
  return pass.run();
}

class Pass {
  readonly #components: ReconciliationComponents;
  readonly #input: ReconcileInput;
  #partnerSettled = false;
  #requests = 0;
  #fetched = 0;
  #pushed = 0;

  constructor(components: ReconciliationComponents, input: ReconcileInput) {
    this.#components = components;
    this.#input = input;
  }

  async run(): Promise<ReconcileOutcome> {
    const { mode, ranges } = this.#input;
    const differing = await this.#compare(ranges);
    if (differing.length === 0) return this.#outcome(true);
    if (mode === 'compare') return this.#outcome(false);
    const differences = await this.#descend(differing);
    const isTakenIn = mode === 'push' || (await this.#fetchAll(differences));
    const isGiven = await this.#pushAll(differences);
    // Tells the partner, too, that we agree now. What others write meanwhile is theirs to deliver to both.
    await this.#compare(ranges);
    return this.#outcome(isTakenIn && (mode === 'exchange' || isGiven));
  }

  #outcome(agreed: boolean): ReconcileOutcome {
    return {
      agreed,
      partnerSettled: this.#partnerSettled,
      requests: this.#requests,
      fetched: this.#fetched,
      pushed: this.#pushed,
    };
  }

  /** One digest of everything. @returns where we differ, with the partner's digest of each range */
  async #compare(ranges: readonly CellRange[]): Promise<readonly Compared[]> {
    const differing: Compared[] = [];
    for (const chunk of chunksOf(ranges, MAX_RANGES)) {
      const { parts } = await this.#ask(chunk, this.#components.held.combinedDigest(chunk));
      differing.push(...this.#differing(chunk, parts));
    }
    return differing;
  }

  #differing(ranges: readonly CellRange[], parts: readonly SyncPart[]): Compared[] {
    return parts.flatMap((part, i) => {
      const range = ranges[i]!;
      if (part.kind === 'same') return [];
      if (part.kind === 'differs' && bytesEqual(part.digest, this.#components.held.digest(range))) return [];
      return [{ range, part }];
    });
  }

  /** Down to single cells, a level of the tries per round. */
  async #descend(differing: readonly Compared[]): Promise<Differences> {
    const found: Differences = {
      lackedByPartner: [],
      lackedHere: [],
      wanted: [],
      wantedHeaders: [],
      offered: [],
      offeredHeaders: [],
    };
    let open = differing;
    for (let level = 0; open.length > 0 && level < MAX_LEVELS; level++) {
      const questions: CellRange[] = [];
      for (const { range, part } of open) {
        assert(part.kind !== 'same', 'what is the same is not looked into');
        if (part.kind === 'cells') await this.#compareCells(range, part.cells, found);
        else questions.push(...this.#partsOf(range, part.digest, level, found));
      }
      const next: Compared[] = [];
      for (const chunk of chunksOf(questions, MAX_RANGES)) {
        const { parts } = await this.#ask(chunk, this.#components.held.digests(chunk));
        next.push(...this.#differing(chunk, parts));
      }
      open = next;
    }
    return found;
  }

  /** What to ask next about a range of which we know the partner's digest; what needs no asking is noted. */
  #partsOf(range: CellRange, digest: Uint8Array, level: number, found: Differences): readonly CellRange[] {
    const { held } = this.#components;
    if (isEmptyDigest(digest)) {
      found.lackedByPartner.push(range);
      return [];
    }
    const own = held.count(range);
    if (own === 0) {
      found.lackedHere.push(range);
      return [];
    }
    // Few are listed rather than split, if the partner has few, too: the first answer does not say.
    return level === 0 && own <= LISTED_CELLS ? [range] : childRanges(range, CHILD_BITS);
  }

  async #compareCells(range: CellRange, theirs: readonly CellVersion[], found: Differences): Promise<void> {
    const ours = new Map((await this.#components.held.versions(range)).map((own) => [toHex(own.cellId), own]));
    for (const their of theirs) {
      const own = ours.get(toHex(their.cellId));
      ours.delete(toHex(their.cellId));
      const cell = cellRange(their.cellId, CELL_ID_BYTES * 8);
      const order = own === undefined ? -1 : compareCellVersions(own, their);
      const isRenewal = own !== undefined && isSameContent(own, their);
      if (order < 0) (isRenewal ? found.wantedHeaders : found.wanted).push(cell);
      else if (order > 0) (isRenewal ? found.offeredHeaders : found.offered).push(cell);
    }
    for (const own of ours.values()) found.offered.push(cellRange(own.cellId, CELL_ID_BYTES * 8));
  }

  /** @returns whether everything the partner has and we lack is here now, or was refused for a reason that stays true */
  async #fetchAll(differences: Differences): Promise<boolean> {
    const renewals = await this.#fetch([...differences.wantedHeaders].sort(compareRanges), false);
    const withValues = [...differences.lackedHere, ...differences.wanted, ...renewals.valueless].sort(compareRanges);
    const others = await this.#fetch(withValues, true);
    return renewals.isWhole && others.isWhole && others.valueless.length === 0;
  }

  async #fetch(wanted: readonly CellRange[], withValues: boolean): Promise<Transferred> {
    const { kademlia, takeIn, pace } = this.#components;
    const { partner, signal } = this.#input;
    const transferred: Transferred = { isWhole: true, valueless: [] };
    for (const ranges of chunksOf(wanted, MAX_RANGES)) {
      let after: Uint8Array | undefined;
      do {
        await pace(RECORDS_BUDGET_BYTES / 4);
        this.#requests++;
        const request: FetchRequest = { type: 'FETCH', ranges, withValues, after };
        const { records, more } = await kademlia.request(partner, request, { signal, timeoutMs: TRANSFER_TIMEOUT_MS });
        if (!records.every(({ header }) => coversId(ranges, cellId(header)))) {
          throw malformed('records that were not asked for');
        }
        const refusals = await takeIn(partner, records);
        this.#fetched += noteRefusals(transferred, records, refusals);
        const last = records.at(-1);
        const next = more && last !== undefined ? cellId(last.header) : undefined;
        // Behind what was read last, or a partner could have us go round in circles.
        after = next !== undefined && (after === undefined || compareBytes(next, after) > 0) ? next : undefined;
      } while (after !== undefined);
    }
    return transferred;
  }

  async #pushAll(differences: Differences): Promise<boolean> {
    const renewals = await this.#push(differences.offeredHeaders, false);
    const withValues = [...differences.lackedByPartner, ...differences.offered, ...renewals.valueless];
    const others = await this.#push(withValues, true);
    return renewals.isWhole && others.isWhole && others.valueless.length === 0;
  }

  async #push(offered: readonly CellRange[], withValues: boolean): Promise<Transferred> {
    const { store } = this.#components;
    const transferred: Transferred = { isWhole: true, valueless: [] };
    let batch: HeldRecord[] = [];
    let bytes = 0;
    const flush = async () => {
      if (batch.length > 0) await this.#handOff(batch, bytes, transferred);
      batch = [];
      bytes = 0;
    };
    for (const range of [...offered].sort(compareRanges)) {
      for await (const { header, value } of store.cells({ range, signal: this.#input.signal })) {
        const record = { header, value: withValues ? value : undefined };
        const size = recordBytes(record);
        if (batch.length === MAX_RECORDS || bytes + size > RECORDS_BUDGET_BYTES) await flush();
        batch.push(record);
        bytes += size;
      }
    }
    await flush();
    return transferred;
  }

  async #handOff(records: readonly HeldRecord[], bytes: number, transferred: Transferred): Promise<void> {
    const { kademlia, pace } = this.#components;
    const { partner, signal } = this.#input;
    await pace(bytes);
    this.#requests++;
    const request: HandOffRequest = { type: 'HAND_OFF', records };
    const { refusals } = await kademlia.request(partner, request, { signal, timeoutMs: TRANSFER_TIMEOUT_MS });
    if (refusals.length !== records.length) throw malformed('another number of outcomes than there were records');
    this.#pushed += noteRefusals(transferred, records, refusals);
  }

  async #ask(ranges: readonly CellRange[], digests: Uint8Array): Promise<SyncResponse> {
    const { kademlia } = this.#components;
    const { partner, settled, signal } = this.#input;
    this.#requests++;
    const isFirst = this.#requests === 1;
    const response = await kademlia.request(partner, { type: 'SYNC', ranges, digests, settled }, { signal });
    const { parts } = response;
    if (parts.length > 0 && parts.length !== ranges.length) throw malformed('parts that were not asked about');
    this.#partnerSettled = response.settled && (isFirst || this.#partnerSettled);
    return response;
  }
}

function malformed(what: string): NautilusError {
  return new NautilusError('MALFORMED', `the holder answered with ${what}: one of the two nodes has a bug`);
}

/** What came of records that were fetched or handed over. */
interface Transferred {
  /** The receiver has them now, or something newer; those without values apart. */
  isWhole: boolean;
  /** Renewals of what is over at the receiver: it has dropped the value and must be given it again. */
  readonly valueless: CellRange[];
}

/** @returns how many were taken */
function noteRefusals(
  transferred: Transferred,
  records: readonly HeldRecord[],
  refusals: readonly (RefusalReason | undefined)[],
): number {
  let taken = 0;
  for (const [index, refusal] of refusals.entries()) {
    if (refusal === undefined) taken++;
    else if (refusal === 'VALUE_NEEDED') {
      transferred.valueless.push(cellRange(cellId(records[index]!.header), CELL_ID_BYTES * 8));
    } else transferred.isWhole &&= OVERTAKEN.has(refusal);
  }
  return taken;
}

interface Compared {
  readonly range: CellRange;
  readonly part: SyncPart;
}

/** Records on a slow line, and a disk that flushes them, ms. */
const TRANSFER_TIMEOUT_MS = 10_000;

/** The receiver has something newer, or the record died on its way: nothing is missing there. */
const OVERTAKEN: ReadonlySet<RefusalReason> = new Set(['STALE', 'EXPIRED']);

/** As `compareVersions` in `records`, of which a version is a part; the publishers of immutable values stay out of it. */
function compareCellVersions(a: CellVersion, b: CellVersion): number {
  return (
    a.seq - b.seq ||
    Number(a.deleted) - Number(b.deleted) ||
    compareBytes(a.valueHash, b.valueHash) ||
    a.expiresAt - b.expiresAt
  );
}

function isSameContent(a: CellVersion, b: CellVersion): boolean {
  return a.seq === b.seq && a.deleted === b.deleted && bytesEqual(a.valueHash, b.valueHash);
}

function* chunksOf<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}

/** For the side that answers: the digest of range `index` in a joined list. */
export function digestAt(digests: Uint8Array, index: number): Uint8Array {
  return digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
}
