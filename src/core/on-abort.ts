/**
 * Many who wait under one signal, for the price of one listener: a batch hands its signal to every operation, and Node's EventTarget is slow with
 * many listeners and takes more than ten for a leak.
 */

interface Group {
  readonly listeners: Set<() => void>;
  readonly tellAll: () => void;
}

// BOUNDED: by those who wait; a signal under which nobody waits any more is forgotten.
const groups = new Map<AbortSignal, Group>();

/**
 * Calls `listener` once, when `signal` aborts; at once when it has already.
 * @param listener one of its own for each call
 * @returns takes it back; to be called in any case, or the signal is kept alive
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener();
    return () => undefined;
  }
  const { listeners } = groups.get(signal) ?? begin(signal);
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    end(signal);
  };
}

function begin(signal: AbortSignal): Group {
  const listeners = new Set<() => void>();
  const tellAll = () => {
    groups.delete(signal);
    for (const listener of listeners) listener();
  };
  const group = { listeners, tellAll };
  groups.set(signal, group);
  signal.addEventListener('abort', tellAll, { once: true });
  return group;
}

function end(signal: AbortSignal): void {
  const group = groups.get(signal);
  if (group === undefined) return;
  groups.delete(signal);
  signal.removeEventListener('abort', group.tellAll);
}
