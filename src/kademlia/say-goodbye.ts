/** Tells everybody who may count on this node that it goes, nearest first: those near it have to fill its place. Bounded in time. */
import { type Clock, isNautilusError } from '../core/index.ts';
import type { Contact } from './contact.ts';

export interface GoodbyeInit {
  readonly clock: Clock;
  /** Nearest first. */
  readonly contacts: readonly Contact[];
  /** Time for all of them, ms. */
  readonly timeoutMs: number;
  send(contact: Contact, options: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<unknown>;
}

/** LEAVEs on their way at a time. */
const CONCURRENCY = 16;
/** Time for one of them: whoever takes longer notices by itself. */
const REQUEST_TIMEOUT_MS = 1_000;

export async function sayGoodbye({ clock, contacts, timeoutMs, send }: GoodbyeInit): Promise<void> {
  const controller = new AbortController();
  const timer = clock.setTimer(timeoutMs, () => controller.abort());
  const { signal } = controller;
  const waiting = contacts.values();
  const tellOneByOne = async () => {
    for (const contact of waiting) {
      if (signal.aborted) return;
      try {
        await send(contact, { signal, timeoutMs: REQUEST_TIMEOUT_MS });
      } catch (error) {
        // Who cannot be told will find out as if this node had died.
        if (!isNautilusError(error)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, tellOneByOne));
  timer.cancel();
}
