/**
 * For which keys this node may speak: it is *settled* for a region once it has compared with enough of the region's members that no finished
 * put can have passed it by. A finished put is on W of K' members; who has compared with R settled others, or with all there are, holds it.
 * Only then does its "absent" count towards a read quorum. "All there are" may all have come at once, and those who held the region before them
 * are outside it then: so that counts only once the latter had the time to hand over what they have.
 */
import type { Clock, Load } from '../core/index.ts';
import { type CellRange, compareRanges } from '../records/index.ts';
import { coversRange, forEachWithin, gapsBetween, intersectRanges, overlapsRange, uniteRanges } from './cell-ranges.ts';
import { type MembershipView, NO_VIEW } from './membership.ts';
import { readQuorum } from './quorum.ts';
import { findRegion, type Region } from './regions.ts';

/** What was compared with a member. */
interface Comparison {
  readonly withAnybody: readonly CellRange[];
  /** Where one of the two was settled then: what this node knows now, no newcomer can have missed. Within the former. */
  readonly withSettled: readonly CellRange[];
}

/** An area that is not settled yet. */
interface OpenArea extends Region {
  /** Members it was compared with: all of it. */
  withAnybody: number;
  withSettled: number;
  /** Until when one of its members is a newcomer, monotonic ms. */
  readonly newcomersUntil: number;
}

/** Areas a region may fall into on average. */
const MAX_CUTS = 4;
const NOTHING: Comparison = { withAnybody: [], withSettled: [] };

