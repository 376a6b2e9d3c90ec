/** What a shell learns from an error. The numbers are a contract; a new error code does not compile without one. */

import { toErrorObject } from '../commands/index.ts';
import { type ErrorCode, isNautilusError } from '../core/index.ts';

export const EXIT_CODES = {
  KEY_INVALID: 2,
  VALUE_TOO_LARGE: 2,
  VALUE_MISMATCH: 2,
  TTL_INVALID: 2,
  QUORUM_INVALID: 2,
  ADDRESS_INVALID: 2,
  PEER_INVALID: 2,
  CONFIG_INVALID: 2,
  USAGE: 2,
  NOT_OWNER: 5,
  NOT_DELETABLE: 2,
  CONFLICT: 5,
  NOT_FOUND: 3,
  QUORUM_NOT_REACHED: 4,
  DEGRADED: 4,
  NO_PEERS: 6,
  PEER_UNREACHABLE: 6,
  TIMEOUT: 124,
  ABORTED: 1,
  NODE_UNREACHABLE: 6,
  DATA_DIR_IN_USE: 1,
  DATA_DIR_UNUSABLE: 1,
  PORT_TAKEN: 1,
  RESOURCE_EXHAUSTED: 1,
  STORAGE_FAILED: 1,
  SHARD_DOWN: 1,
  STORAGE_DAMAGED: 1,
  DISK_FULL: 1,
  MALFORMED: 1,
  UNSUPPORTED: 1,
  NETWORK_MISMATCH: 1,
  INTERNAL: 1,
} as const satisfies Record<ErrorCode, number>;

/** From done to worst: a batch ends with the worst of its records. */
const SEVERITY = [0, 3, 5, 4, 124, 6, 2, 1];

export function exitCodeOf(error: unknown): number {
  return EXIT_CODES[isNautilusError(error) ? error.code : toErrorObject(error).code];
}

export function worseExitCode(a: number, b: number): number {
  return SEVERITY.indexOf(a) >= SEVERITY.indexOf(b) ? a : b;
}
