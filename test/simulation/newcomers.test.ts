/** Whoever has not taken over yet what it should hold does not know what is absent: newcomers may be the majority, and hide nothing. */
import { expect, it } from 'vitest';
import { joinCrowd } from '../support/newcomers.ts';

it.each([
  { k: 20, nodes: 12, newcomers: 36, number: 20 },
  { k: 5, nodes: 6, newcomers: 18, number: 5 },
  // Newcomers vouched for their empty stores before they had looked around: 18 of 25 of these seeds hid records, these three among them.
  { k: 5, nodes: 6, newcomers: 18, number: 2 },
  { k: 5, nodes: 6, newcomers: 18, number: 21 },
  { k: 5, nodes: 6, newcomers: 18, number: 24 },
  // What old holders gave away went to who was nearest of those they knew, and stayed there.
  { k: 5, nodes: 6, newcomers: 18, number: 12 },
  // A holder that was given something late told all others but one: it had just agreed with that one, or been asked by it about other keys.
  { k: 5, nodes: 6, newcomers: 18, number: 23 },
  { k: 5, nodes: 6, newcomers: 18, number: 46 },
])(
  'a network that grows fourfold at once hides no record: K = $k, $nodes nodes, seed newcomers $number',
  {
    timeout: 300_000,
  },
  async ({ number, ...crowd }) => {
    const { during, afterwards, missing } = await joinCrowd({ ...crowd, seed: `newcomers ${number}` });
    const { found = 0, partial = 0 } = during.outcomes;
    expect(found + partial, JSON.stringify(during.outcomes)).toBe(during.gets);
    expect(afterwards.outcomes).toEqual({ found: afterwards.gets });
    expect(missing).toEqual([]);
  },
);
