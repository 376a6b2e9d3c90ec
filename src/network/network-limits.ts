/** Every bound of the transport that an operator or a test may want to move. Times in ms, on the transport's clock. */
export interface NetworkLimits {
  /** Peers connected at a time. Over it the least recently used idle ones are closed. @default 300 */
  readonly maxConnections: number;
  /** New inbound connections per second and remote host; those over it are reset before any handshake. @default 10 */
  readonly inboundPerHostAndSecond: number;
  /** Inbound connections whose handshake is under way. @default 32 */
  readonly maxIncomingPending: number;
  /** Requests of ours one peer may owe an answer to; further ones are `RESOURCE_EXHAUSTED`. @default 1_024 */
  readonly maxInFlight: number;
  /**
   * Requests of one peer served at a time while others want something too, and four times what it may start in one turn; alone
   * it may have eight times as many. @default 32
   */
  readonly maxServing: number;
  /** Bytes that wait to be written to one peer; requests over it are `RESOURCE_EXHAUSTED`, a peer that reads no answers is cut. @default 4 MiB */
  readonly maxQueuedBytes: number;
  /** Answers to one peer, bytes per second; requests over it are answered `RESOURCE_EXHAUSTED`. @default 32 MiB */
  readonly answerBytesPerSecond: number;
  /** How long a new connection may take to say HELLO, and a frame once begun to arrive. @default 10_000 */
  readonly patienceMs: number;
  /** How long one address is tried before the next. @default 3_000 */
  readonly dialAddressMs: number;
}

export const DEFAULT_NETWORK_LIMITS: NetworkLimits = {
  maxConnections: 300,
  inboundPerHostAndSecond: 10,
  maxIncomingPending: 32,
  maxInFlight: 1024,
  maxServing: 32,
  maxQueuedBytes: 4 * 1024 * 1024,
  answerBytesPerSecond: 32 * 1024 * 1024,
  patienceMs: 10_000,
  dialAddressMs: 3_000,
};

/** For many nodes on one host: all of them dial from one address, and at once. */
export const LOOPBACK_NETWORK_LIMITS: NetworkLimits = {
  ...DEFAULT_NETWORK_LIMITS,
  maxConnections: 1_000,
  inboundPerHostAndSecond: 1_000_000,
  maxIncomingPending: 10_000,
};
