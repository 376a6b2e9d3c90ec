/** Turns names in a peer address into IP addresses. `/dnsaddr` follows the multiaddr spec: TXT records `dnsaddr=<multiaddr>` at `_dnsaddr.<host>`. */
import { isNautilusError, NautilusError } from '../core/index.ts';
import type { NameOptions, NameResolver } from './name-resolver.ts';
import { isPeerAddress, type PeerAddress, parsePeerAddress } from './peer-address.ts';

/** `/dnsaddr` entries may point to further ones, in a circle too; the spec leaves the bound to us. */
const MAX_DNSADDR_QUESTIONS = 16;
const MAX_DNSADDR_PEERS = 64;
const MAX_ALTERNATIVES = 8;

/**
 * The peers an address stands for: several for a `/dnsaddr`, else one. Each is a list of alternatives to dial in order, all with IP addresses.
 * @throws NautilusError `PEER_UNREACHABLE` when a name leads nowhere
 */
export async function resolveAddress(
  address: PeerAddress,
  resolver: NameResolver,
  options: NameOptions = {},
): Promise<readonly (readonly string[])[]> {
  if (address.kind !== 'dnsaddr') return [await resolveHost(address, resolver, options)];

  const leaves = await readDnsaddr(address.host, resolver, options);
  const wanted = leaves.filter(({ peerId }) => address.peerId === undefined || peerId === address.peerId);
  if (wanted.length === 0) {
    const whose = address.peerId === undefined ? '' : ` of ${address.peerId}`;
    throw new NautilusError(
      'PEER_UNREACHABLE',
      `no usable dnsaddr=… address${whose} in the TXT records of _dnsaddr.${address.host}`,
    );
  }

  const byPeer = new Map<string, string[]>();
  let failure: NautilusError | undefined;
  for (const leaf of wanted) {
    try {
      const alternatives = byPeer.get(leaf.peerId ?? leaf.text) ?? [];
      alternatives.push(...(await resolveHost(leaf, resolver, options)));
      byPeer.set(leaf.peerId ?? leaf.text, alternatives.slice(0, MAX_ALTERNATIVES));
    } catch (error) {
      if (!isNautilusError(error)) throw error;
      failure = error; // one bad entry must not hide the good ones
    }
  }
  if (byPeer.size === 0 && failure !== undefined) throw failure;
  return [...byPeer.values()];
}

/** Every address behind a host, breadth first. */
async function readDnsaddr(host: string, resolver: NameResolver, options: NameOptions): Promise<PeerAddress[]> {
  const leaves: PeerAddress[] = [];
  const hosts = new Set([host]); // grows while it is walked
  let questions = 0;
  for (const next of hosts) {
    if (questions++ === MAX_DNSADDR_QUESTIONS) break;
    for (const text of await ask(next, () => resolver.texts(`_dnsaddr.${next}`, options), options)) {
      const value = text.startsWith('dnsaddr=') ? text.slice('dnsaddr='.length) : '';
      if (!isPeerAddress(value)) continue; // other TXT records, and transports we do not speak
      const entry = parsePeerAddress(value);
      if (entry.kind === 'dnsaddr') hosts.add(entry.host);
      else if (leaves.length < MAX_DNSADDR_PEERS) leaves.push(entry);
    }
  }
  return leaves;
}

async function resolveHost(address: PeerAddress, resolver: NameResolver, options: NameOptions): Promise<string[]> {
  const { kind, host, port, peerId } = address;
  if (kind === 'ip4' || kind === 'ip6') return [address.text];
  const family = kind === 'dns4' ? 4 : kind === 'dns6' ? 6 : 'any';
  const found = await ask(host, () => resolver.addresses(host, family, options), options);
  if (found.length === 0) {
    const record = family === 'any' ? 'no address' : `no IPv${family} address`;
    throw new NautilusError('PEER_UNREACHABLE', `the name ${host} has ${record}; check its spelling or your DNS`);
  }
  const suffix = peerId === undefined ? '' : `/p2p/${peerId}`;
  return found.slice(0, MAX_ALTERNATIVES).map(({ address: ip, family: f }) => `/ip${f}/${ip}/tcp/${port}${suffix}`);
}

async function ask<T>(host: string, question: () => Promise<T>, { signal }: NameOptions): Promise<T> {
  try {
    return await question();
  } catch (cause) {
    signal?.throwIfAborted();
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new NautilusError('PEER_UNREACHABLE', `the name ${host} cannot be looked up (${code})`, { cause });
  }
}
