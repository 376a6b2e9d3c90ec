import type { ManualClock } from './manual-clock.ts';

/** What a call came to. */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Turns first: what needs no time is to take none. */
const TURNS = 50;
const MAX_STEPS = 10_000;

/** The outcome of a call, with the clock moved as far as it takes. */
export async function settleCall<T>(clock: ManualClock, call: Promise<T>, stepMs: number): Promise<Outcome<T>> {
  let outcome: Outcome<T> | undefined;
  call.then(
    (value) => {
      outcome = { kind: 'done', value };
    },
    (error: unknown) => {
      outcome = { kind: 'failed', error };
    },
  );
  for (let turn = 0; turn < TURNS && outcome === undefined; turn++) await clock.advance(0);
  for (let step = 0; outcome === undefined; step++) {
    if (step > MAX_STEPS) throw new Error('a call is never answered');
    await clock.advance(stepMs);
  }
  return outcome;
}
