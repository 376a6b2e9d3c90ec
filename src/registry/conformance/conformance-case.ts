/** What the cases of the suite are made of: the storage under test, its clock, and entries to put into it. */
import assert from 'node:assert/strict';
import type { Clock, Timer } from '../../core/index.ts';
import type { RegistryStorage, StorageEntry } from '../storage.ts';

export interface OpenedStorage {
  readonly storage: RegistryStorage;
  /** Persistent storages: opens the same entries again, after `storage` was closed. */
  readonly reopen?: () => Promise<RegistryStorage>;
  /** Removes what the case left behind; the storage is closed by then. */
  readonly dispose?: () => Promise<void>;
}

export interface StorageSubject {
  /** A storage without entries, on this clock. */
  open(clock: Clock): Promise<OpenedStorage>;
  /** Bounded storages that refuse: one that takes exactly `maxEntries` small entries. */
  openBounded?(clock: Clock, maxEntries: number): Promise<OpenedStorage>;
  /** Then `reopen` must be there. @default false */
  readonly isPersistent?: boolean;
}

export interface ConformanceContext extends OpenedStorage {
  readonly clock: SuiteClock;
  readonly subject: StorageSubject;
}

export interface ConformanceCase {
  readonly name: string;
  readonly needs?: readonly ('persistence' | 'bounds')[];
  run(context: ConformanceContext): Promise<void>;
}

interface PendingTimer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** Stands still until a case moves it. */
export class SuiteClock implements Clock {
  // BOUNDED: by what the storage under test arms.
  readonly #timers = new Set<PendingTimer>();
  #now = 1_700_000_000_000;

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { dueAt: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers) {
      if (timer.dueAt > this.#now) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}

export const LIFE_MS = 60_000;

export function key(...bytes: readonly number[]): Uint8Array {
  return Uint8Array.from(bytes);
}

export function numberedKey(n: number): Uint8Array {
  return key(n >> 8, n & 0xff);
}

/** Bytes without a pattern, the same in every run. */
export function noise(length: number): Uint8Array {
  let state = 0x9e3779b9;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

/** A small live entry, told apart by its version. */
export function entry(clock: Clock, version = 1, value: Uint8Array = key(1, 2, 3)): StorageEntry {
  return { value, version, expiresAt: clock.now() + LIFE_MS };
}

/** Compares contents: a storage may hand out any kind of Uint8Array. */
export function equalEntry(
  actual: StorageEntry | undefined,
  expected: StorageEntry | undefined,
  message?: string,
): void {
  assert.deepEqual(plain(actual), plain(expected), message);
}

export function equalKeys(actual: readonly { readonly key: Uint8Array }[], expected: readonly Uint8Array[]): void {
  assert.deepEqual(
    actual.map((entry) => Uint8Array.from(entry.key)),
    expected.map((bytes) => Uint8Array.from(bytes)),
  );
}

function plain(entry: StorageEntry | undefined): StorageEntry | undefined {
  if (entry === undefined) return undefined;
  return { value: Uint8Array.from(entry.value), version: entry.version, expiresAt: entry.expiresAt };
}
