import { afterEach, describe, expect, it } from 'vitest';
import { misbehaviour, type TestNode, TestNodes } from './network-nodes.ts';

const SOON = { timeoutMs: 20_000 };
const PING = { type: 'PING' } as const;

describe('two nodes that dial each other at once', () => {
  const nodes = new TestNodes();
  afterEach(() => nodes.stop());

  const streamsOf = ({ transport }: TestNode) =>
    transport.libp2p
      .getConnections()
      .flatMap(({ streams }) => streams)
      .filter(({ protocol }) => protocol !== '');

  it('lose no request and end with one stream, a hundred times', async () => {
    const [a, b] = await Promise.all([nodes.start(), nodes.start()]);
    const winner = a.transport.self.id.hex < b.transport.self.id.hex ? a : b;
    let opened = 0;
    a.transport.libp2p.addEventListener('connection:open', () => opened++);
    let crossings = 0;
    for (let round = 0; round < 100; round++) {
      const work = [a, b].flatMap((from) => {
        const to = from === a ? b : a;
        return Array.from({ length: 3 }, () => from.transport.request(to.transport.self, PING, SOON));
      });
      const answers = await Promise.all(work);
      expect(answers.every(({ type }) => type === 'PING')).toBe(true);
      await eventually(() => streamsOf(a).length === 1 && streamsOf(b).length === 1);
      if (opened > 1) {
        crossings++;
        expect(streamsOf(winner)[0]?.direction).toBe('outbound');
      }
      opened = 0;
      // Requests go on over the one that is left, both ways.
      await Promise.all([
        a.transport.request(b.transport.self, PING, SOON),
        b.transport.request(a.transport.self, PING, SOON),
      ]);
      for (const node of [a, b])
        for (const connection of node.transport.libp2p.getConnections()) connection.abort(new Error('next round'));
      await eventually(() => [a, b].every(({ transport }) => transport.libp2p.getConnections().length === 0));
    }
    expect(crossings).toBeGreaterThan(10);
    expect([...misbehaviour(a), ...misbehaviour(b)]).toEqual([]);
    expect(a.connected.length).toBe(a.disconnected.length);
  });
});

/** Looks again after every turn of the event loop; the test's time limit is the deadline. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
