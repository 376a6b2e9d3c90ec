import { type ErrorCode, NautilusError } from '../core/index.ts';
import type { ErrorResponse, Response } from './messages.ts';

const MESSAGES = {
  UNSUPPORTED: 'the peer runs a version that does not know this request: ask another, or update it',
  RESOURCE_EXHAUSTED: 'the peer is busy: try again later',
  MALFORMED: 'the peer could not read the request: one of the two nodes has a bug',
  INTERNAL: 'the peer failed: see its log',
} as const satisfies Record<ErrorResponse['code'], string> & Partial<Record<ErrorCode, string>>;

/** What an answer that is not the one asked for means to the caller. */
export function responseError(response: Response): NautilusError {
  if (response.type === 'ERROR') return new NautilusError(response.code, MESSAGES[response.code]);
  return new NautilusError('MALFORMED', `the peer answered with ${response.type}, which was not asked for`);
}
