import type { Request, Response } from '../../src/kademlia/index.ts';

/** What a peer that knows nobody and keeps nothing answers, with the best intentions. @param now ms since the epoch */
export function shortAnswer(request: Request, now = 1): Response {
  switch (request.type) {
    case 'PING':
      return { type: 'PING', time: now };
    case 'FIND_NODE':
      return { type: 'FIND_NODE', closer: [] };
    case 'FIND_VALUE':
      return { type: 'FIND_VALUE', closer: [], headers: [], value: undefined, settled: true, holder: true };
    case 'STORE':
      return { type: 'STORE', outcome: { kind: 'stored', until: now }, newestSeq: 0, time: now };
    case 'SYNC':
      return { type: 'SYNC', parts: [], settled: true };
    case 'FETCH':
      return { type: 'FETCH', records: [], more: false };
    case 'HAND_OFF':
      return { type: 'HAND_OFF', refusals: request.records.map(() => undefined) };
    case 'LEAVE':
      return { type: 'LEAVE' };
  }
}
