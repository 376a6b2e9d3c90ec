/** Where a node listens: `/ip4|ip6/ADDRESS/tcp/PORT`, port 0 for any free one. Not here: what peers dial (bootstrap's peer addresses). */
import { isIP } from 'node:net';

export const LISTEN_EXAMPLE = '/ip4/0.0.0.0/tcp/4801';

/** @returns what is wrong with it, or undefined */
export function problemOfListenAddress(text: string): string | undefined {
  const [empty, kind, host = '', protocol, port = '', ...rest] = text.split('/');
  const family = kind === 'ip4' ? 4 : kind === 'ip6' ? 6 : undefined;
  if (empty !== '' || family === undefined) return `"${text}" should look like ${LISTEN_EXAMPLE} or /ip6/::/tcp/4801`;
  if (isIP(host) !== family || host.includes('%')) return `"${host}" in "${text}" is not an IPv${family} address`;
  if (protocol !== 'tcp') return `"${text}" does not end in /tcp/PORT; it should look like ${LISTEN_EXAMPLE}`;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) return `"${port}" in "${text}" is not a port (0 to 65535)`;
  if (rest.length > 0) return `"/${rest.join('/')}" at the end of "${text}" is too much; remove it`;
  return undefined;
}
