import { type ErrorCode, NautilusError } from '../../core/index.ts';

/** What the port has words for: trying again mends neither damage nor a full disk. */
const CALL_CODES = new Set<ErrorCode>(['STORAGE_FAILED', 'STORAGE_DAMAGED', 'DISK_FULL', 'RESOURCE_EXHAUSTED']);

/** Of a call: a server that worked until now has failed, whatever the reason is. */
export function toCallFailure(problem: NautilusError, details: NautilusError['details'] = {}): NautilusError {
  if (CALL_CODES.has(problem.code)) return problem;
  return new NautilusError('STORAGE_FAILED', problem.message, { cause: problem, details });
}
