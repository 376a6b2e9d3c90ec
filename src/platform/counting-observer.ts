/** Counts the rooms' events by type and reason: what `status` and tests read. Not here: histograms, and any format of a metrics system. */
import type { NodeEvent, Observer } from '../core/index.ts';

/** Reasons come from our own code; if they ever did not, further ones are counted together. */
const MAX_COUNTERS = 512;

export interface CountingObserver extends Observer {
  /** `request-sent/FIND_NODE` → 7; for events without a reason just the type. */
  counts(): Readonly<Record<string, number>>;
}

export function createCountingObserver(): CountingObserver {
  // BOUNDED: by MAX_COUNTERS, and one more per event type for the rest.
  const counters = new Map<string, number>();
  return {
    notify(event) {
      const name = nameOf(event);
      const counter = counters.has(name) || counters.size < MAX_COUNTERS ? name : `${event.type}/other`;
      counters.set(counter, (counters.get(counter) ?? 0) + 1);
    },
    counts: () => Object.fromEntries(counters),
  };
}

function nameOf(event: NodeEvent): string {
  if (event.type === 'request-failed') return `${event.type}/${event.request}/${event.code}`;
  if ('request' in event) return `${event.type}/${event.request}`;
  if ('reason' in event) return `${event.type}/${event.reason}`;
  if ('code' in event) return `${event.type}/${event.code}`;
  return event.type;
}
