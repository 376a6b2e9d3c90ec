/** What came of one put, get or delete, as a line of a transcript. */
import type { CallerGone, OperationFailure, ReadOutcome, WriteOutcome } from './scenario-target.ts';

export function describeWrite(outcome: WriteOutcome, done: string): string {
  if (outcome.kind !== 'written') return describeFailure(outcome);
  const { wanted, holders, isDegraded } = outcome;
  return `${done} (${wanted} of ${holders} wanted)${isDegraded ? ', degraded' : ''}`;
}

export function describeRead(outcome: ReadOutcome): string {
  if (outcome.kind !== 'found') return describeFailure(outcome);
  const { value, isPartial, isDegraded } = outcome;
  const shown = value.length > 64 ? `${value.slice(0, 64)}… (${value.length} characters)` : value;
  return `${shown}${isPartial ? ' (partial)' : ''}${isDegraded ? ' (degraded)' : ''}`;
}

function describeFailure(outcome: OperationFailure | CallerGone): string {
  return outcome.kind === 'gone' ? 'the node was gone before it answered' : `${outcome.code}: ${outcome.message}`;
}
