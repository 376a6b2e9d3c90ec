import { isNautilusError } from '../core/index.ts';

/** For `catch` where silence was to be expected and was noted where the request was sent: anything that is no outcome of a request goes on. */
export function unlessBug(error: unknown): void {
  if (!isNautilusError(error)) throw error;
}
