/** Which of a load's operations were allowed to fail, by when the shard of their key failed, when that was noticed and when it was back. */
import { isNautilusError } from '../../src/core/index.ts';
import type { Operation } from './outage-load.ts';

/** As shard.ts has it: of one call to a shard. */
const CALL_TIMEOUT_MS = 2_000;
/** Timers fire when the process is given its turn. */
const LATENESS_MS = 500;
/** A put reads what is there and writes. */
export const PUT_DEADLINE_MS = 2 * (CALL_TIMEOUT_MS + LATENESS_MS);
/** A refusal that has not asked the shard: far from its deadline. */
export const AT_ONCE_MS = CALL_TIMEOUT_MS / 4;

/** performance.now(), all of them. */
export interface Outage {
  readonly failedAt: number;
  readonly openedAt: number;
  readonly closedAt: number;
}

export interface Verdict {
  /** A sentence for each operation that ended as it may not. */
  readonly problems: readonly string[];
  readonly puts: number;
  readonly gets: number;
  /** Failed before the circuit was open, and the slowest of all that began before. */
  readonly putsFailed: number;
  readonly slowestPutMs: number;
  /** Answered with SHARD_DOWN while the circuit was open, and the slowest of them. */
  readonly refused: number;
  readonly slowestRefusalMs: number;
  /** Of keys whose copy here was on that shard only, and answered. */
  readonly answered: number;
}

/**
 * @param isOn whether the shard that failed is where a key belongs, or one of those
 * @param hasCopies somebody else has what is on it
 */
export function judgeOutage(
  operations: readonly Operation[],
  outage: Outage,
  isOn: (key: string) => boolean,
  hasCopies: boolean,
): Verdict {
  const during = operations.filter(({ begunAt, endedAt }) => endedAt >= outage.failedAt && begunAt <= outage.closedAt);
  const puts = during.filter(({ kind }) => kind === 'put');
  const gets = during.filter(({ kind }) => kind === 'get');
  const early = puts.filter(({ begunAt }) => begunAt < outage.openedAt);
  const onShard = gets.filter(({ key }) => isOn(key));
  const refused = onShard.filter((get) => isRefusalDue(get, outage) && isNautilusError(get.failure, 'SHARD_DOWN'));
  return {
    problems: during.flatMap((operation) => {
      const problem = operation.kind === 'put' ? judgePut(operation, outage) : judge(operation);
      return problem === undefined ? [] : [`${describe(operation, outage)}: ${problem}`];
    }),
    puts: puts.length,
    gets: gets.length,
    putsFailed: early.filter(({ failure }) => failure !== undefined).length,
    slowestPutMs: slowest(early),
    refused: refused.length,
    slowestRefusalMs: slowest(refused),
    answered: onShard.filter((get) => isRefusalDue(get, outage) && get.failure === undefined).length,
  };

  function judge(get: Operation): string | undefined {
    if (get.wrong !== undefined) return `got ${get.wrong}`;
    if (hasCopies || !isOn(get.key)) return failed(get);
    return judgeAlone(get, outage);
  }
}

/** Outside of all outages nothing fails. */
export function judgeQuiet(operations: readonly Operation[], outages: readonly Outage[]): readonly string[] {
  return operations.flatMap((operation) => {
    const { begunAt, endedAt, failure, wrong, kind, key } = operation;
    if (outages.some(({ failedAt, closedAt }) => endedAt >= failedAt && begunAt <= closedAt)) return [];
    if (failure === undefined && wrong === undefined) return [];
    return [`${kind} ${key} while nothing was wrong: ${failed(operation) ?? wrong}`];
  });
}

function judgePut(put: Operation, { openedAt }: Outage): string | undefined {
  if (put.begunAt >= openedAt) return failed(put);
  const tookMs = put.endedAt - put.begunAt;
  return tookMs <= PUT_DEADLINE_MS ? undefined : `took ${Math.round(tookMs)} ms`;
}

/** A get of a key whose only copy was there. */
function judgeAlone(get: Operation, outage: Outage): string | undefined {
  // What was written since is read from its hint.
  if (get.writtenAt >= outage.openedAt) return failed(get);
  if (!isRefusalDue(get, outage)) return undefined;
  if (!isNautilusError(get.failure, 'SHARD_DOWN')) return failed(get) ?? 'answered by a shard that is down';
  const tookMs = get.endedAt - get.begunAt;
  return tookMs < AT_ONCE_MS ? undefined : `refused after ${Math.round(tookMs)} ms`;
}

/** It began and ended while the circuit was not closed, and its key was last written before the shard failed. */
function isRefusalDue({ begunAt, endedAt, writtenAt, isInDoubt }: Operation, outage: Outage): boolean {
  return begunAt >= outage.openedAt && endedAt < outage.closedAt && writtenAt < outage.failedAt && !isInDoubt;
}

function failed({ failure }: Operation): string | undefined {
  return failure === undefined ? undefined : `failed, ${failure instanceof Error ? failure.message : String(failure)}`;
}

function describe({ kind, key, begunAt, endedAt }: Operation, { failedAt, openedAt, closedAt }: Outage): string {
  const since = (at: number) => Math.round(at - failedAt);
  return `${kind} ${key} from ${since(begunAt)} to ${since(endedAt)} ms (open from ${since(openedAt)} to ${since(closedAt)})`;
}

function slowest(operations: readonly Operation[]): number {
  return Math.max(0, ...operations.map(({ begunAt, endedAt }) => endedAt - begunAt));
}
