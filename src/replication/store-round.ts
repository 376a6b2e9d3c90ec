/**
 * One STORE to every holder at once. It is over when all have answered or, once enough acks are in, when the stragglers have had their grace:
 * a put must not wait for a dead node it no longer needs, and its receipt should still name everybody who took the record. Who was silent of late
 * is sent it only where the others are too few: it may have been paused, and be back.
 */
import { type Clock, isNautilusError } from '../core/index.ts';
import {
  type Contact,
  compareDistance,
  type NodeId,
  type RequestOptions,
  type StoreRequest,
  type StoreResponse,
} from '../kademlia/index.ts';
import { type HeldRecord, toPeerIdText } from '../records/index.ts';
import type { HolderSet } from './holder-set.ts';
import type { Receipt, ReceiptHolder } from './receipt.ts';

export interface StoreRoundComponents {
  readonly kademlia: {
    request(to: Contact, request: StoreRequest, options?: Partial<RequestOptions>): Promise<StoreResponse>;
  };
  readonly holder: { storeVerified(record: HeldRecord): Promise<StoreResponse> };
  readonly clock: Clock;
}

export interface StoreRoundOutcome {
  readonly receipt: Receipt;
  /** Newest seq of the key each holder that answered claims to have. */
  readonly newestSeqs: readonly number[];
  /** Wall clocks of the holders that answered, ms since the epoch, unsorted. */
  readonly holderTimes: readonly number[];
  readonly requests: number;
}

type Answer =
  | { readonly kind: 'answered'; readonly response: StoreResponse }
  | { readonly kind: 'failed'; readonly reason: string };

/** How long stragglers may delay a put that has its quorum: a multiple of what the quorum took, ms. */
const GRACE_FACTOR = 3;
const MIN_GRACE_MS = 20;
const MAX_GRACE_MS = 250;
/** For who was silent of late, ms: a put that has to fail should not take long over it. */
const SILENT_TIMEOUT_MS = 2_000;

export async function storeOnHolders(
  components: StoreRoundComponents,
  record: HeldRecord,
  holders: HolderSet,
  options: { readonly wanted: number; readonly signal?: AbortSignal | undefined },
): Promise<StoreRoundOutcome> {
  const { clock } = components;
  const startedAt = clock.monotonic();
  const round = holders.members.length < options.wanted ? withSilent(holders) : holders;
  const asked = round.members;
  const answers: (Answer | undefined)[] = asked.map(() => undefined);
  let outstanding = answers.length;
  let acked = 0;
  if (outstanding > 0) {
    await new Promise<void>((resolve, reject) => {
      const onAnswer = (index: number, answer: Answer) => {
        answers[index] = answer;
        outstanding -= 1;
        if (answer.kind === 'answered' && answer.response.outcome.kind === 'stored') acked += 1;
        if (outstanding === 0) return resolve();
        if (acked !== options.wanted) return;
        const graceMs = GRACE_FACTOR * (clock.monotonic() - startedAt);
        clock.setTimer(Math.min(MAX_GRACE_MS, Math.max(MIN_GRACE_MS, graceMs)), resolve);
      };
      for (const [index, member] of asked.entries()) {
        const { signal } = options;
        const limits = index < holders.members.length ? { signal } : { signal, timeoutMs: SILENT_TIMEOUT_MS };
        storeOn(components, record, member, holders.self, limits).then((answer) => onAnswer(index, answer), reject);
      }
    });
  }
  options.signal?.throwIfAborted();
  const responses = answers.flatMap((answer) => (answer?.kind === 'answered' ? [answer.response] : []));
  return {
    receipt: createReceipt(round, answers, options.wanted),
    newestSeqs: responses.map((response) => response.newestSeq),
    holderTimes: responses.map((response) => response.time),
    requests: asked.filter((member) => !member.id.equals(holders.self)).length,
  };
}

async function storeOn(
  { kademlia, holder }: StoreRoundComponents,
  record: HeldRecord,
  member: Contact,
  self: NodeId,
  options: Partial<RequestOptions>,
): Promise<Answer> {
  try {
    const response = member.id.equals(self)
      ? await holder.storeVerified(record)
      : await kademlia.request(member, { type: 'STORE', record }, options);
    return { kind: 'answered', response };
  } catch (error) {
    if (isNautilusError(error)) return { kind: 'failed', reason: error.code };
    // The caller's own abort reason may be anything: the round reports it after the fact.
    if (options.signal?.aborted) return { kind: 'failed', reason: 'ABORTED' };
    throw error;
  }
}

/** All of K' as members, who was silent last. */
function withSilent(holders: HolderSet): HolderSet {
  return { ...holders, members: [...holders.members, ...holders.silent], silent: [] };
}

function createReceipt(holders: HolderSet, answers: readonly (Answer | undefined)[], wanted: number): Receipt {
  const rows = holders.members.map((member, index) => ({ member, ...outcomeOf(answers[index]) }));
  const silent = holders.silent.map((member) => ({ member, ...unreachable('SILENT') }));
  const ranked = [...rows, ...silent].sort((a, b) => compareDistance(holders.target, a.member.id, b.member.id));
  return {
    k: holders.kEffective,
    wanted,
    acked: rows.filter((row) => row.status === 'stored').length,
    holders: ranked.map(({ member, ...outcome }, index) => ({
      peerId: toPeerIdText(member.publicKey),
      rank: index + 1,
      ...outcome,
    })),
  };
}

type Outcome = Pick<ReceiptHolder, 'status' | 'reason' | 'until'>;

function outcomeOf(answer: Answer | undefined): Outcome {
  if (answer === undefined) return unreachable('NO_ANSWER_YET');
  if (answer.kind === 'failed') return unreachable(answer.reason);
  const { outcome } = answer.response;
  return outcome.kind === 'stored'
    ? { status: 'stored', reason: null, until: outcome.until }
    : { status: 'refused', reason: outcome.reason, until: null };
}

function unreachable(reason: string): Outcome {
  return { status: 'unreachable', reason, until: null };
}
