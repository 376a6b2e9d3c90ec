/**
 * What readers of a simulated world were told, held against what they may be told: nothing that has ended, nothing that nobody wrote, nobody
 * goes back; and where everybody who is up can be heard, nothing older than what was acknowledged before the question, unless it says `partial`.
 */
import { cellId, type Key, parsePeerIdText, toHex, utf8Decode } from '../../src/records/index.ts';
import type { GetResult } from '../../src/replication/index.ts';
import type { SimulatedNode, World } from '../../testnet/simulator/index.ts';
import { type Account, type Acknowledged, compareInTime, type Version } from './account.ts';

type NodeLife = SimulatedNode['life'];

/** A write that has begun: whatever becomes of it, holders may have it. */
interface Attempt {
  readonly deleted: boolean;
  readonly expiresAt: number;
  /** Known once it has failed with a receipt. */
  seq: number;
}

/** What the clock of a writer may be ahead of a reader's, ms. */
const CLOCK_MARGIN_MS = 15_000;

interface Expected {
  readonly entry: Acknowledged;
  readonly version: Version;
  /** Lives that held it when the question was asked. */
  readonly heldIn: readonly NodeLife[];
}

export interface Question {
  readonly key: Key;
  readonly node: SimulatedNode;
  readonly life: NodeLife;
  readonly expected: readonly Expected[];
  /** What this life of the node had returned or written by then, by cell. */
  readonly seen: ReadonlyMap<string, Version>;
}

export class ReaderBook {
  readonly #world: World;
  readonly #account: Account;
  #isCalm: boolean;
  #isRecovered = false;
  // BOUNDED: by the writes of the test. By cell; only those no acknowledged write has overtaken.
  readonly #attempts = new Map<string, Attempt[]>();
  // BOUNDED: by the writes of the test. By cell; those that others have overtaken, too: who is cut off may know no later one.
  readonly #history = new Map<string, Attempt[]>();
  readonly #seen = new WeakMap<NodeLife, Map<string, Version>>();
  // BOUNDED: by the writes of the test.
  readonly #values = new Set<string>();
  /** Answers held against what was acknowledged. */
  judged = 0;

  /** @param isCalm nobody who is up is ever out of reach: then an answer that is not partial has no excuse */
  constructor(world: World, account: Account, isCalm: boolean) {
    this.#world = world;
    this.#account = account;
    this.#isCalm = isCalm;
  }

  /** From now on everybody who has anything can be heard, and had time to pass it on. */
  expectEverything(): void {
    this.#isCalm = true;
    this.#isRecovered = true;
  }

