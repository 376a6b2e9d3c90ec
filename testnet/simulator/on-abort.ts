/**
 * Many listeners on one signal, for the price of one: a lookup hands the same signal to every request it sends, and Node's EventTarget is slow
 * with many and warns above ten.
 */

export interface AbortListener {
  /** Called once, when the signal aborts. */
  onAbort(): void;
}

// BOUNDED: an entry lives as long as its signal, a listener until it is taken back.
const listenersOf = new WeakMap<AbortSignal, Set<AbortListener>>();

/** The signal must not be aborted yet. */
export function onAbort(signal: AbortSignal, listener: AbortListener): void {
  let listeners = listenersOf.get(signal);
  if (listeners === undefined) {
    const created = new Set<AbortListener>();
    listeners = created;
    listenersOf.set(signal, created);
    const tellAll = () => {
      for (const told of created) told.onAbort();
      created.clear();
    };
    signal.addEventListener('abort', tellAll, { once: true });
  }
  listeners.add(listener);
}

export function offAbort(signal: AbortSignal, listener: AbortListener): void {
  listenersOf.get(signal)?.delete(listener);
}
