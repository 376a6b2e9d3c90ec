import { describe, expect, it } from 'vitest';
import { weibullScale } from '../../../testnet/scenarios/weibull.ts';
import { Churn, type ChurnOptions } from '../../../testnet/simulator/churn.ts';
import { parseChurnTrace } from '../../../testnet/simulator/churn-trace.ts';
import { World } from '../../../testnet/simulator/index.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('parseChurnTrace', () => {
  it('reads lines in order, without comments and empty ones', () => {
    expect(parseChurnTrace('# seconds,node,event\n0,3,down\r\n\n 1.5 , 0 , down\n60,3,up\n', 4)).toEqual([
      { atMs: 0, node: 3, kind: 'down' },
      { atMs: 1500, node: 0, kind: 'down' },
      { atMs: 60_000, node: 3, kind: 'up' },
    ]);
    expect(parseChurnTrace('', 4)).toEqual([]);
  });

  it.each([
    ['1,0', 'line 1 of the churn trace: "1,0" is not seconds,node,up|down'],
    ['1,0,up,again', 'line 1 of the churn trace: "1,0,up,again" is not seconds,node,up|down'],
    ['1,0,up\n-1,0,down', 'line 2 of the churn trace: "-1" is not a time in seconds, 0 or later'],
    ['1e9,0,down', 'line 1 of the churn trace: "1e9" is not a time in seconds, 0 or later'],
    ['# ok\n\n1,4,down', 'line 3 of the churn trace: "4" is not a node of this world: 0 to 3'],
    ['1,x,down', 'line 1 of the churn trace: "x" is not a node of this world: 0 to 3'],
    ['1,0,gone', 'line 1 of the churn trace: "gone" is neither up nor down'],
    ['9,0,up\n5,1,up', 'line 2 of the churn trace: 5 s comes after 9 s: sort the lines by time'],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => parseChurnTrace(text, 4)).toThrow(message);
  });
});

/** Runs a churn and writes down who runs after each minute. */
async function churned(options: ChurnOptions, { nodes = 12, minutes = 40, seed = 'churn' } = {}) {
  const world = await World.create({ seed, nodes });
  const churn = new Churn(world, options);
  churn.start();
  const alive: string[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    await world.run(MINUTE);
    alive.push(world.alive.map(({ number }) => number).join());
  }
  return { world, churn, alive };
}

describe('Churn', () => {
  const brisk = { medianSessionMs: 10 * MINUTE, meanDowntimeMs: 5 * MINUTE };

  it('stops, kills and brings back nodes in every way, the same in every run of a seed', async () => {
    const first = await churned(brisk);
    const { killed, vanished, stopped, returned, wiped } = first.churn.counts;
    for (const count of [killed, vanished, stopped, wiped, returned - wiped]) expect(count).toBeGreaterThan(0);
    expect(killed + vanished + stopped - returned).toBe(12 - first.world.alive.length);
    const again = await churned(brisk);
    expect(again.alive).toEqual(first.alive);
    expect(again.world.traceHash).toBe(first.world.traceHash);
    const other = await churned(brisk, { seed: 'another', minutes: 10 });
    expect(other.alive).not.toEqual(first.alive.slice(0, 10));
  });

  it('brings nodes back into the network', async () => {
    const { world, churn } = await churned(brisk);
    churn.stop();
    await world.run(2 * MINUTE);
    for (const node of world.alive) {
      const reached = node.kademlia
        .peers()
        .filter(({ contact }) => world.alive.some(({ self }) => self.id.equals(contact.id)));
      expect(reached.length).toBeGreaterThan(0);
    }
  });

  it('ends sessions at the rate of a network that has been there for long, not of one that has just begun', async () => {
    const nodes = 400;
    const world = await World.create({ seed: 'rate', nodes, joined: false });
    await world.do(() => Promise.all(world.nodes.map((node) => node.start())));
    const churn = new Churn(world, { medianSessionMs: 2 * HOUR, meanDowntimeMs: 1e12, gracefulShare: 0 });
    churn.start();
    await world.run(2 * HOUR);
    const { killed, vanished } = churn.counts;
    const y = Math.sqrt(2 / weibullScale({ median: 2, shape: 0.5 }));
    const left = 1 - (1 + y) * Math.exp(-y); // of fresh sessions half would be over
    expect(Math.abs((killed + vanished) / nodes - left)).toBeLessThan(0.06);
  });

  it('does what a trace says, when it says so, and nothing to nodes that are so already', async () => {
    const trace = parseChurnTrace('60.5,1,down\n60.5,2,down\n120.5,1,up\n150.5,3,up\n180.5,2,down\n240.5,2,up', 4);
    const { alive, churn } = await churned({ trace }, { nodes: 4, minutes: 5 });
    expect(alive).toEqual(['0,1,2,3', '0,3', '0,1,3', '0,1,3', '0,1,2,3']);
    expect(churn.counts.returned).toBe(2);
  });

  it('leaves alone whom it is told to, and everybody once it is stopped', async () => {
    const { world, churn, alive } = await churned({ ...brisk, nodes: [1, 2, 3] }, { nodes: 6 });
    expect(alive.every((numbers) => ['0', '4', '5'].every((number) => numbers.split(',').includes(number)))).toBe(true);
    churn.stop();
    const counts = { ...churn.counts };
    await world.run(HOUR);
    expect(churn.counts).toEqual(counts);
  });
});
