import { afterEach, describe, expect, it } from 'vitest';
import { createAddressSource } from '../../../src/bootstrap/address-source.ts';
import { type Bootstrapper, type BootstrapperInit, createBootstrapper } from '../../../src/bootstrap/bootstrapper.ts';
import type { PeerSource } from '../../../src/bootstrap/peer-source.ts';
import { NautilusError, type NodeEvent } from '../../../src/core/index.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { createMemoryNames } from './memory-names.ts';
import { createGate, MemoryNetwork } from './memory-network.ts';

const SELF = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq';
const A = '/ip4/203.0.113.1/tcp/4801';
const B = '/ip4/203.0.113.2/tcp/4801';
const TEN_MINUTES = 600_000;

const running: Bootstrapper[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((bootstrapper) => bootstrapper.stop()));
});

/** Delays are in the middle of their range: 1 s, 2 s, 4 s …, and 10 min once joined. */
function setUp(init: Partial<BootstrapperInit> & Pick<BootstrapperInit, 'sources'>) {
  const clock = new ManualClock();
  const network = new MemoryNetwork();
  const lines: string[] = [];
  const bootstrapper = createBootstrapper({
    kademlia: network,
    selfPeerId: SELF,
    clock,
    random: { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) },
    observer: {
      notify: (event: NodeEvent) => {
        if (event.type === 'bootstrap-progress') lines.push(`${event.source}: ${event.message}`);
      },
    },
    resolver: createMemoryNames({}),
    ...init,
  });
  running.push(bootstrapper);
  return { clock, network, lines, bootstrapper };
}

const flags = (...addresses: string[]) => [createAddressSource('--bootstrap', addresses)];

describe('a node with bootstrap peers', () => {
  it('joins: it dials, looks around once, and says so', async () => {
    const { network, bootstrapper, lines, clock } = setUp({ sources: flags(A) });
    network.up(A);
    bootstrapper.start();
    expect(bootstrapper.state).toBe('joining');
    await bootstrapper.whenJoined();
    expect(await bootstrapper.firstAttempt()).toBe('joined');
    await clock.advance(0);
    expect(bootstrapper.state).toBe('joined');
    expect(network.bootstraps).toBe(1);
    expect(lines).toEqual(['network: joined: 1 in the table']);
  });

  it('takes many who wait at once, with one signal among them, for no leak', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    const { network, bootstrapper, clock } = setUp({ sources: flags(A) });
    network.up(A);
    const { signal } = new AbortController();
    const waiting = Array.from({ length: 20 }, () => bootstrapper.firstAttempt({ signal }));
    bootstrapper.start();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['joined']));
    await clock.advance(0);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('starts though its peer is down, says when it tries again, backs off, and joins when the peer comes up', async () => {
    const { network, bootstrapper, lines, clock } = setUp({ sources: flags(A) });
    bootstrapper.start();
    await settle();
    expect(lines).toEqual([`--bootstrap: bootstrap peer ${A} is down (connection refused): trying again in 1 s`]);
    expect(await bootstrapper.firstAttempt()).toBe('nobody');
    await clock.advance(999);
    expect(network.dialled).toHaveLength(1);
    await clock.advance(1);
    expect(network.dialled).toHaveLength(2);
    await clock.advance(2_000 + 4_000);
    expect(lines.map((line) => /again in (.*)$/.exec(line)?.[1])).toEqual(['1 s', '2 s', '4 s', '8 s']);
    network.up(A);
    await clock.advance(8_000);
    await bootstrapper.whenJoined();
    expect(lines.at(-1)).toBe('network: joined: 1 in the table');
  });

  it('never waits longer than a minute while it is alone', async () => {
    const { network, bootstrapper, clock } = setUp({ sources: flags(A) });
    bootstrapper.start();
    await clock.advance(3_600_000);
    const before = network.dialled.length;
    await clock.advance(600_000);
    expect(network.dialled.length - before).toBe(10);
  });

  it('names every dead address at first, then only some and how many more', async () => {
    const dead = Array.from({ length: 6 }, (_, i) => `/ip4/203.0.113.${i + 1}/tcp/1`);
    const { bootstrapper, lines, clock } = setUp({ sources: flags(...dead) });
    bootstrapper.start();
    await clock.advance(0);
    expect(lines).toHaveLength(4);
    expect(lines.slice(0, 3).every((line, i) => line.includes(dead[i]!))).toBe(true);
    expect(lines[3]).toBe('--bootstrap: and 3 more addresses likewise');
  });

  it('calls a peer of another network unusable, not down', async () => {
    const { network, bootstrapper, lines, clock } = setUp({ sources: flags(A) });
    network.failures.set(A, 'NETWORK_MISMATCH');
    bootstrapper.start();
    await clock.advance(0);
    expect(lines).toEqual([
      `--bootstrap: bootstrap peer ${A} cannot be used (it is in the network "other"): trying again in 1 s`,
    ]);
  });

  it('joins through the living one although the others are dead', async () => {
    const { network, bootstrapper, lines } = setUp({ sources: flags(A, B) });
    network.up(B);
    bootstrapper.start();
    await bootstrapper.whenJoined();
    expect(lines).toEqual(['network: joined: 1 in the table']);
  });

  it('does not dial itself', async () => {
    const { network, bootstrapper, clock } = setUp({ sources: flags(`${A}/p2p/${SELF}`, B) });
    bootstrapper.start();
    await clock.advance(0);
    expect(network.dialled).toEqual([B]);
  });

  it('dials four at a time and stops asking once it has enough', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `/ip4/203.0.113.${i + 1}/tcp/1`);
    const { network, bootstrapper } = setUp({ sources: flags(...many) });
    for (const address of many) network.up(address);
    const gate = createGate();
    network.gate = gate.opened;
    bootstrapper.start();
    await settle();
    expect(network.inFlight).toBe(4);
    gate.open();
    await bootstrapper.whenJoined();
    await settle();
    expect(network.dialled.length).toBeGreaterThanOrEqual(8);
    expect(network.dialled.length).toBeLessThan(12);
  });

  it('is in the network as soon as one answers, while others still hang', async () => {
    const { network, bootstrapper } = setUp({ sources: flags(A, B) });
    network.hanging.add(A);
    network.up(B);
    bootstrapper.start();
    await bootstrapper.whenJoined();
    expect(network.inFlight).toBe(1);
    expect(bootstrapper.state).toBe('joined');
  });

  it('keeps looking when only a bootstrap node answers, and says that no storing node is known', async () => {
    const { network, bootstrapper, lines, clock } = setUp({ sources: flags(A) });
    network.up(A, 'bootstrap');
    bootstrapper.start();
    await bootstrapper.whenJoined();
    await clock.advance(0);
    expect(bootstrapper.state).toBe('joining');
    expect(lines).toEqual([
      'network: joined: no storing node is known yet',
      '--bootstrap: connected to a peer, but no other storing node is known yet: trying again in 1 s',
    ]);
    await clock.advance(1_000);
    expect(network.bootstraps).toBe(2);
  });

  it('tries the addresses behind a name one after the other until one answers', async () => {
    const { network, bootstrapper } = setUp({
      sources: flags('/dns/seed.example/tcp/4801'),
      resolver: createMemoryNames({
        hosts: {
          'seed.example': [
            { address: '2001:db8::1', family: 6 },
            { address: '203.0.113.1', family: 4 },
          ],
        },
      }),
    });
    network.up(A);
    bootstrapper.start();
    await bootstrapper.whenJoined();
    expect(network.dialled).toEqual(['/ip6/2001:db8::1/tcp/4801', A]);
  });
});

