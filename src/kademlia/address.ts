/**
 * Where a multiaddr text points, as far as the table cares: its scope (who can use it) and its group (who may well be one and the same owner).
 * Reads the leading IP component only; names (`/dns4/…`) are public and belong to no group. Not here: dialling, validation.
 */

export type AddressScope = 'loopback' | 'private' | 'public';

const IP4_PREFIX = '/ip4/';
const DOT = 0x2e;
const SLASH = 0x2f;
const DIGIT_0 = 0x30;
const NO_GROUPS: readonly string[] = [];
const IP6_ADDRESS = /^(?:\/ip6zone\/[^/]+)?\/ip6\/([0-9a-fA-F:.]+)(?:\/|$)/;

export function addressScope(address: string): AddressScope {
  const ip4 = parseIp4(address);
  if (ip4 !== undefined) return ip4Scope(ip4);
  const ip6 = parseIp6(address);
  return ip6 === undefined ? 'public' : ip6Scope(ip6);
}

/** The /24 (IPv4) or /48 (IPv6) of a public address; undefined for loopback, private ranges and names. */
export function addressGroup(address: string): string | undefined {
  const ip4 = parseIp4(address);
  if (ip4 !== undefined) return ip4Scope(ip4) === 'public' ? ip4Group(ip4) : undefined;
  const ip6 = parseIp6(address);
  if (ip6 === undefined || ip6Scope(ip6) !== 'public') return undefined;
  const embedded = embeddedIp4(ip6);
  return embedded === undefined
    ? ip6
        .slice(0, 3)
        .map((word) => word.toString(16))
        .join(':')
    : ip4Group(embedded);
}

/** The groups of all addresses, each once. */
export function addressGroups(addresses: readonly string[]): readonly string[] {
  if (addresses.length === 0) return NO_GROUPS;
  const groups: string[] = [];
  for (const address of addresses) {
    const group = addressGroup(address);
    if (group !== undefined && !groups.includes(group)) groups.push(group);
  }
  return groups.length === 0 ? NO_GROUPS : groups;
}

function ip4Group(ip4: number): string {
  return `${ip4 >>> 24}.${(ip4 >>> 16) & 0xff}.${(ip4 >>> 8) & 0xff}`;
}

function ip4Scope(ip4: number): AddressScope {
  const a = ip4 >>> 24;
  const b = (ip4 >>> 16) & 0xff;
  if (a === 127 || a === 0) return 'loopback';
  const isPrivate =
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) || // link-local (RFC 3927)
    (a === 100 && b >= 64 && b < 128); // carrier-grade NAT (RFC 6598)
  return isPrivate ? 'private' : 'public';
}

function ip6Scope(words: readonly number[]): AddressScope {
  const embedded = embeddedIp4(words);
  if (embedded !== undefined) return ip4Scope(embedded);
  if (words.every((word, i) => word === 0 || (i === 7 && word === 1))) return 'loopback';
  const first = words[0]!;
  const isPrivate = (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80; // unique local, link-local
  return isPrivate ? 'private' : 'public';
}

/** `::ffff:a.b.c.d` is IPv4 in other clothes. */
function embeddedIp4(words: readonly number[]): number | undefined {
  if (words[5] !== 0xffff || words.slice(0, 5).some((word) => word !== 0)) return undefined;
  return ((words[6]! << 16) | words[7]!) >>> 0;
}

function parseIp4(address: string): number | undefined {
  return address.startsWith(IP4_PREFIX) ? parseDotted(address, IP4_PREFIX.length) : undefined;
}

/**
 * Four decimal bytes up to the next slash or the end, as one 32-bit number. By hand and without an allocation: every contact a node names to
 * another passes through here.
 */
function parseDotted(text: string, start: number): number | undefined {
  let value = 0;
  let octet = -1;
  let octets = 0;
  for (let i = start; i <= text.length; i++) {
    const code = i === text.length ? SLASH : text.charCodeAt(i);
    if (code >= DIGIT_0 && code <= DIGIT_0 + 9) {
      octet = (octet === -1 ? 0 : octet * 10) + code - DIGIT_0;
      if (octet > 255) return undefined;
      continue;
    }
    if (octet === -1 || (code !== DOT && code !== SLASH)) return undefined;
    value = ((value << 8) | octet) >>> 0;
    octet = -1;
    octets++;
    if (octets === 4) return code === SLASH ? value : undefined;
    if (code === SLASH) return undefined;
  }
  return undefined;
}

/** Eight 16-bit words (RFC 4291 §2.2), or undefined. */
function parseIp6(address: string): number[] | undefined {
  const text = IP6_ADDRESS.exec(address)?.[1];
  if (text === undefined) return undefined;
  const [head, tail, ...rest] = text.split('::');
  if (rest.length > 0) return undefined;
  const before = parseWords(head!);
  const after = parseWords(tail ?? '');
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 0) return undefined;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

function parseWords(text: string): number[] | undefined {
  if (text === '') return [];
  const words: number[] = [];
  for (const part of text.split(':')) {
    const ip4 = parseDotted(part, 0);
    if (ip4 !== undefined) words.push(ip4 >>> 16, ip4 & 0xffff);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) words.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return words;
}
