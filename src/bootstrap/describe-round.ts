/** What an operator reads while a node looks for its network: what did not work, why, and when it is tried again. One line each. */
import type { ErrorCode, NautilusError } from '../core/index.ts';
import type { Round } from './ask-source.ts';

const MAX_LINES = 3;

export function describeRound(
  { tried, connected, failures, sourceFailure }: Round,
  delayMs: number,
): readonly string[] {
  const again = `trying again in ${describeDelay(delayMs)}`;
  if (connected > 0) {
    return [
      `connected to ${connected === 1 ? 'a peer' : `${connected} peers`}, but no other storing node is known yet: ${again}`,
    ];
  }
  if (tried === 0 && sourceFailure === undefined) return [`nobody found yet: ${again}`];
  const lines: string[] = [];
  if (sourceFailure !== undefined) lines.push(`${sourceFailure.message}: ${again}`);
  for (const { address, error } of failures.slice(0, MAX_LINES)) {
    lines.push(`bootstrap peer ${address} ${verbFor(error.code)} (${oneLine(error)}): ${again}`);
  }
  const others = tried - Math.min(failures.length, MAX_LINES);
  if (others > 0) lines.push(`and ${others} more ${others === 1 ? 'address' : 'addresses'} likewise`);
  return lines;
}

/** For a node that comes back to a network that is gone, or is cut off from it. */
export function describeMissing(count: number, delayMs: number): string {
  const whom =
    count === 1 ? 'the one peer it remembers does not answer' : `none of the ${count} peers it remembers answers`;
  return `${whom}: trying again in ${describeDelay(delayMs)}`;
}

/** `1 s`, `4 s`, `10 min`. */
function describeDelay(delayMs: number): string {
  const seconds = Math.max(1, Math.round(delayMs / 1_000));
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

function verbFor(code: ErrorCode): string {
  return code === 'PEER_UNREACHABLE' || code === 'TIMEOUT' ? 'is down' : 'cannot be used';
}

function oneLine({ message }: NautilusError): string {
  return message.replaceAll(/\s+/g, ' ').slice(0, 200);
}
