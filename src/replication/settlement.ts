/**
 * For which keys this node may speak: it is *settled* for a region once it has compared with enough of the region's members that no finished
 * put can have passed it by. A finished put is on W of K' members; who has compared with R settled others, or with all there are, holds it.
 * Only then does its "absent" count towards a read quorum. "All there are" may all have come at once, and those who held the region before them
 * are outside it then: so that counts only once the latter had the time to hand over what they have.
 */
import type { Clock, Load } from '../core/index.ts';
import type { CellRange } from '../records/index.ts';
import { compareRanges, coversRange, gapsBetween, intersectRanges, overlapsRange, uniteRanges } from './cell-ranges.ts';
import { type MembershipView, NO_VIEW } from './membership.ts';
import { readQuorum } from './quorum.ts';
import { findRegion, type Region, regionsByMember } from './regions.ts';

/** What was compared with a member. */
interface Comparison {
  readonly withAnybody: readonly CellRange[];
  /** Where one of the two was settled then: what this node knows now, no newcomer can have missed. */
  readonly withSettled: readonly CellRange[];
}

/** Members an area was compared with. Kept, because every answer to a reader asks for the verdict. */
interface Tally {
  readonly withAnybody: Set<string>;
  readonly withSettled: Set<string>;
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
  // BOUNDED: as the view's ranges: the areas shared with each member, by hex node id. Empty while nothing is open.
  #areasWith: ReadonlyMap<string, readonly Region[]> = new Map();
  // BOUNDED: by the areas; those that are not settled yet.
  readonly #open = new Map<Region, Tally>();
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
    // The shared list itself wherever all of it is: it is not kept in several copies.
    const counted = intersectRanges(ranges, shared);
    // What was compared with it when it was settled stays true: nothing acknowledged since can have passed us by unnoticed.
    const former = this.#of(member);
    const settled = withSettled
      ? intersectRanges(uniteRanges(former.withSettled, counted), shared)
      : former.withSettled;
    if (counted === former.withAnybody && settled === former.withSettled) return; // all of it was counted before
    this.#comparisons.set(member, { withAnybody: counted, withSettled: settled });
    this.#countWith(member);
  }

  /** Nothing counts any more: this node was away without knowing it. */
  forget(): void {
    this.#comparisons.clear();
    this.#recount(() => false);
  }

  /** Whether this node may say that a key is absent. */
  isSettled(keyId: Uint8Array): boolean {
    this.settleByTime();
    const area = findRegion(this.#areas, keyId);
    return area !== undefined && !this.#open.has(area);
  }

  /** Members compared with, and regions this node may not speak for yet. */
  get loads(): { readonly compared: Load; readonly openAreas: Load } {
    const { shared } = this.#view;
    return {
      compared: { size: this.#comparisons.size, limit: shared.size },
      openAreas: { size: this.#open.size, limit: this.#areas.length },
    };
  }

  get isEverywhereSettled(): boolean {
    this.settleByTime();
    return this.#open.size === 0;
  }

  isSettledIn(ranges: readonly CellRange[]): boolean {
    this.settleByTime();
    for (const area of this.#open.keys()) if (overlapsRange(ranges, area.range)) return false;
    return true;
  }

  /** Also to be called now and then: what only time had to decide is let go of, whether anybody asks or not. */
  settleByTime(): void {
    const now = this.#clock.monotonic();
    if (now < this.#timeDecidesAt) return;
    this.#timeDecidesAt = Number.POSITIVE_INFINITY;
    for (const [area, tally] of this.#open) {
      if (this.#isDecided(area, tally)) this.#settle(area);
      else if (tally.newcomersUntil > now) this.#timeDecidesAt = Math.min(this.#timeDecidesAt, tally.newcomersUntil);
    }
  }

  /** Settled, or as soon as nobody there is a newcomer any more: to compare again tells nothing new. */
  isCompleteIn(ranges: readonly CellRange[]): boolean {
    for (const [area, tally] of this.#open) {
      if (overlapsRange(ranges, area.range) && !isWithAll(area, tally)) return false;
    }
    return true;
  }

  /** Whether all that is shared with `member` was compared with it. */
  isCovered(member: string): boolean {
    const shared = this.#view.shared.get(member) ?? [];
    const { withAnybody, withSettled } = this.#of(member);
    return shared.every((range) => coversRange(withAnybody, range) || coversRange(withSettled, range));
  }

  #of(member: string): Comparison {
    return this.#comparisons.get(member) ?? NOTHING;
  }

  /** Undefined: everywhere. */
  #settledRanges(): readonly CellRange[] | undefined {
    if (this.#open.size === 0) return undefined;
    return this.#areas.filter((area) => !this.#open.has(area)).map(({ range }) => range);
  }

  /** Where everything is settled the cuts have served; so many cuts are a network that is being made. */
  #formerAreas(): readonly Region[] {
    const { regions } = this.#view;
    return this.#open.size === 0 || this.#areas.length > MAX_CUTS * regions.length ? regions : this.#areas;
  }

  /** Whether an area lies in one that is settled by now, among the same members: a change elsewhere is no reason to ask anybody again. */
  #settledNow(): (area: Region) => boolean {
    const areas = this.#areas;
    const open = new Set(this.#open.keys());
    return ({ range, members }) => {
      const former = findRegion(areas, range.prefix);
      if (former === undefined || open.has(former) || former.range.bits > range.bits) return false;
      return (
        former.members.length === members.length && members.every((member, i) => member.equals(former.members[i]!))
      );
    };
  }

  #recount(isStillSettled: (area: Region) => boolean): void {
    this.#open.clear();
    for (const area of this.#areas) {
      if (area.members.length === 1) continue; // nobody else could know better
      if (isStillSettled(area)) continue;
      const tally = this.#tally(area);
      if (!this.#isDecided(area, tally)) this.#open.set(area, tally);
    }
    this.#areasWith = regionsByMember(this.#open.keys());
    this.#timeDecidesAt = Number.NEGATIVE_INFINITY;
  }

  #tally(area: Region): Tally {
    const { newcomers } = this.#view;
    let newcomersUntil = Number.NEGATIVE_INFINITY;
    if (newcomers.size > 0) {
      for (const { hex } of area.members)
        newcomersUntil = Math.max(newcomersUntil, newcomers.get(hex) ?? newcomersUntil);
    }
    const tally: Tally = { withAnybody: new Set(), withSettled: new Set(), newcomersUntil };
    for (const { hex } of area.members) this.#count(area, tally, hex);
    return tally;
  }

  #countWith(member: string): void {
    for (const area of this.#areasWith.get(member) ?? []) {
      const tally = this.#open.get(area);
      if (tally === undefined) continue;
      this.#count(area, tally, member);
      if (this.#isDecided(area, tally)) this.#settle(area);
    }
  }

  /** Counts what was compared with a member where the whole area was. */
  #count({ range }: Region, tally: Tally, member: string): void {
    const { withAnybody, withSettled } = this.#of(member);
    // What is shared with a member has all areas that it is in.
    const shared = this.#view.shared.get(member);
    const isWithSettled = withSettled === shared || coversRange(withSettled, range);
    if (isWithSettled) tally.withSettled.add(member);
    if (isWithSettled || withAnybody === shared || coversRange(withAnybody, range)) tally.withAnybody.add(member);
  }

  #settle(area: Region): void {
    this.#open.delete(area);
    if (this.#open.size === 0) this.#areasWith = new Map();
  }

  #isDecided(area: Region, tally: Tally): boolean {
    if (tally.withSettled.size >= readQuorum(area.members.length)) return true;
    return isWithAll(area, tally) && tally.newcomersUntil <= this.#clock.monotonic();
  }
}

function isWithAll({ members }: Region, { withAnybody }: Tally): boolean {
  return withAnybody.size >= members.length - 1;
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
