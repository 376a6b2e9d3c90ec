/** Waiting for something that tells nobody when it happens: looks often, and gives up with a sentence instead of a test's timeout. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * @param look what was waited for, or undefined while it is not there; a throw ends the waiting
 * @param timeoutMs generous: a bound on hanging, not a claim about speed
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1_000} s until ${what}`);
    await delay(POLL_MS);
  }
}
