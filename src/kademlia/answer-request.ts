/** What this node says when asked. PING, FIND_NODE and LEAVE are answered here, records are their handler's. */
import { unreachable } from '../core/index.ts';
import type { Request, Response } from './messages.ts';
import { NodeId } from './node-id.ts';
import type { RecordRequestHandler } from './record-request-handler.ts';
import type { RoutingTable } from './routing-table.ts';
import { toldContacts } from './told-contacts.ts';
import type { Peer } from './transport.ts';

export interface AnsweringParts {
  readonly table: RoutingTable;
  readonly handler: RecordRequestHandler;
  /** Wall clock, ms since the epoch. */
  now(): number;
  /** It said goodbye. */
  onLeave(from: Peer): void;
}

export async function answerRequest(parts: AnsweringParts, from: Peer, request: Request): Promise<Response> {
  const { table, handler } = parts;
  switch (request.type) {
    case 'PING':
      return { type: 'PING', time: parts.now() };
    case 'FIND_NODE': {
      // Never the asker itself: it knows where it is.
      const closer = table.closest(NodeId.fromBytes(request.target), table.k, from.contact.id);
      return { type: 'FIND_NODE', closer: toldContacts(from, closer) };
    }
    case 'FIND_VALUE': {
      const response = await handler.findValue(from, request);
      return { ...response, closer: toldContacts(from, response.closer) };
    }
    case 'STORE':
      return handler.store(from, request);
    case 'SYNC':
      return handler.sync(from, request);
    case 'FETCH':
      return handler.fetch(from, request);
    case 'HAND_OFF':
      return handler.handOff(from, request);
    case 'LEAVE':
      parts.onLeave(from);
      return { type: 'LEAVE' };
    default:
      return unreachable(request);
  }
}
