import { beforeEach, describe, expect, test } from 'vitest';
import { CircuitBreaker, type CircuitState } from '../../../../src/registry/ring/circuit-breaker.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

let clock: ManualClock;
let states: CircuitState[];
let chance: number;

function breaker() {
  const random = { next: () => chance, bytes: (length: number) => new Uint8Array(length) };
  return new CircuitBreaker(
    { clock, random, onChange: (state) => states.push(state) },
    { failures: 3, pauseMs: 1_000, maxPauseMs: 8_000 },
  );
}

beforeEach(() => {
  clock = new ManualClock();
  states = [];
  chance = 0.999_999;
});

describe('a circuit breaker', () => {
  test('opens after failures in a row, not after as many with a success between', () => {
    const circuit = breaker();
    circuit.failed();
    circuit.failed();
    circuit.succeeded();
    circuit.failed();
    circuit.failed();
    expect(circuit.state).toBe('closed');
    circuit.failed();
    expect(circuit.state).toBe('open');
  });

  test('lets one probe through after a pause, and closes when it succeeds', async () => {
    const circuit = breaker();
    circuit.open();
    await clock.advance(999);
    expect(circuit.state).toBe('open');
    await clock.advance(1);
    expect(circuit.state).toBe('half-open');
    circuit.succeeded();
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  test('doubles the pause after each probe that fails, up to its longest, and begins anew once closed', async () => {
    const circuit = breaker();
    circuit.open();
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      await clock.advance(pauseMs - 1);
      expect(circuit.state, `${pauseMs} ms`).toBe('open');
      await clock.advance(1);
      expect(circuit.state, `${pauseMs} ms`).toBe('half-open');
      circuit.failed();
    }
    await clock.advance(8_000);
    circuit.succeeded();
    circuit.open();
    await clock.advance(1_000);
    expect(circuit.state).toBe('half-open');
  });

  test('pauses at least half as long by chance, so that not all come back at once', async () => {
    chance = 0;
    const circuit = breaker();
    circuit.open();
    await clock.advance(500);
    expect(circuit.state).toBe('half-open');
  });

  test('what was asked before it opened, and answers now, changes nothing', () => {
    const circuit = breaker();
    circuit.open();
    circuit.succeeded();
    circuit.failed();
    expect(circuit.state).toBe('open');
  });

  test('stopped, it leaves no timer behind and makes no new one', () => {
    const circuit = breaker();
    circuit.open();
    circuit.stop();
    circuit.failed();
    expect(clock.pendingTimers).toBe(0);
  });
});