describe('a joined node', () => {
  it('asks its sources again every ten minutes, silently, which is what heals a cut', async () => {
    const { network, bootstrapper, lines, clock } = setUp({ sources: flags(A, B) });
    network.up(A);
    bootstrapper.start();
    await bootstrapper.whenJoined();
    await clock.advance(TEN_MINUTES - 1);
    expect(network.dialled).toEqual([A, B]);
    network.up(B);
    await clock.advance(1);
    expect(network.dialled).toEqual([A, B, A, B]);
    expect(network.table.size).toBe(2);
    expect(network.bootstraps).toBeGreaterThan(1);
    expect(lines).toEqual(['network: joined: 1 in the table']);
  });

  it('notices within seconds that its table ran dry and starts over with short waits', async () => {
    const { network, bootstrapper, lines, clock } = setUp({ sources: flags(A) });
    network.up(A);
    bootstrapper.start();
    await bootstrapper.whenJoined();
    await clock.advance(60_000);
    network.down(A);
    await clock.advance(5_000);
    expect(bootstrapper.state).toBe('joining');
    expect(lines.slice(1)).toEqual([
      'network: every peer in the table is gone: looking for others',
      `--bootstrap: bootstrap peer ${A} is down (connection refused): trying again in 1 s`,
    ]);
    network.up(A);
    await clock.advance(1_000);
    expect(bootstrapper.state).toBe('joined');
  });
});

describe('a node without bootstrap peers', () => {
  it('is a network of one, until somebody comes: then it looks around through them', async () => {
    const { network, bootstrapper, clock } = setUp({ sources: [] });
    bootstrapper.start();
    expect(bootstrapper.state).toBe('alone');
    expect(await bootstrapper.firstAttempt()).toBe('nobody');
    network.up(A);
    await network.connect(A, { timeoutMs: 1 }); // as an inbound connection would fill the table
    await clock.advance(5_000);
    await bootstrapper.whenJoined();
    expect(network.bootstraps).toBe(1);
  });
});

