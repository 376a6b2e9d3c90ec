/**
 * The addresses a peer can be bootstrapped from, as people write them: `/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT[/p2p/ID]` and
 * `/dnsaddr/HOST[/p2p/ID]`. A grammar of our own, narrower than multiaddr, because its errors must tell an operator what to type.
 * Not here: URLs of peer lists, and looking names up (resolve-address.ts).
 */
import { isIP } from 'node:net';
import { NautilusError } from '../core/index.ts';

export type HostKind = 'ip4' | 'ip6' | 'dns' | 'dns4' | 'dns6' | 'dnsaddr';

export interface PeerAddress {
  readonly text: string;
  readonly kind: HostKind;
  readonly host: string;
  /** Undefined for `dnsaddr` only: its TXT records name whole addresses. */
  readonly port: number | undefined;
  readonly peerId: string | undefined;
}

const PEER_ADDRESS_EXAMPLE = '/ip4/203.0.113.7/tcp/4801/p2p/12D3KooW…';

const MAX_ADDRESS_CHARACTERS = 512;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62}(?<!-))(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}(?<!-)))*\.?$/i;
/** Ed25519 peer ids: the first six bytes are fixed, so their text is 52 characters behind a fixed prefix. */
const PEER_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/;
const HOST_AND_PORT = /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i;

/** @throws NautilusError `ADDRESS_INVALID`: names the address, what is wrong with it and what it should look like */
export function parsePeerAddress(text: string): PeerAddress {
  const parsed = tryParse(text);
  if (typeof parsed === 'string') {
    throw new NautilusError('ADDRESS_INVALID', `"${shortened(text)}" is not a peer address: ${parsed}`);
  }
  return parsed;
}

export function isPeerAddress(text: string): boolean {
  return typeof tryParse(text) !== 'string';
}

/** The address, or what is wrong with it. */
function tryParse(text: string): PeerAddress | string {
  if (text.length > MAX_ADDRESS_CHARACTERS) return `it is longer than ${MAX_ADDRESS_CHARACTERS} characters`;
  if (!text.startsWith('/')) return `it should look like ${suggestionFor(text)}`;
  const [, kind = '', host = '', ...rest] = text.split('/');
  if (!isHostKind(kind)) return `/${kind} is not known here; it should look like ${PEER_ADDRESS_EXAMPLE}`;
  if (!isHost(kind, host)) return `"${host}" is not ${HOST_NOUNS[kind]}`;

  let port: number | undefined;
  if (kind !== 'dnsaddr') {
    const [protocol, portText = ''] = rest.splice(0, 2);
    if (protocol !== 'tcp') return `nodes speak TCP: after the host comes /tcp/PORT, as in ${PEER_ADDRESS_EXAMPLE}`;
    if (!/^\d{1,5}$/.test(portText) || Number(portText) < 1 || Number(portText) > 65_535) {
      return `"${portText}" is not a port from 1 to 65535`;
    }
    port = Number(portText);
  }

  let peerId: string | undefined;
  if (rest[0] === 'p2p') {
    peerId = rest[1] ?? '';
    if (!PEER_ID.test(peerId)) return `"${peerId}" is not a peer id; they look like 12D3KooW… (52 characters)`;
    rest.splice(0, 2);
  }
  if (rest.length > 0)
    return `"/${rest.join('/')}" at its end is not understood; it should look like ${PEER_ADDRESS_EXAMPLE}`;
  return { text, kind, host, port, peerId };
}

const HOST_NOUNS = {
  ip4: 'an IPv4 address',
  ip6: 'an IPv6 address',
  dns: 'a host name',
  dns4: 'a host name',
  dns6: 'a host name',
  dnsaddr: 'a host name',
} as const satisfies Record<HostKind, string>;

function isHostKind(kind: string): kind is HostKind {
  return Object.hasOwn(HOST_NOUNS, kind);
}

function isHost(kind: HostKind, host: string): boolean {
  if (kind === 'ip4') return isIP(host) === 4;
  if (kind === 'ip6') return isIP(host) === 6 && !host.includes('%');
  return HOST_NAME.test(host) && isIP(host) === 0;
}

/** `host:port` is what most people try first: answer with the form they meant. */
function suggestionFor(text: string): string {
  const match = HOST_AND_PORT.exec(text);
  if (match === null) return `${PEER_ADDRESS_EXAMPLE}, /dnsaddr/example.org or https://example.org/peers`;
  const host = match[1] ?? match[2] ?? '';
  const family = isIP(host);
  const kind = family === 4 ? 'ip4' : family === 6 ? 'ip6' : 'dns';
  return `/${kind}/${host}/tcp/${match[3]}`;
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
