/** `--rendezvous` as a source: every round visits the DHT, asks for others, and announces this node when the last announcement grows old. */
import type { Clock, Observer } from '../core/index.ts';
import { openRendezvous, type RendezvousInit } from '../network/index.ts';
import type { PeerSource } from './peer-source.ts';

export interface RendezvousSourceInit extends Pick<RendezvousInit, 'network' | 'privateKey' | 'through'> {
  /** Where the node can be dialled now, without `/p2p/…`. */
  readonly addresses: () => readonly string[];
  /** False for clients, which nobody can join through: they only look. */
  readonly announce: boolean;
  readonly clock: Clock;
  readonly observer: Observer;
}

/** js-libp2p's DHT peers forget the addresses of a provider after an hour. */
const ANNOUNCE_EVERY_MS = 20 * 60_000;

export function createRendezvousSource(init: RendezvousSourceInit): PeerSource {
  const { network, privateKey, through, clock, observer } = init;
  const name = '--rendezvous';
  let announcedAt: number | undefined;
  let announcedText = '';
  let warned = false;

  return {
    name,
    // A visit, not a residence: between rounds nothing is connected, and addresses that changed need no special care.
    async *peers({ signal }) {
      const addresses = init.announce ? init.addresses() : [];
      const rendezvous = await openRendezvous({ network, privateKey, addresses, through, signal });
      try {
        // Looking comes first: who finds a network does not wait for the slower announcing.
        let found = 0;
        for await (const address of rendezvous.find({ signal })) {
          found++;
          yield address;
        }
        const text = rendezvous.announced.join();
        const isFresh =
          announcedAt !== undefined && text === announcedText && clock.monotonic() - announcedAt < ANNOUNCE_EVERY_MS;
        if (text === '' && init.announce && !warned) {
          warned = true;
          const message =
            'this node has no address a public DHT passes on, so nobody finds it there; name one with --announce';
          observer.notify({ type: 'bootstrap-progress', source: name, message });
        }
        if (text === '' || isFresh) return;
        await rendezvous.announce({ signal });
        announcedAt = clock.monotonic();
        announcedText = text;
        // Two that came at once both found nobody; of two that announced, at least the later one finds the other now.
        if (found === 0) yield* rendezvous.find({ signal });
      } finally {
        await rendezvous.close();
      }
    },
  };
}
