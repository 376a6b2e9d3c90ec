/** What is wrong between particular nodes: partitions, whole or in one direction, and bad lines. Everything is by node number and by direction. */

/** Whether frames get through from one node to another. Not symmetric unless it wants to be. */
export type Reachability = (from: number, to: number) => boolean;

interface OneWayFault {
  readonly from: ReadonlySet<number>;
  readonly to: ReadonlySet<number>;
  /** Share of frames that vanish; 1: a partition. */
  readonly lossRate: number;
}

export class PairFaults {
  #reachable: Reachability | undefined;
  // BOUNDED: one entry per fault the scenario makes before it heals.
  readonly #oneWay: OneWayFault[] = [];

  /** Only nodes of the same group hear each other; nodes in no group form one more. Replaces an earlier partition into groups. */
  partition(groups: readonly (readonly number[])[]): void {
    const groupOf = new Map(groups.flatMap((group, index) => group.map((number) => [number, index] as const)));
    this.#reachable = (from, to) => groupOf.get(from) === groupOf.get(to);
  }

  /** Replaces an earlier partition into groups. */
  setReachability(reachable: Reachability): void {
    this.#reachable = reachable;
  }

  /** Nothing gets through from these to those any more; the other way stays as it is. */
  partitionOneWay(from: readonly number[], to: readonly number[]): void {
    this.lose(from, to, 1);
  }

  /** A share of the frames from these to those vanishes, on top of what vanishes everywhere. */
  lose(from: readonly number[], to: readonly number[], lossRate: number): void {
    this.#oneWay.push({ from: new Set(from), to: new Set(to), lossRate });
  }

  /** Between every two nodes everything is well. */
  heal(): void {
    this.#reachable = undefined;
    this.#oneWay.length = 0;
  }

  reaches(from: number, to: number): boolean {
    if (this.#reachable !== undefined && !this.#reachable(from, to)) return false;
    return this.#oneWay.length === 0 || this.lossRate(from, to) < 1;
  }

  /** 0 … 1, of all faults of the pair together. */
  lossRate(from: number, to: number): number {
    let passes = 1;
    for (const fault of this.#oneWay) {
      if (fault.from.has(from) && fault.to.has(to)) passes *= 1 - fault.lossRate;
    }
    return 1 - passes;
  }
}
