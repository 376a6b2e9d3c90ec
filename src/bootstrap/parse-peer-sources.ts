/** From what an operator wrote to sources. Everything is checked before anything is started, and every bad value is named at once. */
import { type Clock, isNautilusError, NautilusError, type Observer, type Random } from '../core/index.ts';
import type { NodeMode } from '../kademlia/index.ts';
import { createAddressSource } from './address-source.ts';
import { createListSource } from './list-source.ts';
import { createMdnsSource } from './mdns-source.ts';
import { parsePeerAddress } from './peer-address.ts';
import type { PeerSource } from './peer-source.ts';
import { createRendezvousSource } from './rendezvous-source.ts';

/** base58 (`Qm…`, `12D3…`, `16Uiu2…`) or a CID (`bafz…`, `k51…`). */
const ANY_PEER_ID = /\/(?:p2p|ipfs)\/[1-9A-Za-z]{20,80}$/;

export interface PeerSourcesInit {
  /** `--bootstrap`: peer addresses, and http(s) URLs of peer lists. */
  readonly bootstrap: readonly string[];
  /** `--mdns`. */
  readonly mdns: boolean;
  /** `--rendezvous`: addresses of peers of a libp2p DHT. */
  readonly rendezvous: readonly string[];
  readonly network: string;
  readonly self: SelfDescription;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
}

/** What others are told about this node by discovery. */
export interface SelfDescription {
  readonly peerId: string;
  /** The raw Ed25519 seed: a rendezvous happens under the node's own identity. */
  readonly privateKey: Uint8Array;
  /** Where the node can be dialled now, without `/p2p/…`. Asked each time. */
  readonly addresses: () => readonly string[];
  /** Clients are not announced: nobody can join through them. */
  readonly mode: NodeMode;
}

/**
 * One source for all addresses, one per list, one each for mDNS and rendezvous. Does no I/O, and loads no library before a source is asked.
 * @throws NautilusError `ADDRESS_INVALID` naming every value that cannot be used
 */
export function parsePeerSources(init: PeerSourcesInit): PeerSource[] {
  const { network, self, clock, random, observer } = init;
  const announce = self.mode !== 'client';
  const addresses: string[] = [];
  const lists: URL[] = [];
  refuseBad('--bootstrap', init.bootstrap, (value) => {
    if (/^https?:/i.test(value)) lists.push(parseListUrl(value));
    else addresses.push(parsePeerAddress(value).text);
  });
  const through = init.rendezvous;
  refuseBad('--rendezvous', through, parseRendezvousAddress);

  const sources: PeerSource[] = [];
  if (addresses.length > 0) sources.push(createAddressSource('--bootstrap', addresses));
  for (const url of lists) sources.push(createListSource({ url, network, clock, random }));
  if (init.mdns) sources.push(createMdnsSource({ ...self, network, announce, clock, observer }));
  if (through.length > 0)
    sources.push(createRendezvousSource({ ...self, network, through, announce, clock, observer }));
  return sources;
}

/**
 * One value of `--rendezvous`: the form of a peer address, except that a DHT's peers have identities of every kind.
 * @throws NautilusError `ADDRESS_INVALID`
 */
export function parseRendezvousAddress(value: string): string {
  parsePeerAddress(value.replace(ANY_PEER_ID, ''));
  return value;
}

function parseListUrl(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || url.hostname === '') {
    throw new NautilusError(
      'ADDRESS_INVALID',
      `"${value}" is not a URL of a peer list; it looks like https://example.org/peers`,
    );
  }
  return url;
}

function refuseBad(flag: string, values: readonly string[], use: (value: string) => unknown): void {
  const problems = values.flatMap((value) => {
    try {
      use(value);
      return [];
    } catch (error) {
      if (!isNautilusError(error)) throw error;
      return [error.message];
    }
  });
  if (problems.length > 0) throw new NautilusError('ADDRESS_INVALID', `${flag}: ${problems.join('; ')}`);
}
