import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../testnet/simulator/seeded-random.ts';

const draw = (random: SeededRandom, count: number) => Array.from({ length: count }, () => random.next());

describe('SeededRandom', () => {
  it('repeats itself for one seed and differs for another', () => {
    expect(draw(new SeededRandom(7), 50)).toEqual(draw(new SeededRandom('7'), 50));
    expect(draw(new SeededRandom(7), 50)).not.toEqual(draw(new SeededRandom(8), 50));
  });

  it('gives a fork its own stream, whatever the parent has drawn', () => {
    const untouched = new SeededRandom(7);
    const used = new SeededRandom(7);
    draw(used, 1000);
    expect(draw(used.fork('node 3'), 20)).toEqual(draw(untouched.fork('node 3'), 20));
    expect(draw(untouched.fork('node 3'), 20)).not.toEqual(draw(untouched.fork('node 4'), 20));
    expect(draw(untouched.fork('node 3'), 20)).not.toEqual(draw(untouched, 20));
  });

  it('stays the generator it was: other numbers would break every recorded seed', () => {
    const random = new SeededRandom('golden');
    expect([random.integer(1e9), random.integer(1e9), random.integer(1e9)]).toMatchInlineSnapshot(`
      [
        605868712,
        277101837,
        468919213,
      ]
    `);
    expect(Buffer.from(random.bytes(7)).toString('hex')).toMatchInlineSnapshot(`"9209ce7edc3381"`);
  });

  it('is uniform: every one of 64 cells gets its share of 64,000 draws (chi-square, p > 0.0001)', () => {
    const random = new SeededRandom('uniform');
    const cells = new Array<number>(64).fill(0);
    for (let i = 0; i < 64_000; i++) cells[random.integer(64)]!++;
    const chiSquare = cells.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(115); // 63 degrees of freedom
  });

  it('samples without repeating and leaves the list alone', () => {
    const items = Array.from({ length: 30 }, (_, i) => i);
    const sample = new SeededRandom(1).sample(items, 10);
    expect(new Set(sample).size).toBe(10);
    expect(items[29]).toBe(29);
    expect(new SeededRandom(1).sample(items, 99)).toHaveLength(30);
  });
});
