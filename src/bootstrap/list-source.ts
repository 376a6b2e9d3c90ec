/** Peers from a list on the web, as `nautilus bootstrap --list` serves it or as a file on any web server. Bounded in bytes and time. */
import { type Clock, isNautilusError, NautilusError, type Random } from '../core/index.ts';
import { MAX_PEER_LIST_BYTES, type PeerList, parsePeerList } from './peer-list.ts';
import type { PeerSource } from './peer-source.ts';
import { sample } from './sample.ts';

export interface ListSourceInit {
  readonly url: URL;
  readonly network: string;
  readonly clock: Clock;
  readonly random: Random;
  /** For the whole answer, ms. @default 10_000 */
  readonly timeoutMs?: number | undefined;
}

/** Enough to join; everybody taking another sample spreads the newcomers. */
const PEERS_PER_ROUND = 32;

export function createListSource({ url, network, clock, random, timeoutMs = 10_000 }: ListSourceInit): PeerSource {
  async function read(signal: AbortSignal | undefined): Promise<PeerList> {
    const deadline = new AbortController();
    const timer = clock.setTimer(timeoutMs, () =>
      deadline.abort(new NautilusError('TIMEOUT', `no answer in ${timeoutMs / 1000} s`)),
    );
    try {
      const signals = signal === undefined ? [deadline.signal] : [deadline.signal, signal];
      const response = await fetch(url, {
        signal: AbortSignal.any(signals),
        headers: { accept: 'application/json' },
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw new NautilusError('PEER_UNREACHABLE', `the server answers ${response.status}`);
      }
      return parsePeerList(await readBounded(response), network);
    } catch (cause) {
      signal?.throwIfAborted();
      throw listError(url, cause);
    } finally {
      timer.cancel();
    }
  }

  return {
    name: url.href,
    async *peers({ signal }) {
      const { peers } = await read(signal);
      if (peers.length === 0) {
        throw new NautilusError('NO_PEERS', `the peer list ${url.href} names no usable peer yet`);
      }
      yield* sample(peers, PEERS_PER_ROUND, random);
    },
  };
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_PEER_LIST_BYTES) {
      throw new NautilusError('MALFORMED', `it is larger than ${MAX_PEER_LIST_BYTES / 1024} KiB`);
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function listError(url: URL, cause: unknown): NautilusError {
  const prefix = `the peer list ${url.href} cannot be used`;
  if (isNautilusError(cause)) return new NautilusError(cause.code, `${prefix}: ${cause.message}`, { cause });
  // fetch says only "fetch failed"; what happened is in its cause
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? ('code' in inner && String(inner.code)) || inner.message : String(inner);
  return new NautilusError('PEER_UNREACHABLE', `${prefix}: ${reason}`, { cause });
}
