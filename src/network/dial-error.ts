/** What libp2p's failures mean to a caller. */
import { NautilusError } from '../core/index.ts';

/** @param where the address or peer that was tried, for people */
export function dialError(error: unknown, where: string): NautilusError {
  if (error instanceof NautilusError) return error;
  const text = messagesOf(error).join('; ');
  if (/dial self/.test(text)) {
    return new NautilusError('PEER_UNREACHABLE', `${where} is this node itself: name another one`, { cause: error });
  }
  if (/does not match expected|UnexpectedPeer/.test(text)) {
    return new NautilusError('PEER_UNREACHABLE', `another identity answers at ${where}: ask for its current peer id`, {
      cause: error,
    });
  }
  return new NautilusError('PEER_UNREACHABLE', `cannot reach ${where}: ${reasonOf(text)}`, { cause: error });
}

/** The peer answers, but not to our protocol. */
export function isProtocolMissing(error: unknown): boolean {
  return error instanceof Error && error.name === 'UnsupportedProtocolError';
}

function messagesOf(error: unknown): string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(messagesOf);
  return error instanceof Error ? [error.message] : [String(error)];
}

function reasonOf(text: string): string {
  if (text.includes('ECONNREFUSED')) return 'connection refused; is the node running, and is this its port?';
  if (/ECONNRESET|closed|reset|aborted by peer/i.test(text))
    return 'it closed the connection; it may be busy, try again';
  if (/timeout|timed out|aborted/i.test(text)) return 'no answer; check the address and the firewall';
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) return 'the name does not resolve';
  if (/EHOSTUNREACH|ENETUNREACH/.test(text)) return 'no route to it';
  return text === '' ? 'no address of it can be dialled' : text.split('\n')[0]!;
}
