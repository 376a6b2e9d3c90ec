import { expect, test } from 'vitest';
import { WriteQueue } from '../../../src/registry/storages/write-queue.ts';

/** Transactions that are done when the test says so. */
class Database {
  readonly commits: { readonly bytes: number; finish(error?: Error): void }[] = [];
  readonly queue = new WriteQueue((bytes, fill) => {
    fill();
    return new Promise((resolve, reject) => {
      this.commits.push({ bytes, finish: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  });
}

const write = <T>(run: () => T, bytes = 10, count = 1) => ({ count, bytes, run });
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('writes of one turn share a transaction, those that come meanwhile share the next, in order', async () => {
  const { queue, commits } = new Database();
  const order: number[] = [];
  const all = [1, 2, 3].map((n) => queue.add(write(() => order.push(n))));
  await turn();
  all.push(...[4, 5].map((n) => queue.add(write(() => order.push(n)))));
  await turn();
  expect({ order: [...order], bytes: commits.map(({ bytes }) => bytes) }).toEqual({ order: [1, 2, 3], bytes: [30] });
  commits[0]?.finish();
  await turn();
  expect(order).toEqual([1, 2, 3, 4, 5]);
  commits[1]?.finish();
  expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5]);
  await queue.idle();
  expect(commits).toHaveLength(2);
});

test('nothing is acknowledged before its transaction is done', async () => {
  const { queue, commits } = new Database();
  let isDone = false;
  const done = queue.add(write(() => 1)).then(() => {
    isDone = true;
  });
  await turn();
  expect(isDone).toBe(false);
  commits[0]?.finish();
  await done;
});

test('a failed transaction fails everybody in it and nobody else', async () => {
  const { queue, commits } = new Database();
  const first = queue.add(write(() => 1));
  const second = queue.add(write(() => 2));
  const failures = Promise.allSettled([first, second]);
  await turn();
  const third = queue.add(write(() => 3));
  commits[0]?.finish(new Error('no disk'));
  expect((await failures).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await turn();
  commits[1]?.finish();
  expect(await third).toBe(3);
});

test('what one write throws is its own: the others are committed', async () => {
  const { queue, commits } = new Database();
  const broken = queue.add(
    write(() => {
      throw new Error('mine');
    }),
  );
  const sound = queue.add(write(() => 'fine'));
  const failure = expect(broken).rejects.toThrow('mine');
  await turn();
  commits[0]?.finish();
  await failure;
  expect(await sound).toBe('fine');
});

test('an aborted write never runs when its turn has not come, and is told when it has', async () => {
  const { queue, commits } = new Database();
  const abort = new AbortController();
  let runs = 0;
  const inside = queue.add(
    write(() => ++runs),
    abort.signal,
  );
  await turn();
  const waiting = queue.add(
    write(() => ++runs),
    abort.signal,
  );
  const failure = expect(waiting).rejects.toThrow('gave up');
  abort.abort(new Error('gave up'));
  commits[0]?.finish();
  expect(await inside).toBe(1);
  await turn();
  commits[1]?.finish();
  await failure;
  expect(runs).toBe(1);
});

test('the queue is bounded by operations and by bytes, and takes one large batch when it is empty', async () => {
  const { queue, commits } = new Database();
  const large = queue.add(write(() => 'large', 100 * 1024 * 1024, 100_000));
  await turn();
  const waiting = queue.add(write(() => 'waiting', 60 * 1024 * 1024));
  await expect(queue.add(write(() => 0, 10 * 1024 * 1024))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  await expect(queue.add(write(() => 0, 1, 65_536))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  commits[0]?.finish();
  expect(await large).toBe('large');
  await turn();
  commits[1]?.finish();
  expect(await waiting).toBe('waiting');
});

test('a transaction is kept small: a long queue is worked off in several', async () => {
  const { queue, commits } = new Database();
  const all = Array.from({ length: 5_000 }, (_, n) => queue.add(write(() => n)));
  await turn();
  expect(commits.map(({ bytes }) => bytes)).toEqual([40_960]);
  commits[0]?.finish();
  await turn();
  commits[1]?.finish();
  expect(await Promise.all(all)).toHaveLength(5_000);
});
