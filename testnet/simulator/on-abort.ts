/**
 * Many listeners on one signal, for the price of one: a lookup hands the same signal to every request it sends, and Node's EventTarget is slow
 * with many and warns above ten.
 */

// BOUNDED: an entry lives as long as its signal, a listener until it is taken back.
const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `listener` once when the signal aborts. The signal must not be aborted yet. */
export function onAbort(signal: AbortSignal, listener: () => void): void {
  let listeners = listenersOf.get(signal);
  if (listeners === undefined) {
    const created = new Set<() => void>();
    listeners = created;
    listenersOf.set(signal, created);
    const callAll = () => {
      for (const call of created) call();
      created.clear();
    };
    signal.addEventListener('abort', callAll, { once: true });
  }
  listeners.add(listener);
}

export function offAbort(signal: AbortSignal, listener: () => void): void {
  listenersOf.get(signal)?.delete(listener);
}
