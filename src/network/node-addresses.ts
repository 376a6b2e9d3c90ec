/**
 * What addresses a node tells whom, and believes of whom. A loopback or private address leads somewhere else from outside, so it is told only
 * within its scope, unless the operator announces it.
 */
import { BlockList, isIPv6 } from 'node:net';
import type { Clock } from '../core/index.ts';
import { MAX_ADDRESSES } from '../kademlia/index.ts';

/** Smaller: seen by fewer. */
const SCOPES = ['loopback', 'private', 'public'] as const;
type Scope = (typeof SCOPES)[number];

/** Interfaces come and go; asking the system takes a tenth of a millisecond. */
const REFRESH_MS = 30_000;

export interface NodeAddressesInit {
  readonly listenAddresses: () => readonly string[];
  /** Told to everybody instead of the listen addresses. */
  readonly announce: readonly string[];
  readonly clock: Clock;
}

export class NodeAddresses {
  readonly #init: NodeAddressesInit;
  #all: readonly string[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(init: NodeAddressesInit) {
    this.#init = init;
  }

  /** Announced ones, or where the node listens, the widest scope first. */
  all(): readonly string[] {
    const { announce, clock, listenAddresses } = this.#init;
    if (announce.length > 0) return announce;
    const now = clock.monotonic();
    if (now - this.#readAt > REFRESH_MS) {
      this.#readAt = now;
      const found = [...new Set(listenAddresses())].sort(widestFirst);
      // The same array while nothing changes: a contact made of it is the same contact.
      if (found.join() !== this.#all.join()) this.#all = found;
    }
    return this.#all;
  }

  /** For HELLO to the peer at `remoteAddress`: those it can use, the nearest scope first. */
  toldTo(remoteAddress: string): readonly string[] {
    if (this.#init.announce.length > 0) return this.#init.announce.slice(0, MAX_ADDRESSES);
    const scope = SCOPES.indexOf(scopeOf(remoteAddress));
    return this.all()
      .filter((address) => SCOPES.indexOf(scopeOf(address)) >= scope)
      .reverse()
      .slice(0, MAX_ADDRESSES);
  }
}

const TCP_ADDRESS = /^\/(?:ip4|ip6|dns|dns4|dns6)\/(?!0\.0\.0\.0\/|::\/)[^/]+\/tcp\/[1-9]\d{0,4}$/;

/** Of what a peer at `remoteAddress` says: what can be dialled at all. Its loopback is not ours. */
export function believableAddresses(told: readonly string[], remoteAddress: string): readonly string[] {
  const isLocal = scopeOf(remoteAddress) === 'loopback';
  return told.filter((address) => isDialable(address) && (isLocal || scopeOf(address) !== 'loopback'));
}

/** A host and a TCP port: what this node's host has a transport for. */
export function isDialable(address: string): boolean {
  return TCP_ADDRESS.test(address);
}

const RANGES: Readonly<Record<Exclude<Scope, 'public'>, BlockList>> = {
  loopback: new BlockList(),
  private: new BlockList(),
};
RANGES.loopback.addSubnet('127.0.0.0', 8);
RANGES.loopback.addSubnet('0.0.0.0', 8);
RANGES.loopback.addAddress('::1', 'ipv6');
RANGES.loopback.addAddress('::', 'ipv6');
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  RANGES.private.addSubnet(net, prefix);
}
RANGES.private.addSubnet('fc00::', 7, 'ipv6');
RANGES.private.addSubnet('fe80::', 10, 'ipv6');

function scopeOf(address: string): Scope {
  const [, protocol, host = ''] = address.split('/');
  if (protocol !== 'ip4' && protocol !== 'ip6') return host === 'localhost' ? 'loopback' : 'public';
  const family = isIPv6(host) ? 'ipv6' : 'ipv4';
  if (RANGES.loopback.check(host, family)) return 'loopback';
  return RANGES.private.check(host, family) ? 'private' : 'public';
}

function widestFirst(a: string, b: string): number {
  return SCOPES.indexOf(scopeOf(b)) - SCOPES.indexOf(scopeOf(a));
}
