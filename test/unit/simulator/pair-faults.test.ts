import { describe, expect, it } from 'vitest';
import { World } from '../../../testnet/simulator/index.ts';
import { PairFaults } from '../../../testnet/simulator/pair-faults.ts';

const NODES = [0, 1, 2, 3];
/** Every ordered pair that hears nothing. */
const cut = (faults: PairFaults) =>
  NODES.flatMap((from) => NODES.filter((to) => from !== to && !faults.reaches(from, to)).map((to) => `${from}>${to}`));

describe('PairFaults', () => {
  it('keeps groups apart, those in no group being one more', () => {
    const faults = new PairFaults();
    faults.partition([[0], [1]]);
    expect(cut(faults)).toEqual(['0>1', '0>2', '0>3', '1>0', '1>2', '1>3', '2>0', '2>1', '3>0', '3>1']);
    faults.partition([[0, 1]]);
    expect(cut(faults)).toEqual(['0>2', '0>3', '1>2', '1>3', '2>0', '2>1', '3>0', '3>1']);
    faults.heal();
    expect(cut(faults)).toEqual([]);
  });

  it('cuts one direction, in addition to what is cut already', () => {
    const faults = new PairFaults();
    faults.partitionOneWay([0], [1, 2]);
    expect(cut(faults)).toEqual(['0>1', '0>2']);
    faults.partitionOneWay([3], [0]);
    expect(cut(faults)).toEqual(['0>1', '0>2', '3>0']);
    faults.partition([[0, 1, 2]]);
    expect(cut(faults)).toEqual(['0>1', '0>2', '0>3', '1>3', '2>3', '3>0', '3>1', '3>2']);
    faults.heal();
    expect(cut(faults)).toEqual([]);
  });

  it('adds up the losses of a pair', () => {
    const faults = new PairFaults();
    faults.lose([0, 1], [2], 0.5);
    faults.lose([0], [2, 3], 0.5);
    expect([faults.lossRate(0, 2), faults.lossRate(0, 3), faults.lossRate(1, 2)]).toEqual([0.75, 0.5, 0.5]);
    expect([faults.lossRate(2, 0), faults.lossRate(1, 3)]).toEqual([0, 0]);
    expect(faults.reaches(0, 2)).toBe(true);
  });
});

describe('faults of a world', () => {
  const ping = (world: World, from: number, to: number) =>
    world
      .do(() => world.node(from).kademlia.ping(world.node(to).self))
      .then(
        () => 'answered',
        () => 'silence',
      );

  it('silence both ends of a one-way partition, as answers need the other way, until it heals', async () => {
    const world = await World.create({ seed: 'one way', nodes: 3 });
    world.partitionOneWay([1], [2]);
    expect([await ping(world, 1, 2), await ping(world, 2, 1), await ping(world, 0, 2)]).toEqual([
      'silence',
      'silence',
      'answered',
    ]);
    expect(world.network.traffic.dropped.partitioned).toBeGreaterThan(0);
    world.heal();
    expect([await ping(world, 1, 2), await ping(world, 2, 1)]).toEqual(['answered', 'answered']);
  });

  it('lose the share that was asked for on a bad line, and nothing elsewhere', async () => {
    const world = await World.create({ seed: 'bad line', nodes: 3 });
    world.lose([1], [2], 0.4);
    const outcomes: string[] = [];
    for (let i = 0; i < 100; i++) outcomes.push(await ping(world, 1, 2));
    const silences = outcomes.filter((outcome) => outcome === 'silence').length;
    expect(silences).toBeGreaterThan(25);
    expect(silences).toBeLessThan(55);
    const { lost } = world.network.traffic.dropped;
    expect(await ping(world, 0, 1)).toBe('answered');
    expect(world.network.traffic.dropped.lost).toBe(lost);
  });

  it('set a clock while the node runs, and keep it over a restart', async () => {
    const world = await World.create({ seed: 'clock', nodes: 2 });
    const ahead = () => world.node(1).life.clock.now() - world.clock.now();
    expect(ahead()).toBe(0);
    world.setClock(1, 90_000);
    expect(ahead()).toBe(90_000);
    world.node(1).kill();
    world.setClock(1, -5_000);
    await world.restart(1);
    expect(ahead()).toBe(-5_000);
  });
});
