/**
 * The one error catalogue. Every failure that crosses a door carries one of these codes; each door maps all of them
 * (`satisfies Record<ErrorCode, …>`), so a new code that is not mapped does not compile.
 */
export const ERROR_CATALOGUE = {
  // Input that no retry will mend.
  KEY_INVALID: 'the key breaks the rules for keys',
  VALUE_TOO_LARGE: 'the value is over the limit',
  VALUE_MISMATCH: 'the value does not hash to its immutable key',
  TTL_INVALID: 'the time to live is out of range',
  QUORUM_INVALID: 'the quorum is not one, all or a number in range',
  ADDRESS_INVALID: 'not a multiaddr or URL that can be used',
  PEER_INVALID: 'not a peer id or address of a peer',
  CONFIG_INVALID: 'the configuration has invalid fields',
  USAGE: 'the command line cannot be understood',
  // Ownership and concurrency.
  NOT_OWNER: 'the key belongs to another identity',
  NOT_DELETABLE: 'immutable keys cannot be deleted',
  CONFLICT: 'another record won',
  // Honest answers of a network.
  NOT_FOUND: 'no live record under the key',
  QUORUM_NOT_REACHED: 'too few holders answered',
  DEGRADED: 'the network is much smaller than it was',
  NO_PEERS: 'no peer can be reached',
  PEER_UNREACHABLE: 'the peer cannot be reached',
  TIMEOUT: 'no answer in time',
  ABORTED: 'the caller gave up',
  // This node and its machine.
  NODE_UNREACHABLE: 'no node is running there',
  DATA_DIR_IN_USE: 'another process uses the data directory',
  DATA_DIR_UNUSABLE: 'the data directory cannot be used',
  PORT_TAKEN: 'the address is already in use',
  RESOURCE_EXHAUSTED: 'a queue or quota is full',
  STORAGE_FAILED: 'the storage failed',
  SHARD_DOWN: 'the part of the storage that has it is down',
  STORAGE_DAMAGED: 'the storage is damaged',
  DISK_FULL: 'no space left on the device',
  // The other side of the wire.
  MALFORMED: 'bytes that break the protocol',
  UNSUPPORTED: 'the peer does not know this request',
  NETWORK_MISMATCH: 'the peer belongs to another network',
  INTERNAL: 'a bug',
} as const;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export interface NautilusErrorOptions {
  readonly cause?: unknown;
  /** Plain data for programs (JSON-safe), e.g. a put's receipt. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A failure at a boundary. `message` is one line that says what to do next. */
export class NautilusError extends Error {
  override readonly name = 'NautilusError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: NautilusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

export function isNautilusError(error: unknown, code?: ErrorCode): error is NautilusError {
  return error instanceof NautilusError && (code === undefined || error.code === code);
}
