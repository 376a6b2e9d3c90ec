import { expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.ts';

function captured(json: boolean) {
  const written: string[] = [];
  const stdout = { write: (text: string) => written.push(text) > 0 };
  return { written, output: new Output({ json, stdout: stdout as never, env: {} }) };
}

test('programs get one object a line and nothing else, times without noise below a microsecond', async () => {
  const { written, output } = captured(true);
  await output.line('for people');
  await output.object({ elapsedMs: 8.357402999999977, hops: 2, seq: 1_795_224_000_000_001 });
  expect(written.join('')).toBe('{"elapsedMs":8.357,"hops":2,"seq":1795224000000001}\n');
});

test('people get lines and no objects', async () => {
  const { written, output } = captured(false);
  await output.object({ elapsedMs: 1 });
  await output.line('for people');
  expect(written.join('')).toBe('for people\n');
});