  /** To be called before anything is sent. `value` undefined: a delete. */
  begins(key: Key, publisher: Uint8Array, value: string | undefined, expiresAt: number): Attempt {
    const attempt: Attempt = { deleted: value === undefined, expiresAt, seq: Number.POSITIVE_INFINITY };
    const cell = cellOf(key, publisher);
    for (const attempts of [this.#attempts, this.#history])
      attempts.set(cell, [...(attempts.get(cell) ?? []), attempt]);
    if (value !== undefined) this.#values.add(value);
    return attempt;
  }

  /** It has come to nothing: no holder was sent anything. */
  cameToNothing(key: Key, publisher: Uint8Array, attempt: Attempt): void {
    const cell = cellOf(key, publisher);
    this.#keepAttempts(cell, (other) => other !== attempt);
    this.#history.set(
      cell,
      this.#history.get(cell)!.filter((other) => other !== attempt),
    );
  }

  /** @param life of the writer; undefined: it was written past its node, which knows nothing of it */
  acknowledged(key: Key, publisher: Uint8Array, version: Version, life: NodeLife | undefined): void {
    const cell = cellOf(key, publisher);
    this.#keepAttempts(cell, (other) => other.seq > version.seq);
    this.#account.acknowledged(key, publisher, version);
    if (life !== undefined) this.#note(life, cell, version);
  }

  ask(node: SimulatedNode, key: Key): Question {
    const { life } = node;
    const expected = this.#account.of(key).map((entry) => ({
      entry,
      version: entry.version,
      heldIn: this.#world.alive.filter(({ number }) => entry.now.has(number)).map((holder) => holder.life),
    }));
    const ofKey = toHex(key.id);
    const seen = [...(this.#seen.get(life) ?? [])].filter(([cell]) => cell.startsWith(ofKey));
    return { key, node, life, expected, seen: new Map(seen) };
  }

  /** @throws Error naming what the reader should not have been told */
  judge(question: Question, result: GetResult): void {
    const { key, life, seen } = question;
    const now = life.clock.now();
    const found = new Map<string, Version>();
    for (const { publisher, seq, expiresAt, value } of result.records) {
      const cell = cellOf(key, parsePeerIdText(publisher));
      const version: Version = { seq, expiresAt, deleted: false };
      if (expiresAt <= now) throw told(question, `something that ended ${now - expiresAt} ms ago`);
      if (!this.#values.has(utf8Decode(value))) throw told(question, 'what nobody wrote');
      const before = seen.get(cell);
      if (before !== undefined && compareInTime(version, before) < 0)
        throw told(question, 'something older than before');
      found.set(cell, version);
      this.#note(life, cell, version);
    }
    const newestSeq = result.records[0]?.seq ?? 0;
    this.#judgeAbsence(question, newestSeq);
    if (this.#isCalm && !result.partial) this.#judgeAgainstAcknowledged(question, newestSeq, found);
  }

  /** @throws Error when it was told that there is nothing, and there is */
  judgeNotFound(question: Question): void {
    this.#judgeAbsence(question, -1);
    if (this.#isCalm) this.#judgeAgainstAcknowledged(question, -1, new Map());
  }

  /** Another version of the cell may have taken the place of `version`, and is dead at `now`. */
  mayBeGone(cell: string, version: Version, now: number): boolean {
    const attempts = this.#attempts.get(cell) ?? [];
    if (attempts.some((attempt) => attempt.seq > version.seq && isDead(attempt, now))) return true;
    return this.#account.isOvertaken(cell, version, (later) => isDead(later, now));
  }

  /**
   * What it has returned itself stays, while it lives and as far as it knows: of what took its place a reader that is cut off may have heard, and
   * not that this was renewed, or overtaken in its turn.
   */
  #judgeAbsence(question: Question, newestSeq: number): void {
    const now = question.life.clock.now();
    for (const [cell, version] of question.seen) {
      if (version.deleted || version.expiresAt <= now || newestSeq >= version.seq) continue;
      const later = (this.#history.get(cell) ?? []).filter(({ seq }) => seq > version.seq);
      if (!later.some((attempt) => isDead(attempt, now))) throw told(question, 'less than it knew before');
    }
  }

  #judgeAgainstAcknowledged(question: Question, newestSeq: number, found: ReadonlyMap<string, Version>): void {
    const now = question.life.clock.now();
    for (const { entry, version, heldIn } of question.expected) {
      if ((entry.hasLostDisk && !this.#isRecovered) || !this.#isStillHeld(entry, heldIn)) continue;
      this.judged++;
      const answer = found.get(entry.cell);
      if (answer !== undefined && compareInTime(answer, version) < 0) {
        throw told(question, version.deleted ? 'what was deleted' : 'what was overtaken');
      }
      if (version.deleted || version.expiresAt <= now || newestSeq >= version.seq) continue;
      if (!this.mayBeGone(entry.cell, version, now)) throw told(question, 'less than was acknowledged');
    }
  }

  /** By one who was there all the time. */
  #isStillHeld({ now }: Acknowledged, heldIn: readonly NodeLife[]): boolean {
    return this.#world.alive.some(({ number, life }) => now.has(number) && heldIn.includes(life));
  }

  #keepAttempts(cell: string, isKept: (attempt: Attempt) => boolean): void {
    this.#attempts.set(cell, (this.#attempts.get(cell) ?? []).filter(isKept));
  }

  #note(life: NodeLife, cell: string, version: Version): void {
    const seen = this.#seen.get(life) ?? new Map<string, Version>();
    this.#seen.set(life, seen);
    const before = seen.get(cell);
    if (before === undefined || compareInTime(version, before) > 0) seen.set(cell, version);
  }
}

function isDead({ deleted, expiresAt }: Attempt | Version, now: number): boolean {
  return deleted || expiresAt <= now + CLOCK_MARGIN_MS;
}

function cellOf(key: Key, publisher: Uint8Array): string {
  return toHex(cellId({ key, publisher }));
}

function told({ key, node }: Question, what: string): Error {
  return new Error(`a get of "${key.text}" from node ${node.number} returned ${what}`);
}
