import { describe, expect, it } from 'vitest';
import { streamBatch } from '../../../src/client/index.ts';
import { type CommandCaller, createLocalCaller } from '../../../src/commands/index.ts';
import { createMemoryNode } from '../../support/memory-node.ts';

/** A caller that notes what is sent through it, and how many commands were ever open at once. */
function noting(caller: CommandCaller) {
  const sent: (readonly unknown[])[] = [];
  let open = 0;
  let peak = 0;
  const noted: CommandCaller = {
    call: caller.call,
    async *stream(name, input, options) {
      sent.push(Object.values(input).find((value) => Array.isArray(value)) as readonly unknown[]);
      peak = Math.max(peak, ++open);
      try {
        yield* caller.stream(name, input, options);
      } finally {
        open -= 1;
      }
    },
  };
  return { caller: noted, sent, peak: () => peak };
}

describe('streamBatch', () => {
  it('cuts any number of records into commands of 256, two of them open at once, and keeps their order', async () => {
    const { caller, sent, peak } = noting(createLocalCaller(createMemoryNode()));
    const records = Array.from({ length: 1_000 }, (_, n) => ({ key: `k${n}`, value: 'v' }));
    const keys: (string | null)[] = [];
    for await (const { key } of streamBatch(caller, records, { verb: 'put' })) keys.push(key);
    expect(keys).toEqual(records.map(({ key }) => key));
    expect(sent.map((chunk) => chunk.length)).toEqual([256, 256, 256, 232]);
    expect(peak()).toBe(2);
  });

  it('takes 10,000 records in one call, and says of each that failed what was wrong with it', async () => {
    const node = createMemoryNode();
    const bad = new Map<number, unknown>([
      [777, 'not a record'],
      [5_000, { key: '', value: 'v' }],
      [9_999, { key: 'k9999' }],
    ]);
    const records = Array.from({ length: 10_000 }, (_, n) => bad.get(n) ?? { key: `k${n}`, value: `v${n}` });
    const failures: (readonly [number, unknown])[] = [];
    let n = 0;
    for await (const outcome of streamBatch(createLocalCaller(node), records, { verb: 'put' })) {
      if ('error' in outcome) failures.push([n, outcome.error.code]);
      n++;
    }
    expect(n).toBe(10_000);
    expect(failures).toEqual([
      [777, 'USAGE'],
      [5_000, 'KEY_INVALID'],
      [9_999, 'USAGE'],
    ]);
    expect(node.records.size).toBe(10_000 - bad.size);
  });

  it('cuts earlier when the records are large, and never within one', async () => {
    const { caller, sent } = noting(createLocalCaller(createMemoryNode()));
    const value = 'x'.repeat(60_000);
    const records = Array.from({ length: 10 }, (_, n) => ({ key: `k${n}`, value }));
    let results = 0;
    for await (const _ of streamBatch(caller, records, { verb: 'put' })) results += 1;
    expect(results).toBe(10);
    expect(sent.map((chunk) => chunk.length)).toEqual([4, 4, 2]);
  });

  it('reads no more of its records than it has room for', async () => {
    let read = 0;
    const keys = function* () {
      for (;;) yield `k${read++}`;
    };
    for await (const { key } of streamBatch(createLocalCaller(createMemoryNode()), keys(), { verb: 'get' })) {
      expect(key).toBe('k0');
      break;
    }
    // Two commands, and the record that showed that the second was full.
    expect(read).toBeLessThanOrEqual(2 * 256 + 1);
  });

  it('sends nothing for nothing', async () => {
    const { caller, sent } = noting(createLocalCaller(createMemoryNode()));
    for await (const _ of streamBatch(caller, [], { verb: 'get' })) expect.unreachable();
    expect(sent).toEqual([]);
  });
});
