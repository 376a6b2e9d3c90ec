/** Errors as data and back: what crosses a door is a code of the catalogue, one line for people, and plain details for programs. */
import { AssertionError, ERROR_CATALOGUE, type ErrorCode, NautilusError } from '../core/index.ts';
import type { ErrorObject } from './command-types.ts';

/** Anything thrown becomes a code; what is not a NautilusError, an abort or a timeout is a bug and says so. */
export function toErrorObject(error: unknown): ErrorObject {
  if (error instanceof NautilusError) {
    const { code, message, details } = error;
    return Object.keys(details).length === 0 ? { code, message } : { code, message, details };
  }
  if (error instanceof Error && error.name === 'TimeoutError') return { code: 'TIMEOUT', message: 'no answer in time' };
  if (error instanceof Error && error.name === 'AbortError') return { code: 'ABORTED', message: 'the caller gave up' };
  const what = error instanceof AssertionError ? `an assertion failed: ${error.message}` : String(error);
  return { code: 'INTERNAL', message: `a bug, please report it: ${what.split('\n', 1)[0]}` };
}

/** @returns an error to throw; an unknown code (from a newer node) becomes `INTERNAL` with its message kept */
export function fromErrorObject({ code, message, details }: ErrorObject): NautilusError {
  const known: ErrorCode = Object.hasOwn(ERROR_CATALOGUE, code) ? code : 'INTERNAL';
  return new NautilusError(known, message, details === undefined ? {} : { details });
}
