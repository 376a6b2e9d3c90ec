/** Carries a lookup out: sends what the state machine wants, hedges, and stops with the caller's signal. */
import { type Clock, isNautilusError, type Timer } from '../core/index.ts';
import type { Contact } from './contact.ts';
import type { Lookup } from './lookup.ts';

export interface LookupAnswer {
  readonly closer: readonly Contact[];
  /** False: it answered, but is not one of those looked for. */
  readonly counts: boolean;
}

export interface LookupDriver {
  readonly clock: Clock;
  /** Sends the request; settles within a bounded time. It may outlive the lookup. Rejects with a `NautilusError` when the contact failed. */
  ask(contact: Contact): Promise<LookupAnswer>;
  /** Known to have been silent just now: it is passed over. */
  isSuspect(contact: Contact): boolean;
  /** From the sending, ms; then the lookup no longer relies on this contact alone. 0: it never does. */
  hedgeAfterMs(contact: Contact): number;
  /** Asked after every event: true ends the lookup before it is done. What it has sent goes on. */
  isEnough?(): boolean;
}

/** From the hedge on; before that as long as until the hedge. Whoever is alive and merely slow has mostly answered by then, ms. */
const MAX_HOPE_MS = 500;

/** Resolves when the lookup is done; rejects with the signal's reason, or with an error of `ask` that no contact is to blame for. */
export function runLookup(lookup: Lookup, driver: LookupDriver, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // BOUNDED: by the requests of the lookup.
    const hedges = new Map<Contact, Timer>();
    let isOver = false;

    const end = (finish: () => void) => {
      isOver = true;
      signal.removeEventListener('abort', onAbort);
      for (const hedge of hedges.values()) hedge.cancel();
      finish();
    };
    const onAbort = () => end(() => reject(signal.reason));

    const proceed = () => {
      if (!isOver && driver.isEnough?.()) end(resolve);
      while (!isOver) {
        const step = lookup.next();
        if (step.kind === 'wait') return;
        if (step.kind === 'done') return end(resolve);
        if (driver.isSuspect(step.contact)) lookup.onFailure(step.contact.id);
        else start(step.contact);
      }
    };

    const start = (contact: Contact) => {
      const hedgeAfterMs = driver.hedgeAfterMs(contact);
      if (hedgeAfterMs === 0) {
        lookup.onSlow(contact.id);
        lookup.onOverdue(contact.id);
      } else hedges.set(contact, hedgeLater(contact, hedgeAfterMs));
      driver.ask(contact).then(
        ({ closer, counts }) => settle(contact, () => lookup.onSuccess(contact.id, closer, counts)),
        (error) => {
          // Who failed and why was reported where the request was sent. Anything else is a bug of the one who asks.
          if (isNautilusError(error)) settle(contact, () => lookup.onFailure(contact.id));
          else if (!isOver) end(() => reject(error));
        },
      );
    };

    const hedgeLater = (contact: Contact, afterMs: number) =>
      driver.clock.setTimer(afterMs, () => {
        lookup.onSlow(contact.id);
        hedges.set(contact, giveUpHopeLater(contact, Math.min(afterMs, MAX_HOPE_MS)));
        proceed();
      });

    const giveUpHopeLater = (contact: Contact, afterMs: number) =>
      driver.clock.setTimer(afterMs, () => {
        lookup.onOverdue(contact.id);
        proceed();
      });

    const settle = (contact: Contact, tell: () => void) => {
      hedges.get(contact)?.cancel();
      hedges.delete(contact);
      if (isOver) return;
      tell();
      proceed();
    };

    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    proceed();
  });
}