describe('a restarted node with a saved table', () => {
  it('comes back without any source', async () => {
    const { network, bootstrapper, lines } = setUp({ sources: [] });
    network.saved.push(A, B);
    network.up(B);
    expect(bootstrapper.state).toBe('joining');
    bootstrapper.start();
    expect(await bootstrapper.firstAttempt()).toBe('joined');
    expect(lines).toEqual(['network: joined: 1 in the table']);
  });

  it('keeps knocking, says so, and does not claim to have joined before somebody answers', async () => {
    const { network, bootstrapper, lines, clock } = setUp({ sources: [] });
    network.saved.push(A, B);
    bootstrapper.start();
    expect(await bootstrapper.firstAttempt()).toBe('nobody');
    await clock.advance(1_000);
    expect(lines).toEqual([
      'saved table: none of the 2 peers it remembers answers: trying again in 1 s',
      'saved table: none of the 2 peers it remembers answers: trying again in 2 s',
    ]);
    network.up(A);
    await clock.advance(2_000);
    expect(lines.slice(2)).toEqual(['network: joined: 1 in the table']);
    expect(bootstrapper.state).toBe('joined');
  });
});

describe('sources', () => {
  function failing(name: string): PeerSource {
    return {
      name,
      // biome-ignore lint/correctness/useYield: a source that fails before it names anybody
      async *peers() {
        throw new NautilusError('PEER_UNREACHABLE', `the peer list ${name} cannot be used: ECONNREFUSED`);
      },
    };
  }

  it('are independent: a broken one, and one that hangs, hold up nobody', async () => {
    const gate = createGate();
    const hanging: PeerSource = {
      name: 'hanging',
      async *peers() {
        await gate.opened;
        yield B;
      },
    };
    const { network, bootstrapper, lines, clock } = setUp({
      sources: [failing('http://list.example/'), hanging, ...flags(A)],
    });
    network.up(A);
    bootstrapper.start();
    await bootstrapper.whenJoined();
    await clock.advance(0);
    expect(network.table.size).toBe(1);
    expect(lines).toContain('network: joined: 1 in the table');
    gate.open();
    await clock.advance(0);
    expect(network.dialled).toEqual([A, B]);
  });

  it('that fail are reported under their name with the time of the next try', async () => {
    const { bootstrapper, lines, clock } = setUp({ sources: [failing('http://list.example/')] });
    bootstrapper.start();
    await clock.advance(0);
    expect(lines).toEqual([
      'http://list.example/: the peer list http://list.example/ cannot be used: ECONNREFUSED: trying again in 1 s',
    ]);
  });

  it('that find nobody say so, and when they are asked again', async () => {
    const { bootstrapper, lines, clock } = setUp({ sources: [createAddressSource('--mdns', [])] });
    bootstrapper.start();
    await clock.advance(1_000);
    expect(lines).toEqual([
      '--mdns: nobody found yet: trying again in 1 s',
      '--mdns: nobody found yet: trying again in 2 s',
    ]);
  });

  it('with an address that is none are told so, and go on with the next', async () => {
    const { network, bootstrapper, lines, clock } = setUp({ sources: flags('nonsense', B) });
    bootstrapper.start();
    await clock.advance(0);
    expect(network.dialled).toEqual([B]);
    expect(lines[0]).toMatch(/bootstrap peer nonsense cannot be used \("nonsense" is not a peer address/);
  });
});

describe('stop', () => {
  it('ends waits and dials, rejects whoever waits to join, closes the sources and leaves no timer', async () => {
    let closed = 0;
    const source: PeerSource = {
      ...flags(A)[0]!,
      close: async () => {
        closed++;
      },
    };
    const { network, bootstrapper, clock } = setUp({ sources: [source] });
    const gate = createGate();
    network.gate = gate.opened;
    bootstrapper.start();
    await settle();
    expect(network.inFlight).toBe(1);
    const waiting = expect(bootstrapper.whenJoined()).rejects.toMatchObject({ code: 'ABORTED' });
    const stopping = bootstrapper.stop();
    gate.open();
    await stopping;
    await waiting;
    expect(closed).toBe(1);
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(TEN_MINUTES);
    expect(network.dialled).toHaveLength(1);
  });

  it('lets a waiting caller give up alone', async () => {
    const { bootstrapper } = setUp({ sources: flags(A) });
    bootstrapper.start();
    const reason = new Error('enough');
    await expect(bootstrapper.whenJoined({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(bootstrapper.state).toBe('joining');
  });
});
