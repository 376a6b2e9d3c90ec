import { describe, expect, test } from 'vitest';
import { KeyedQueue } from '../../../src/core/index.ts';

describe('KeyedQueue', () => {
  test('runs one at a time per key, in order, and keys side by side', async () => {
    const queue = new KeyedQueue();
    const log: string[] = [];
    const gates = new Map<string, () => void>();
    const work = (name: string) => async () => {
      log.push(`start ${name}`);
      await new Promise<void>((resolve) => gates.set(name, resolve));
      log.push(`end ${name}`);
      return name;
    };
    const a1 = queue.run('a', work('a1'));
    const a2 = queue.run('a', work('a2'));
    const b1 = queue.run('b', work('b1'));
    expect(log).toEqual(['start a1', 'start b1']);
    gates.get('a1')?.();
    expect(await a1).toBe('a1');
    await Promise.resolve();
    expect(log).toEqual(['start a1', 'start b1', 'end a1', 'start a2']);
    gates.get('a2')?.();
    gates.get('b1')?.();
    expect(await Promise.all([a2, b1])).toEqual(['a2', 'b1']);
    expect(queue.size).toBe(0);
  });

  test('goes on after a failure, which only its own caller sees', async () => {
    const queue = new KeyedQueue();
    const failing = queue.run('a', async () => {
      throw new Error('mine');
    });
    const next = queue.run('a', async () => 'fine');
    await expect(failing).rejects.toThrow('mine');
    expect(await next).toBe('fine');
    expect(queue.size).toBe(0);
  });
});
