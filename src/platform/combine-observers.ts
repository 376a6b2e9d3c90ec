import type { Observer } from '../core/index.ts';

/** One observer that tells all of them, in order. */
export function combineObservers(...observers: readonly Observer[]): Observer {
  return {
    notify(event) {
      for (const observer of observers) observer.notify(event);
    },
  };
}
