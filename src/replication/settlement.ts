/**
 * For which keys this node may speak: it is *settled* for a region once it has compared with enough of the region's members that no finished
 * put can have passed it by. A finished put is on W of K' members; who has compared with W − 1 settled others, or with all there are, holds it.
 * Only then does its "absent" count towards a read quorum.
 */
import type { Load } from '../core/index.ts';
import type { CellRange } from '../records/index.ts';
import { compareRanges, coversRange, gapsBetween, intersectRanges, overlapsRange } from './cell-ranges.ts';
import { type MembershipView, NO_VIEW } from './membership.ts';
import { writeQuorum } from './quorum.ts';
import { findRegion, type Region, regionsByMember } from './regions.ts';

interface Comparison {
  readonly ranges: readonly CellRange[];
  /** The other was settled in them when it was compared with. */
  readonly withSettled: boolean;
}

/** Members an area was compared with. Kept, because every answer to a reader asks for the verdict. */
interface Tally {
  readonly withAnybody: Set<string>;
  readonly withSettled: Set<string>;
}

/** Areas a region may fall into on average. */
const MAX_CUTS = 4;
const NOTHING: readonly Comparison[] = [];

export class Settlement {
  #view: MembershipView = NO_VIEW;
  // BOUNDED: by the members of our regions, two comparisons each. By hex node id.
  readonly #comparisons = new Map<string, readonly Comparison[]>();
  /**
   * What is settled or not as a whole: the regions, cut where the ones before them ended. Otherwise a region that grows, because a member has
   * gone, would unsettle all its holders at once, for keys they have held and compared all along.
   */
  #areas: readonly Region[] = [];
  // BOUNDED: as the view's ranges: the areas shared with each member, by hex node id. Empty while nothing is open.
  #areasWith: ReadonlyMap<string, readonly Region[]> = new Map();
  // BOUNDED: by the areas; those that are not settled yet.
  readonly #open = new Map<Region, Tally>();

  /**
   * The members changed. What was compared counts where both still are members, and no more where we were not for a while. Where fewer are left
   * than K, whoever missed a put may now be most of them: then nothing that was compared before counts.
   */
  onMembership(view: MembershipView): void {
    const isFewer = view.isSmall && [...this.#view.shared.keys()].some((member) => !view.shared.has(member));
    const isStillSettled = isFewer ? () => false : this.#settledNow();
    this.#areas = cutAreas(view.regions, this.#formerAreas());
    this.#view = view;
    for (const [member, comparisons] of this.#comparisons) {
      const shared = isFewer ? undefined : view.shared.get(member);
      const kept = comparisons.flatMap((comparison) => {
        const ranges = shared === undefined ? [] : intersectRanges(comparison.ranges, shared);
        return ranges.length === 0 ? [] : [{ ...comparison, ranges }];
      });
      if (kept.length > 0) this.#comparisons.set(member, kept);
      else this.#comparisons.delete(member);
    }
    this.#recount(isStillSettled);
  }

  /** This node and `member` hold the same in these ranges now, or what was missing here has been fetched. */
  compared(member: string, ranges: readonly CellRange[], withSettled: boolean): void {
    const shared = this.#view.shared.get(member);
    if (shared === undefined) return;
    const counted = ranges === shared ? shared : intersectRanges(ranges, shared);
    // What was compared with it when it was settled stays true: nothing acknowledged since can have passed us by unnoticed.
    const earlier = this.#of(member).filter((comparison) => comparison.withSettled && !withSettled);
    this.#comparisons.set(member, [...earlier, { ranges: counted, withSettled }]);
    this.#countWith(member);
  }

  /** Nothing counts any more: this node was away without knowing it. */
  forget(): void {
    this.#comparisons.clear();
    this.#recount(() => false);
  }

  /** Whether this node may say that a key is absent. */
  isSettled(keyId: Uint8Array): boolean {
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
    return this.#open.size === 0;
  }

  isSettledIn(ranges: readonly CellRange[]): boolean {
    for (const area of this.#open.keys()) if (overlapsRange(ranges, area.range)) return false;
    return true;
  }

  /** Regions shared with `member` that were not compared with it. */
  isCovered(member: string): boolean {
    const shared = this.#view.shared.get(member) ?? [];
    return shared.every((range) => this.#of(member).some(({ ranges }) => coversRange(ranges, range)));
  }

  #of(member: string): readonly Comparison[] {
    return this.#comparisons.get(member) ?? NOTHING;
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
  }

  #tally(area: Region): Tally {
    const tally: Tally = { withAnybody: new Set(), withSettled: new Set() };
    for (const { hex } of area.members) this.#count(area, tally, hex);
    return tally;
  }

  #countWith(member: string): void {
    for (const area of this.#areasWith.get(member) ?? []) {
      const tally = this.#open.get(area);
      if (tally === undefined) continue;
      this.#count(area, tally, member);
      if (this.#isDecided(area, tally)) this.#open.delete(area);
    }
    if (this.#open.size === 0) this.#areasWith = new Map();
  }

  /** Counts what was compared with a member where the whole area was. */
  #count(area: Region, { withAnybody, withSettled }: Tally, member: string): void {
    for (const comparison of this.#of(member)) {
      if (!coversRange(comparison.ranges, area.range)) continue;
      withAnybody.add(member);
      if (comparison.withSettled) withSettled.add(member);
    }
  }

  #isDecided({ members: { length } }: Region, { withAnybody, withSettled }: Tally): boolean {
    return withAnybody.size >= length - 1 || 1 + withSettled.size >= writeQuorum(length);
  }
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
