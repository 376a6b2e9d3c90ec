/** Door of `core`: what every room may use. It imports nothing. */
export { AssertionError, assert, unreachable } from './assert.ts';
export { BoundedMap } from './bounded-map.ts';
export type { Clock, Timer } from './clock.ts';
export {
  ERROR_CATALOGUE,
  type ErrorCode,
  isNautilusError,
  NautilusError,
} from './errors.ts';
export { KeyedQueue } from './keyed-queue.ts';
export type { Load } from './load.ts';
export { type NodeEvent, type Observer, SILENT_OBSERVER } from './observer.ts';
export { onAbort } from './on-abort.ts';
export type { Random } from './random.ts';
export { sleep } from './sleep.ts';
export type { StateStore } from './state-store.ts';
export { TokenBucket, type TokenBucketInit } from './token-bucket.ts';
export { untilAborted } from './until-aborted.ts';
