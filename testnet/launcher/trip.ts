/** The time one request may take, spent piece by piece. */
import { AssertionError, type Clock, NautilusError, sleep } from '../../src/core/index.ts';
import type { RequestOptions } from '../../src/kademlia/index.ts';

export class Trip {
  readonly signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #until: number;

  constructor(clock: Clock, { timeoutMs, signal }: RequestOptions) {
    this.signal = signal;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#until = clock.monotonic() + timeoutMs;
  }

  /** What is left, for the next one who needs a timeout. */
  get options(): RequestOptions {
    return { timeoutMs: Math.max(0, this.#until - this.#clock.monotonic()), signal: this.signal };
  }

  /** @throws NautilusError `TIMEOUT` when the time is over before, `ABORTED` */
  async pass(ms: number): Promise<void> {
    const leftMs = this.options.timeoutMs;
    try {
      await sleep(this.#clock, Math.min(ms, leftMs), this.signal);
    } catch (cause) {
      throw new NautilusError('ABORTED', 'the caller gave up', { cause });
    }
    if (ms >= leftMs) throw new NautilusError('TIMEOUT', `the peer did not answer within ${this.#timeoutMs} ms`);
  }

  /** Nothing comes any more. @throws as `pass`, always */
  async silence(): Promise<never> {
    await this.pass(Number.POSITIVE_INFINITY);
    throw new AssertionError('an endless wait is not over');
  }
}