export class Settlement {
  readonly #clock: Clock;
  #view: MembershipView = NO_VIEW;
  // BOUNDED: by the members of our regions. By hex node id.
  readonly #comparisons = new Map<string, Comparison>();
  /**
   * What is settled or not as a whole: the regions, cut where the ones before them ended. Otherwise a region that grows, because a member has
   * gone, would unsettle all its holders at once, for keys they have held and compared all along.
   */
  #areas: readonly Region[] = [];
  // BOUNDED: by the areas. Ascending.
  #open: readonly OpenArea[] = [];
  /** When newcomers of an open area cease to be some, monotonic ms: before that time decides nothing. */
  #timeDecidesAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The members changed. What was compared counts where both still are members, and no more where we were not for a while. Where fewer are left
   * than K, whoever missed a put may now be most of them: then nothing that was compared before counts.
   */
  onMembership(view: MembershipView): void {
    this.settleByTime();
    const isFewer = view.isSmall && [...this.#view.shared.keys()].some((member) => !view.shared.has(member));
    if (isFewer) this.#comparisons.clear();
    const isStillSettled = isFewer ? () => false : this.#settledNow();
    const settled = this.#settledRanges();
    this.#areas = cutAreas(view.regions, this.#formerAreas());
    this.#view = view;
    for (const [member, { withAnybody, withSettled }] of this.#comparisons) {
      const shared = view.shared.get(member);
      if (shared === undefined) {
        this.#comparisons.delete(member);
        continue;
      }
      // Who is settled has missed nothing, so what it was compared with has not either.
      const counted = settled === undefined ? withAnybody : intersectRanges(withAnybody, settled);
      this.#comparisons.set(member, {
        withAnybody: intersectRanges(withAnybody, shared),
        withSettled: intersectRanges(uniteRanges(withSettled, counted), shared),
      });
    }
    this.#recount(isStillSettled);
  }

  /** This node and `member` hold the same in these ranges now, or what was missing here has been fetched. */
  compared(member: string, ranges: readonly CellRange[], withSettled: boolean): void {
    const shared = this.#view.shared.get(member);
    if (shared === undefined) return;
    // What was compared before stays true: nothing acknowledged since can have passed us by unnoticed.
    const former = this.#of(member);
    const isKnown = former.withAnybody === shared && (former.withSettled === shared || !withSettled);
    if (isKnown) return;
    // The shared list itself wherever all of it is: it is not kept in several copies.
    const counted = intersectRanges(ranges, shared);
    const add = (known: readonly CellRange[]) => intersectRanges(uniteRanges(known, counted), shared);
    const comparison = {
      withAnybody: add(former.withAnybody),
      withSettled: withSettled ? add(former.withSettled) : former.withSettled,
    };
    if (comparison.withAnybody === former.withAnybody && comparison.withSettled === former.withSettled) return;
    this.#comparisons.set(member, comparison);
    this.#count(former, -1);
    this.#count(comparison, 1);
    this.#letGoOfDecided();
  }

  /** Nothing counts any more: this node was away without knowing it. */
  forget(): void {
    this.#comparisons.clear();
    this.#recount(() => false);
  }

  /** Whether this node may say that a key is absent. */
  isSettled(keyId: Uint8Array): boolean {
    this.settleByTime();
    return findRegion(this.#areas, keyId) !== undefined && findRegion(this.#open, keyId) === undefined;
  }

  /** Members compared with, and regions this node may not speak for yet. */
  get loads(): { readonly compared: Load; readonly openAreas: Load } {
    const { shared } = this.#view;
    return {
      compared: { size: this.#comparisons.size, limit: shared.size },
      openAreas: { size: this.#open.length, limit: this.#areas.length },
    };
  }

  get isEverywhereSettled(): boolean {
    this.settleByTime();
    return this.#open.length === 0;
  }

  isSettledIn(ranges: readonly CellRange[]): boolean {
    this.settleByTime();
    return !this.#open.some(({ range }) => overlapsRange(ranges, range));
  }

  /** Also to be called now and then: what only time had to decide is let go of, whether anybody asks or not. */
  settleByTime(): void {
    const now = this.#clock.monotonic();
    if (now < this.#timeDecidesAt) return;
    this.#letGoOfDecided();
    this.#timeDecidesAt = Number.POSITIVE_INFINITY;
    for (const { newcomersUntil } of this.#open) {
      if (newcomersUntil > now) this.#timeDecidesAt = Math.min(this.#timeDecidesAt, newcomersUntil);
    }
  }

  /** Settled, or as soon as nobody there is a newcomer any more: to compare again tells nothing new. */
  isCompleteIn(ranges: readonly CellRange[]): boolean {
    return this.#open.every((area) => isWithAll(area) || !overlapsRange(ranges, area.range));
  }

  /** Whether all that is shared with `member` was compared with it. */
  isCovered(member: string): boolean {
    const shared = this.#view.shared.get(member) ?? [];
    const { withAnybody } = this.#of(member);
    return shared.every((range) => coversRange(withAnybody, range));
  }

  #of(member: string): Comparison {
    return this.#comparisons.get(member) ?? NOTHING;
  }

  /** Undefined: everywhere. */
  #settledRanges(): readonly CellRange[] | undefined {
    if (this.#open.length === 0) return undefined;
    const open = new Set(this.#open.map(({ range }) => range));
    return this.#areas.map(({ range }) => range).filter((range) => !open.has(range));
  }

  /** So many cuts are a network that is being made. */
  #formerAreas(): readonly Region[] {
    const { regions } = this.#view;
    return this.#areas.length > MAX_CUTS * regions.length ? regions : this.#areas;
  }

  /** Whether an area lies in one that is settled by now, among the same members: a change elsewhere is no reason to ask anybody again. */
  #settledNow(): (area: Region) => boolean {
    const areas = this.#areas;
    const open = this.#open;
    return ({ range, members }) => {
      const { prefix } = range;
      const former = findRegion(areas, prefix);
      if (former === undefined || former.range.bits > range.bits) return false;
      if (findRegion(open, prefix) !== undefined) return false;
      return (
        former.members.length === members.length && members.every((member, i) => member.equals(former.members[i]!))
      );
    };
  }

  #recount(isStillSettled: (area: Region) => boolean): void {
    const newcomersUntil = this.#newcomersUntil();
    const isOpen = (area: Region) => area.members.length > 1 && !isStillSettled(area); // alone, nobody could know better
    this.#open = this.#areas.filter(isOpen).map(({ range, members }) => {
      return { range, members, withAnybody: 0, withSettled: 0, newcomersUntil: newcomersUntil(members) };
    });
    for (const comparison of this.#comparisons.values()) this.#count(comparison, 1);
    this.#timeDecidesAt = Number.NEGATIVE_INFINITY;
    this.settleByTime();
  }

  /** Until when one of an area's members is a newcomer, monotonic ms. Areas with the same members have the same array. */
  #newcomersUntil(): (members: Region['members']) => number {
    const { newcomers } = this.#view;
    const never = Number.NEGATIVE_INFINITY;
    if (newcomers.size === 0) return () => never;
    const known = new Map<Region['members'], number>();
    return (members) => {
      let until = known.get(members);
      if (until === undefined) {
        until = members.reduce((latest, { hex }) => Math.max(latest, newcomers.get(hex) ?? never), never);
        known.set(members, until);
      }
      return until;
    };
  }

  /** Adds one member to the areas that were compared with it, or takes it away. What is shared with it are areas it is in. */
  #count({ withAnybody, withSettled }: Comparison, by: 1 | -1): void {
    forEachWithin(this.#open, rangeOf, withAnybody, (area) => (area.withAnybody += by));
    forEachWithin(this.#open, rangeOf, withSettled, (area) => (area.withSettled += by));
  }

  #letGoOfDecided(): void {
    const now = this.#clock.monotonic();
    const isDecided = (area: OpenArea) =>
      area.withSettled >= readQuorum(area.members.length) || (isWithAll(area) && area.newcomersUntil <= now);
    this.#open = this.#open.filter((area) => !isDecided(area));
    if (this.#open.length === 0) this.#areas = this.#view.regions; // the cuts have served
  }
}

function rangeOf({ range }: Region): CellRange {
  return range;
}

function isWithAll({ members, withAnybody }: OpenArea): boolean {
  return withAnybody >= members.length - 1;
}

/** Every region, cut at the ends of the former ones inside it. */
function cutAreas(regions: readonly Region[], former: readonly Region[]): readonly Region[] {
  const cuts = former.map(({ range }) => range);
  return regions.flatMap((region) => {
    const inside = intersectRanges([region.range], cuts);
    if (inside.length === 0 || inside[0] === region.range) return [region];
    const ranges = [...inside, ...gapsBetween(inside, region.range)].sort(compareRanges);
    return ranges.map((range) => ({ range, members: region.members }));
  });
}
