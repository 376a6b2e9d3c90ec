/**
 * Where first peers come from: flags, a list on the web, memory, the local network, somebody else's DHT. A source only names addresses; whether
 * anybody answers there is the bootstrapper's business. Sources are asked again and again, so one that found nothing just ends.
 */

export interface PeerSourceOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PeerSource {
  /** For people and logs: `flags`, `https://example.org/peers`, `mdns` … */
  readonly name: string;
  /**
   * One round of addresses (see `parsePeerAddress`), with or without `/p2p/…`. It ends by itself in bounded time, or when the signal aborts.
   * @throws NautilusError when this round failed (the list cannot be read, …): said to the operator, then tried again
   */
  peers(options: PeerSourceOptions): AsyncIterable<string>;
  /** Releases what the source holds (sockets, hosts). Idempotent. */
  close?(): Promise<void>;
}
