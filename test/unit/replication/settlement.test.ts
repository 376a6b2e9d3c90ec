import { describe, expect, it } from 'vitest';
import { NodeId } from '../../../src/kademlia/index.ts';
import { childRanges, EVERYTHING } from '../../../src/replication/cell-ranges.ts';
import type { MembershipView } from '../../../src/replication/membership.ts';
import { Settlement } from '../../../src/replication/settlement.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const SELF = idOf(0);
const KEY = new Uint8Array(32).fill(7);
const MINUTE = 60_000;

function idOf(n: number): NodeId {
  return NodeId.fromBytes(new Uint8Array(32).fill(n));
}

/** One region with these others, numbered from 1. */
function viewOf(others: readonly number[], more: Partial<MembershipView> = {}): MembershipView {
  const ids = others.map(idOf);
  return {
    regions: [{ range: EVERYTHING, members: [SELF, ...ids] }],
    shared: new Map(ids.map(({ hex }) => [hex, [EVERYTHING]])),
    isSmall: false,
    newcomers: new Map(),
    arrivals: 0,
    ...more,
  };
}

function settlementOf(view: MembershipView, clock = new ManualClock()): Settlement {
  const settlement = new Settlement(clock);
  settlement.onMembership(view);
  return settlement;
}

function compare(settlement: Settlement, others: readonly number[], withSettled: boolean): void {
  for (const n of others) settlement.compared(idOf(n).hex, [EVERYTHING], withSettled);
}

describe('a node', () => {
  it('is settled where it is the only one', () => {
    expect(settlementOf(viewOf([])).isSettled(KEY)).toBe(true);
  });

  it('is settled once it has compared with as many settled members as a get asks: it held nothing itself when it came', () => {
    const settlement = settlementOf(viewOf([1, 2, 3, 4]));
    compare(settlement, [1, 2], true);
    expect(settlement.isSettled(KEY)).toBe(false);
    compare(settlement, [3], true);
    expect(settlement.isSettled(KEY)).toBe(true);
  });

  it('is settled once it has compared with all others, none of whom is', () => {
    const settlement = settlementOf(viewOf([1, 2, 3, 4]));
    compare(settlement, [1, 2, 3], false);
    expect(settlement.isSettled(KEY)).toBe(false);
    compare(settlement, [4], false);
    expect(settlement.isSettled(KEY)).toBe(true);
  });

  it('counts a member once, however often and in whatever parts it compares with it', () => {
    const [left, right] = childRanges(EVERYTHING, 1);
    const settlement = new Settlement(new ManualClock());
    const { regions, ...view } = viewOf([1, 2, 3]);
    settlement.onMembership({ ...view, regions: [left!, right!].map((range) => ({ ...regions[0]!, range })) });
    for (const ranges of [[left!], [right!], [left!], [EVERYTHING], [left!, right!]]) {
      settlement.compared(idOf(1).hex, ranges, false);
      settlement.compared(idOf(2).hex, ranges, true);
    }
    expect(settlement.loads.openAreas.size).toBe(2);
    settlement.compared(idOf(3).hex, [right!], false);
    expect(settlement.loads.openAreas.size).toBe(1);
    settlement.compared(idOf(3).hex, [left!], false);
    expect(settlement.isEverywhereSettled).toBe(true);
  });

  it('gives those outside the time to hand over, when all others may have come as late as it did', async () => {
    const clock = new ManualClock();
    const settlement = settlementOf(
      viewOf([1, 2, 3, 4], { newcomers: new Map([[idOf(2).hex, clock.monotonic() + 2 * MINUTE]]) }),
      clock,
    );
    compare(settlement, [1, 2, 3, 4], false);
    await clock.advance(MINUTE);
    expect(settlement.isSettled(KEY)).toBe(false);
    await clock.advance(MINUTE);
    expect(settlement.isSettled(KEY)).toBe(true);
    expect(settlement.isEverywhereSettled).toBe(true);
  });

  it('keeps what was compared with those who stay members', () => {
    const settlement = settlementOf(viewOf([1, 2, 3, 4]));
    compare(settlement, [1, 2, 3], true);
    settlement.onMembership(viewOf([1, 2, 3, 5]));
    expect(settlement.isSettled(KEY)).toBe(true);
    settlement.onMembership(viewOf([1, 2, 5, 6]));
    expect(settlement.isSettled(KEY)).toBe(false);
  });

  it('compares anew when fewer are left than K', () => {
    const settlement = settlementOf(viewOf([1, 2, 3, 4]));
    compare(settlement, [1, 2, 3, 4], true);
    settlement.onMembership(viewOf([1, 2, 3], { isSmall: true }));
    expect(settlement.isSettled(KEY)).toBe(false);
  });

  it('speaks for nothing once it was away without knowing it', () => {
    const settlement = settlementOf(viewOf([1, 2, 3, 4]));
    compare(settlement, [1, 2, 3, 4], true);
    settlement.forget();
    expect(settlement.isSettled(KEY)).toBe(false);
  });
});
