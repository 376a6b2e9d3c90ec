import { expect, test } from 'vitest';
import { RedisBatcher } from '../../../src/registry/storages/redis-batcher.ts';
import { settle } from '../../support/manual-clock.ts';

/** Doubles numbers; refuses odd ones over 1,000; one operation counts its number as bytes when it is over 100,000. */
function doubler() {
  const commands: (readonly number[])[] = [];
  const batcher = new RedisBatcher<number, number>({
    sizeOf: (n) => (n > 100_000 ? n : 1),
    run: async (numbers) => {
      commands.push(numbers);
      await settle();
      if (numbers.includes(13)) throw new Error('the connection is lost');
      return numbers.map((n) => (n % 2 === 1 && n > 1_000 ? new Error(`${n} is refused`) : 2 * n));
    },
  });
  return { batcher, commands };
}

test('calls of one turn share a command, in the order they were made, and each gets its own outcomes', async () => {
  const { batcher, commands } = doubler();
  const later = Promise.resolve().then(() => batcher.add([5]));
  expect(await Promise.all([batcher.add([1, 2]), batcher.add([3]), batcher.add([]), later])).toEqual([
    [2, 4],
    [6],
    [],
    [10],
  ]);
  expect(commands).toEqual([[1, 2, 3, 5]]);
  await batcher.add([6]);
  expect(commands).toHaveLength(2);
});

test('a command is bounded in operations and in bytes; a call may span several', async () => {
  const { batcher, commands } = doubler();
  const numbers = Array.from({ length: 300 }, (_, n) => 2 * n);
  expect(await batcher.add(numbers)).toEqual(numbers.map((n) => 2 * n));
  expect(commands.map(({ length }) => length)).toEqual([128, 128, 44]);
  await batcher.add([300_000, 300_000, 2, 1_000_000, 4]);
  expect(commands.slice(3)).toEqual([[300_000], [300_000, 2], [1_000_000], [4]]);
});

test('an operation that fails fails its call only; a command that fails, all calls in it', async () => {
  const { batcher } = doubler();
  const outcomes = await Promise.allSettled([batcher.add([2, 1_001, 4]), batcher.add([6])]);
  expect(outcomes).toMatchObject([
    { status: 'rejected', reason: { message: '1001 is refused' } },
    { status: 'fulfilled', value: [12] },
  ]);
  const lost = await Promise.allSettled([batcher.add([13]), batcher.add([6])]);
  expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('what is aborted within its turn is not sent', async () => {
  const { batcher, commands } = doubler();
  const abort = new AbortController();
  const calls = [batcher.add([1, 2], abort.signal), batcher.add([3])];
  abort.abort(new Error('the caller gave up'));
  expect(await Promise.allSettled(calls)).toMatchObject([
    { status: 'rejected', reason: { message: 'the caller gave up' } },
    { status: 'fulfilled', value: [6] },
  ]);
  expect(commands).toEqual([[3]]);
});
