/** Real transports on loopback for the tests of this room. */
import { randomBytes } from 'node:crypto';
import type { NodeEvent } from '../../src/core/index.ts';
import type { Peer, Request, Response } from '../../src/kademlia/index.ts';
import {
  type CreateLibp2pTransportOptions,
  createLibp2pTransport,
  type Libp2pTransport,
  LOOPBACK_NETWORK_LIMITS,
} from '../../src/network/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import { DEFAULT_NETWORK_CONSTANTS } from '../../src/records/index.ts';
import { shortAnswer } from '../support/short-answer.ts';

export interface TestNode {
  readonly transport: Libp2pTransport;
  readonly events: NodeEvent[];
  readonly connected: Peer[];
  /** As they are after HELLO came again. */
  readonly changes: Peer[];
  readonly disconnected: Peer[];
  /** What is answered; replace it at will. */
  serve: (from: Peer, request: Request) => Promise<Response>;
  /** `/ip4/127.0.0.1/tcp/<port>` */
  readonly address: string;
  /** Resolves once `condition` holds; looks again after every event of this node. */
  until(condition: () => boolean): Promise<void>;
}

const LISTEN_ON_LOOPBACK = ['/ip4/127.0.0.1/tcp/0'];

/** As somebody who knows nobody and keeps nothing. */
export async function answerShortly(_from: Peer, request: Request): Promise<Response> {
  return shortAnswer(request);
}

export class TestNodes {
  readonly #nodes: TestNode[] = [];

  async start(options: Partial<CreateLibp2pTransportOptions> = {}): Promise<TestNode> {
    const events: NodeEvent[] = [];
    const connected: Peer[] = [];
    const changes: Peer[] = [];
    const disconnected: Peer[] = [];
    let watchers: (() => void)[] = [];
    const changed = () => {
      const waiting = watchers;
      watchers = [];
      for (const watcher of waiting) watcher();
    };
    const transport = await createLibp2pTransport({
      privateKey: randomBytes(32),
      listen: LISTEN_ON_LOOPBACK,
      constants: DEFAULT_NETWORK_CONSTANTS,
      mode: 'server',
      clock: systemClock,
      observer: {
        notify: (event) => {
          events.push(event);
          changed();
        },
      },
      ...options,
      limits: { ...LOOPBACK_NETWORK_LIMITS, ...options.limits },
    });
    const node: TestNode = {
      transport,
      events,
      connected,
      changes,
      disconnected,
      serve: answerShortly,
      address: transport.self.addresses[0] ?? '',
      until: async (condition) => {
        while (!condition()) {
          await new Promise<void>((resolve) => {
            watchers.push(resolve);
          });
        }
      },
    };
    await transport.start({
      onPeerConnected: (peer) => {
        connected.push(peer);
        changed();
      },
      onPeerChanged: (peer) => {
        changes.push(peer);
        changed();
      },
      onPeerDisconnected: (peer) => {
        disconnected.push(peer);
        changed();
      },
      onRequest: (from, request) => node.serve(from, request),
    });
    this.#nodes.push(node);
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map(({ transport }) => transport.stop()));
  }
}

export function misbehaviour({ events }: TestNode): string[] {
  return events.flatMap((event) => (event.type === 'peer-misbehaved' ? [event.reason] : []));
}
