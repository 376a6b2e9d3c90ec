import { describe, expect, it, vi } from 'vitest';
import { onAbort, untilAborted } from '../../../src/core/index.ts';

/** A signal, and how many listeners of its own it has. */
function watchedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(signal, args);
  };
  return { controller, signal, count: () => listeners };
}

describe('onAbort', () => {
  it('puts one listener on a signal for any number of those who wait, and takes it away after the last', () => {
    const { signal, count } = watchedSignal();
    const stops = Array.from({ length: 1_000 }, () => onAbort(signal, () => undefined));
    expect(count()).toBe(1);
    for (const stop of stops.slice(1)) stop();
    expect(count()).toBe(1);
    stops[0]!();
    expect(count()).toBe(0);
    for (const stop of stops) stop();
    expect(count()).toBe(0);
    onAbort(signal, () => undefined);
    expect(count()).toBe(1);
  });

  it('tells everybody who has not been taken back, once and in order', () => {
    const { controller, signal } = watchedSignal();
    const told: string[] = [];
    onAbort(signal, () => told.push('first'));
    const stop = onAbort(signal, () => told.push('taken back'));
    onAbort(signal, () => {
      told.push('second');
      stopThird();
    });
    const stopThird = onAbort(signal, () => told.push('third'));
    onAbort(signal, () => told.push('fourth'));
    stop();
    controller.abort();
    controller.abort();
    expect(told).toEqual(['first', 'second', 'fourth']);
  });

  it('tells at once whoever comes after the abort', () => {
    const listener = vi.fn();
    onAbort(AbortSignal.abort(), listener)();
    expect(listener).toHaveBeenCalledOnce();
  });
});

describe('untilAborted', () => {
  it('gives up with the reason of the signal, and leaves no listener either way', async () => {
    const { controller, signal, count } = watchedSignal();
    const reason = new Error('enough');
    await expect(untilAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(untilAborted(Promise.reject(new Error('it failed')), signal)).rejects.toThrow('it failed');
    expect(count()).toBe(0);
    const waiting = Array.from({ length: 12 }, () => untilAborted(new Promise(() => undefined), signal));
    expect(count()).toBe(1);
    controller.abort(reason);
    for (const each of waiting) await expect(each).rejects.toBe(reason);
    await expect(untilAborted(Promise.reject(new Error('late')), signal)).rejects.toBe(reason);
  });
});
