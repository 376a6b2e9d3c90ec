/** One round with one source: take the addresses it names, dial them side by side, stop when there are enough peers. */
import { isNautilusError, type NautilusError } from '../core/index.ts';
import type { DialPeers } from './dial-peers.ts';
import type { PeerSource } from './peer-source.ts';

export interface Round {
  /** Addresses tried, this node's own not counted. */
  readonly tried: number;
  readonly connected: number;
  /** Addresses nobody could be reached at, and why. BOUNDED: MAX_FAILURES_KEPT; `tried` and `connected` tell the rest. */
  readonly failures: readonly { readonly address: string; readonly error: NautilusError }[];
  /** Set when the source itself failed, perhaps after it had named some. */
  readonly sourceFailure: NautilusError | undefined;
}

export interface AskOptions {
  readonly dial: DialPeers;
  readonly selfPeerId: string;
  readonly signal: AbortSignal;
}

const WORKERS = 4;
/** A round is over once it has this many peers: the table finds the others by itself. */
const ENOUGH_PEERS = 8;
const MAX_ADDRESSES = 128;
const MAX_FAILURES_KEPT = 16;

export async function askSource(source: PeerSource, { dial, selfPeerId, signal }: AskOptions): Promise<Round> {
  let tried = 0;
  let connected = 0;
  let sourceFailure: NautilusError | undefined;
  const failures: { address: string; error: NautilusError }[] = [];
  const addresses = source.peers({ signal })[Symbol.asyncIterator]();

  async function next(): Promise<string | undefined> {
    try {
      const { done, value } = await addresses.next();
      return done ? undefined : value;
    } catch (error) {
      signal.throwIfAborted();
      if (!isNautilusError(error)) throw error;
      sourceFailure = error;
      return undefined;
    }
  }

  // Workers share the iterator, so that a dead address holds up one of them and nobody else.
  async function work(): Promise<void> {
    while (connected < ENOUGH_PEERS && tried < MAX_ADDRESSES) {
      const address = await next();
      if (address === undefined) return;
      if (address.endsWith(`/p2p/${selfPeerId}`)) continue;
      tried++;
      try {
        const peers = await dial(address, { signal });
        connected += peers; // not in one line: it would add to what was there before the wait
      } catch (error) {
        signal.throwIfAborted();
        if (!isNautilusError(error)) throw error;
        if (failures.length < MAX_FAILURES_KEPT) failures.push({ address, error });
      }
    }
  }

  await Promise.all(Array.from({ length: WORKERS }, work));
  await addresses.return?.();
  return { tried, connected, failures, sourceFailure };
}
