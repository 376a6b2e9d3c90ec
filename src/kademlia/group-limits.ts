/** How much of a table the owner of one network may have (address.ts says which networks count): a few contacts in a bucket, some more in all. */
import type { KBucket } from './k-bucket.ts';

export interface GroupLimitsInit {
  /** Contacts of one /24 or /48 in one bucket. @default 2 */
  readonly maxPerGroupInBucket?: number;
  /** Contacts of one /24 or /48 in the table. @default 10 */
  readonly maxPerGroup?: number;
}

export class GroupLimits {
  readonly #maxPerGroupInBucket: number;
  readonly #maxPerGroup: number;
  // BOUNDED: by the contacts and their addresses.
  readonly #counts = new Map<string, number>();

  constructor({ maxPerGroupInBucket = 2, maxPerGroup = 10 }: GroupLimitsInit) {
    this.#maxPerGroupInBucket = maxPerGroupInBucket;
    this.#maxPerGroup = maxPerGroup;
  }

  hasRoom(bucket: KBucket, groups: readonly string[]): boolean {
    return groups.every((group) => {
      if ((this.#counts.get(group) ?? 0) >= this.#maxPerGroup) return false;
      let inBucket = 0;
      for (const entry of bucket.entries) if (entry.groups.includes(group)) inBucket++;
      return inBucket < this.#maxPerGroupInBucket;
    });
  }

  count(groups: readonly string[], change: 1 | -1): void {
    for (const group of groups) {
      const count = (this.#counts.get(group) ?? 0) + change;
      if (count === 0) this.#counts.delete(group);
      else this.#counts.set(group, count);
    }
  }
}
