import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../../src/platform/index.ts';

describe('the system random', () => {
  it('draws numbers in [0, 1) that fill the range evenly', () => {
    const cells = new Array<number>(16).fill(0);
    const draws = 32_000;
    for (let i = 0; i < draws; i++) {
      const value = systemRandom.next();
      expect(value >= 0 && value < 1).toBe(true);
      cells[Math.floor(value * cells.length)]!++;
    }
    // 2,000 expected, standard deviation 43: ten of them away would be a broken generator, not chance.
    for (const count of cells) expect(Math.abs(count - draws / cells.length)).toBeLessThan(430);
  });

  it('does not repeat a number when its pool is filled again', () => {
    const drawn = Array.from({ length: 2_000 }, () => systemRandom.next());
    expect(new Set(drawn).size).toBe(drawn.length);
  });

  it('hands out fresh bytes of the length asked for', () => {
    const first = systemRandom.bytes(32);
    const second = systemRandom.bytes(32);
    expect([first.length, second.length, systemRandom.bytes(0).length]).toEqual([32, 32, 0]);
    expect(first).not.toEqual(second);
    expect(first.buffer).not.toBe(second.buffer);
  });
});
