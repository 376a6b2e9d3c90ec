/** From what an operation on a node returned or threw to what the scenarios know of it, whichever target the node belongs to. */
import type { NautilusError } from '../../src/core/index.ts';
import type { OperationFailure, WriteOutcome } from './scenario-target.ts';

/** What a put and a delete say, in the library and over the control socket. */
interface WriteResult {
  readonly publisher: string;
  readonly seq: number;
  readonly expiresAt: number;
  readonly receipt: { readonly k: number; readonly wanted: number };
  readonly degraded: boolean;
  readonly requests: number;
  readonly elapsedMs: number;
}

export function writtenOutcome(result: WriteResult): WriteOutcome {
  const { publisher, seq, expiresAt, degraded, requests, elapsedMs, receipt } = result;
  const { wanted, k: holders } = receipt;
  return { kind: 'written', publisher, seq, expiresAt, wanted, holders, isDegraded: degraded, requests, elapsedMs };
}

export function failedOutcome({ code, message, details }: NautilusError, elapsedMs: number): OperationFailure {
  const result = details.result as Partial<WriteResult> | undefined;
  return { kind: 'failed', code, message, seq: result?.seq, elapsedMs };
}
