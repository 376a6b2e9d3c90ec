/** Carries a lookup out: sends what the state machine wants, hedges, and stops with the caller's signal. */
import type { Clock, Timer } from '../core/index.ts';
import type { Contact } from './contact.ts';
import type { Lookup } from './lookup.ts';

export interface LookupAnswer {
  readonly closer: readonly Contact[];
  /** False: it answered, but is not one of those looked for. */
  readonly counts: boolean;
}

export interface LookupDriver {
  readonly clock: Clock;
  /** Sends the request; settles within a bounded time. It may outlive the lookup. */
  ask(contact: Contact, signal: AbortSignal): Promise<LookupAnswer>;
  /** Known to have been silent just now: it is passed over. */
  isSuspect(contact: Contact): boolean;
  /** From the sending; then the lookup no longer relies on this contact alone. */
  hedgeAfterMs(contact: Contact): number;
}

/** Resolves when the lookup is done; rejects with the signal's reason. */
export function runLookup(lookup: Lookup, driver: LookupDriver, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // BOUNDED: by the requests of the lookup.
    const asked = new Map<Contact, { readonly hedge: Timer; readonly controller: AbortController }>();
    let isOver = false;

    const end = (finish: () => void) => {
      isOver = true;
      signal?.removeEventListener('abort', onAbort);
      for (const { hedge } of asked.values()) hedge.cancel();
      finish();
    };
    const onAbort = () => {
      end(() => reject(signal?.reason));
      for (const { controller } of asked.values()) controller.abort(signal?.reason);
    };

    const proceed = () => {
      while (!isOver) {
        const step = lookup.next();
        if (step.kind === 'wait') return;
        if (step.kind === 'done') return end(resolve);
        if (driver.isSuspect(step.contact)) lookup.onFailure(step.contact.id);
        else start(step.contact);
      }
    };

    const start = (contact: Contact) => {
      const hedge = driver.clock.setTimer(driver.hedgeAfterMs(contact), () => {
        lookup.onSlow(contact.id);
        proceed();
      });
      // One each: K listeners on one signal are more than the runtime believes anybody could mean.
      const controller = new AbortController();
      asked.set(contact, { hedge, controller });
      driver.ask(contact, controller.signal).then(
        ({ closer, counts }) => settle(contact, () => lookup.onSuccess(contact.id, closer, counts)),
        // Who failed and why was reported where the request was sent.
        () => settle(contact, () => lookup.onFailure(contact.id)),
      );
    };

    const settle = (contact: Contact, tell: () => void) => {
      asked.get(contact)?.hedge.cancel();
      asked.delete(contact);
      if (isOver) return;
      tell();
      proceed();
    };

    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    proceed();
  });
}
