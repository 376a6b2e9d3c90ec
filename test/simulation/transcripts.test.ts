/**
 * Golden transcripts of the protocol's corner cases: `> command` lines of the scenario language, each with what came of it below. RECORD=1 writes
 * what comes of them today; re-record only what you can explain.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../testnet/scenarios/index.ts';
import { simulate } from '../../testnet/simulator/index.ts';

const DIRECTORY = fileURLToPath(new URL('../fixtures/transcripts/', import.meta.url));
const names = readdirSync(DIRECTORY).filter((file) => file.endsWith('.txt'));

/** Comments and commands stay as they are; what is between them is written anew. Line numbers stay those of the file's commands. */
async function replay(text: string, name: string): Promise<string> {
  const kept = text.split('\n').filter((line) => line.startsWith('>') || line.startsWith('#'));
  const script = kept.map((line) => line.replace(/^> ?/, '')).join('\n');
  const results = new Map<number, string>();
  await simulate(
    { seed: name, commands: parseScenario(script, name) },
    { onResult: ({ line }, _atMs, result) => results.set(line, result) },
  );
  return kept.map((line, index) => [line, ...(results.get(index + 1)?.split('\n') ?? [])].join('\n')).join('\n');
}

describe('transcripts', () => {
  it('cover the corner cases', () => {
    expect(names.length).toBeGreaterThanOrEqual(6);
  });

  it.each(names)('%s comes out as it was recorded', async (name) => {
    const path = `${DIRECTORY}${name}`;
    const recorded = readFileSync(path, 'utf8').trimEnd();
    const replayed = await replay(recorded, name);
    if (process.env.RECORD === '1') writeFileSync(path, `${replayed}\n`);
    else expect(replayed).toBe(recorded);
  });
});
