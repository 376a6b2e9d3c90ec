import { describe, expect, it } from 'vitest';
import { createBootstrapper } from '../../../src/bootstrap/bootstrapper.ts';
import { RememberedPeers } from '../../../src/bootstrap/remembered-peers.ts';
import { SILENT_OBSERVER } from '../../../src/core/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from './memory-network.ts';
import { MemoryState } from './memory-state.ts';

const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
const address = (n: number) => `/ip4/198.51.${n >> 8}.${n & 255}/tcp/4801`;

function setUp(state = new MemoryState()) {
  let table: string[] = [];
  const remembered = new RememberedPeers({ state, current: () => table, random });
  return {
    state,
    remembered,
    holds: (...addresses: string[]) => {
      table = addresses;
    },
  };
}

async function lostPeers(remembered: RememberedPeers): Promise<string[]> {
  const lost: string[] = [];
  for await (const peer of remembered.peers()) lost.push(peer);
  return lost.toSorted();
}

describe('RememberedPeers', () => {
  it('names those the table held once and has lost, not those it holds', async () => {
    const { remembered, holds } = setUp();
    holds(address(1), address(2), address(3));
    await remembered.refresh();
    expect(await lostPeers(remembered)).toEqual([]);
    holds(address(2));
    expect(await lostPeers(remembered)).toEqual([address(1), address(3)]);
  });

  it('knows them after a restart with an empty table', async () => {
    const { remembered, holds, state } = setUp();
    holds(address(1), address(2));
    await remembered.refresh();
    expect(await lostPeers(setUp(state).remembered)).toEqual([address(1), address(2)]);
  });

  it('writes only when something changed', async () => {
    const { remembered, holds, state } = setUp();
    await remembered.refresh();
    expect(state.writes).toBe(0);
    holds(address(1));
    await remembered.refresh();
    await remembered.refresh();
    expect(state.writes).toBe(1);
    holds(address(2), address(1));
    await remembered.refresh();
    expect(state.writes).toBe(2);
    holds(address(1), address(2));
    await remembered.refresh();
    expect(state.writes).toBe(2);
    const restarted = setUp(state);
    await restarted.remembered.refresh();
    expect(state.writes).toBe(2);
  });

  it('is bounded: of thousands it keeps the 256 seen last, and names 16 at a time', async () => {
    const { remembered, holds, state } = setUp();
    for (let n = 0; n < 3_000; n++) {
      holds(address(n));
      await remembered.refresh();
    }
    holds();
    expect(await lostPeers(remembered)).toHaveLength(16);
    const saved = JSON.parse(new TextDecoder().decode(state.values.get('bootstrap/remembered'))) as string[];
    expect(saved).toHaveLength(256);
    expect(saved.at(-1)).toBe(address(2_999));
  });

  it('survives a full disk and saves once there is room', async () => {
    const { remembered, holds, state } = setUp();
    holds(address(1));
    state.failing = true;
    await remembered.refresh();
    state.failing = false;
    await remembered.refresh();
    expect(state.writes).toBe(1);
  });

  it.each(['not json', '{"a":1}', '[1, null, "nonsense"]', ''])(
    'starts empty over the damaged memory %j',
    async (text) => {
      const state = new MemoryState();
      state.values.set('bootstrap/remembered', new TextEncoder().encode(text));
      expect(await lostPeers(setUp(state).remembered)).toEqual([]);
    },
  );

  it('keeps the good addresses of a partly damaged memory', async () => {
    const state = new MemoryState();
    state.values.set('bootstrap/remembered', new TextEncoder().encode(JSON.stringify([1, address(1), 'nonsense'])));
    expect(await lostPeers(setUp(state).remembered)).toEqual([address(1)]);
  });

  it('brings a node back into a network whose other peers it had lost, without any bootstrap peer', async () => {
    const clock = new ManualClock();
    const network = new MemoryNetwork();
    const { remembered, holds } = setUp();
    holds(address(7));
    await remembered.refresh();
    holds();
    const bootstrapper = createBootstrapper({
      kademlia: network,
      sources: [],
      remembered,
      selfPeerId: 'nobody',
      clock,
      random,
      observer: SILENT_OBSERVER,
    });
    bootstrapper.start();
    await clock.advance(5_000);
    expect(bootstrapper.state).toBe('alone');
    network.up(address(7));
    await clock.advance(60_000);
    expect(bootstrapper.state).toBe('joined');
    await bootstrapper.stop();
  });
});
