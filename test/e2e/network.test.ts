import { afterEach, describe, expect, it } from 'vitest';
import { misbehaviour, TestNodes } from '../unit/network/nodes.ts';

const SOON = { timeoutMs: 10_000 };
const PING = { type: 'PING' } as const;

describe('Libp2pTransport', () => {
  const nodes = new TestNodes();
  afterEach(() => nodes.stop());

  it('dials a contact when the first request needs it, and answers come back', async () => {
    const [a, b] = await Promise.all([nodes.start(), nodes.start()]);
    expect(await a.transport.request(b.transport.self, PING, SOON)).toEqual({ type: 'PING', time: 1 });
    expect(a.connected.map(({ contact, direction }) => [contact, direction])).toEqual([[b.transport.self, 'outbound']]);
    expect(b.connected.map(({ contact, direction }) => [contact, direction])).toEqual([[a.transport.self, 'inbound']]);
    expect(await b.transport.request(a.transport.self, PING, SOON)).toEqual({ type: 'PING', time: 1 });
    expect(a.transport.libp2p.getConnections()).toHaveLength(1);
    expect(misbehaviour(a).concat(misbehaviour(b))).toEqual([]);
  });

  it('carries a thousand requests at once', async () => {
    const [a, b] = await Promise.all([nodes.start(), nodes.start()]);
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () =>
        a.transport.request(b.transport.self, { type: 'FIND_NODE', target: new Uint8Array(32) }, SOON),
      ),
    );
    expect(answers).toHaveLength(1000);
    expect(a.transport.libp2p.getConnections()).toHaveLength(1);
  });
});
