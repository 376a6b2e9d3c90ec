/** Something that does one piece of work after the other and lets only so much wait: a link of some bandwidth, a processor. */
export class Bottleneck {
  #busyUntil = 0;

  /**
   * @param now ms on the world's clock; never earlier than at the call before
   * @param workMs how long this piece takes once its turn comes
   * @param maxMs how much may stand here, this piece included; one that finds nobody before it always gets in
   * @returns ms until it is done; undefined when there is no room: it is dropped
   */
  enter(now: number, workMs: number, maxMs: number): number | undefined {
    const doneMs = this.waitMs(now) + workMs;
    if (doneMs > maxMs && doneMs > workMs) return undefined;
    this.#busyUntil = now + doneMs;
    return doneMs;
  }

  /** Until what stands here is done. */
  waitMs(now: number): number {
    return Math.max(0, this.#busyUntil - now);
  }
}
