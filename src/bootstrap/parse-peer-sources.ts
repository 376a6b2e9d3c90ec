/** From what an operator wrote to sources. Everything is checked before anything is started, and every bad value is named at once. */
import { type Clock, isNautilusError, NautilusError, type Random } from '../core/index.ts';
import { createAddressSource } from './address-source.ts';
import { createListSource } from './list-source.ts';
import { parsePeerAddress } from './peer-address.ts';
import type { PeerSource } from './peer-source.ts';

export interface PeerSourcesInit {
  /** `--bootstrap`: peer addresses and http(s) URLs of peer lists. */
  readonly bootstrap: readonly string[];
  readonly network: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * One source for all addresses, one per list. Does no I/O.
 * @throws NautilusError `ADDRESS_INVALID` naming every value that cannot be used
 */
export function parsePeerSources({ bootstrap, network, clock, random }: PeerSourcesInit): PeerSource[] {
  const sources: PeerSource[] = [];
  const addresses: string[] = [];
  const problems = problemsOf(bootstrap, (value) => {
    if (/^https?:/i.test(value)) sources.push(createListSource({ url: parseListUrl(value), network, clock, random }));
    else addresses.push(parsePeerAddress(value).text);
  });
  if (problems.length > 0) throw new NautilusError('ADDRESS_INVALID', `--bootstrap: ${problems.join('; ')}`);
  if (addresses.length > 0) sources.unshift(createAddressSource('--bootstrap', addresses));
  return sources;
}

/**
 * `--rendezvous`: addresses of peers of a libp2p DHT, in the form of peer addresses.
 * @throws NautilusError `ADDRESS_INVALID` naming every value that cannot be used
 */
export function parseRendezvousAddresses(values: readonly string[]): readonly string[] {
  const problems = problemsOf(values, parsePeerAddress);
  if (problems.length > 0) throw new NautilusError('ADDRESS_INVALID', `--rendezvous: ${problems.join('; ')}`);
  return values;
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

function problemsOf(values: readonly string[], use: (value: string) => unknown): string[] {
  return values.flatMap((value) => {
    try {
      use(value);
      return [];
    } catch (error) {
      if (!isNautilusError(error)) throw error;
      return [error.message];
    }
  });
}
