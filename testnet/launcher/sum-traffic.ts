import type { PurposeTraffic } from '../scenarios/index.ts';

/** One entry per purpose, in the order they came. */
export function sumTraffic(parts: Iterable<PurposeTraffic>): readonly PurposeTraffic[] {
  const sum = new Map<string, PurposeTraffic>();
  for (const { purpose, frames, bytes } of parts) {
    const before = sum.get(purpose);
    sum.set(purpose, { purpose, frames: frames + (before?.frames ?? 0), bytes: bytes + (before?.bytes ?? 0) });
  }
  return [...sum.values()];
}
