/**
 * The account of what a network promised: per key and publisher the newest version it acknowledged. Every get is judged by what had been
 * acknowledged when it began. Not here: what the nodes really hold.
 */
import type { OperationFailure, ReadOutcome } from './scenario-target.ts';

/** What an honest answer may be off by around a record's end: clocks differ by up to this, ms. */
const EXPIRY_MARGIN_MS = 60_000;

export interface Version {
  readonly publisher: string;
  readonly seq: number;
  /** ms since the epoch */
  readonly expiresAt: number;
  readonly isDeleted: boolean;
}

/** `partial` says so itself; `stale` is an older version, a deleted or an expired one; `not-found` hides a live record; `error` is an honest refusal. */
export type Judgement = 'right' | 'partial' | 'stale' | 'not-found' | 'error';

export class RecordAccount {
  // BOUNDED: by the keys the scenario writes; one version per publisher.
  readonly #versions = new Map<string, readonly Version[]>();
  /** When the record of an unanswered write could be over: such a write may hide what was acknowledged before it. */
  // BOUNDED: by the keys the scenario writes.
  readonly #doubts = new Map<string, Map<string, number>>();

  /** What a get that begins now may not fall behind. */
  versions(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  /** A write begins, and nobody knows yet what will come of it. @param endsAt ms since the epoch; 0 for a delete */
  doubt(key: string, publisher: string, endsAt: number): void {
    const doubts = this.#doubts.get(key) ?? new Map<string, number>();
    this.#doubts.set(key, doubts.set(publisher, Math.min(endsAt, doubts.get(publisher) ?? Number.POSITIVE_INFINITY)));
  }

  /** A write that failed for certain before anything was sent. */
  dispel(key: string, publisher: string): void {
    this.#doubts.get(key)?.delete(publisher);
  }

  acknowledge(key: string, version: Version): void {
    this.dispel(key, version.publisher);
    const held = this.versions(key);
    const former = held.find(({ publisher }) => publisher === version.publisher);
    if (former !== undefined && former.seq > version.seq) return;
    this.#versions.set(key, [...held.filter((other) => other !== former), version]);
  }

  /** Keys that every reader must find at `now`. */
  *live(now: number): Generator<string, void> {
    for (const [key, versions] of this.#versions) {
      if (newestLive(versions, now) !== undefined && !this.#isDoubtful(key, now)) yield key;
    }
  }

  /** @param versions what was acknowledged when the get began @param now when it ended. Undefined when nobody was left to answer. */
  judge(key: string, versions: readonly Version[], outcome: ReadOutcome, now: number): Judgement | undefined {
    switch (outcome.kind) {
      case 'gone':
        return undefined;
      case 'failed':
        return this.#judgeFailure(key, versions, outcome, now);
      case 'found': {
        if (outcome.isPartial) return 'partial';
        const own = versions.find(({ publisher }) => publisher === outcome.publisher);
        const isOver = own?.seq === outcome.seq && (own.isDeleted || own.expiresAt + EXPIRY_MARGIN_MS < now);
        const newestSeq = Math.max(own?.seq ?? 0, newestLive(versions, now)?.seq ?? 0);
        return isOver || newestSeq > outcome.seq ? 'stale' : 'right';
      }
    }
  }

  #judgeFailure(key: string, versions: readonly Version[], { code }: OperationFailure, now: number): Judgement {
    if (code !== 'NOT_FOUND') return 'error';
    const isThere = newestLive(versions, now) !== undefined && newestLive(this.versions(key), now) !== undefined;
    return isThere && !this.#isDoubtful(key, now) ? 'not-found' : 'right';
  }

  #isDoubtful(key: string, now: number): boolean {
    for (const endsAt of this.#doubts.get(key)?.values() ?? []) if (endsAt <= now + EXPIRY_MARGIN_MS) return true;
    return false;
  }
}

function newestLive(versions: readonly Version[], now: number): Version | undefined {
  let newest: Version | undefined;
  for (const version of versions) {
    if (version.isDeleted || version.expiresAt <= now + EXPIRY_MARGIN_MS) continue;
    if (newest === undefined || version.seq > newest.seq) newest = version;
  }
  return newest;
}
