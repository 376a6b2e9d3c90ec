/**
 * When to stop asking a shard that fails, and when to try it again (Nygard, "Release It!"): closed while it works, open after several failures in
 * a row, half-open for one probe at a time after a pause that grows and is jittered, so that the nodes that lost one server do not all come back
 * in the same moment. Decides; asks nobody.
 */
import type { Clock, Random, Timer } from '../../core/index.ts';

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitBreakerInit {
  /** In a row. */
  readonly failures: number;
  /** Before the first probe, ms; doubled after each that fails. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

export interface CircuitBreakerComponents {
  readonly clock: Clock;
  readonly random: Random;
  /** After each change of state. In `half-open` somebody has to probe and say how it went. */
  onChange(state: CircuitState): void;
}

export class CircuitBreaker {
  readonly #components: CircuitBreakerComponents;
  readonly #init: CircuitBreakerInit;
  #state: CircuitState = 'closed';
  #failures = 0;
  /** Probes in a row that failed. */
  #probes = 0;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(components: CircuitBreakerComponents, init: CircuitBreakerInit) {
    this.#components = components;
    this.#init = init;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** A call succeeded, or a probe. */
  succeeded(): void {
    this.#failures = 0;
    if (this.#state !== 'half-open') return;
    this.#probes = 0;
    this.#become('closed');
  }

  /** A call failed, or a probe. What was asked before it opened changes nothing. */
  failed(): void {
    if (this.#state === 'half-open') {
      this.#probes++;
      this.open();
    } else if (this.#state === 'closed' && ++this.#failures >= this.#init.failures) this.open();
  }

  /** Without waiting for more failures: it could not even be opened. */
  open(): void {
    if (this.#state === 'open' || this.#isStopped) return;
    const { clock, random } = this.#components;
    const pauseMs = Math.min(this.#init.pauseMs * 2 ** this.#probes, this.#init.maxPauseMs);
    this.#failures = 0;
    this.#timer = clock.setTimer(pauseMs * (0.5 + random.next() / 2), () => {
      this.#timer = undefined;
      this.#become('half-open');
    });
    this.#become('open');
  }

  /** No further probe. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #become(state: CircuitState): void {
    this.#state = state;
    this.#components.onChange(state);
  }
}
