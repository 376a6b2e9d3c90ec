/** put --batch and get --batch as a test wants them: every record's outcome, whatever the others did. */
import { type CliResult, parseLines } from './cli.ts';

export interface TestRecord {
  readonly key: string;
  readonly value: string;
}

interface BatchLine {
  readonly key: string | null;
  readonly value?: string;
  readonly receipt?: { readonly acked: number };
  readonly error?: { readonly code: string; readonly message: string };
}

type RunVerb = (args: readonly string[], input: string) => Promise<CliResult>;

/** The records that were acknowledged, also when the command or its node ended half-way. */
export async function putBatch(run: RunVerb, records: readonly TestRecord[]): Promise<TestRecord[]> {
  const input = `${records.map(({ key, value }) => JSON.stringify({ key, value })).join('\n')}\n`;
  const { stdout } = await run(['put', '--batch', '-', '--json'], input);
  // A last line that was cut off was not acknowledged.
  const lines = parseLines<BatchLine>(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
  const acknowledged = new Set(lines.filter(({ receipt }) => receipt !== undefined).map(({ key }) => key));
  return records.filter(({ key }) => acknowledged.has(key));
}

/** A sentence for every record that did not come back with its value. */
export async function getBatch(run: RunVerb, records: readonly TestRecord[]): Promise<string[]> {
  const input = `${records.map(({ key }) => key).join('\n')}\n`;
  const { stdout, stderr } = await run(['get', '--batch', '-', '--json'], input);
  const found = new Map(parseLines<BatchLine>(stdout).map((line) => [line.key, line]));
  return records.flatMap(({ key, value }) => {
    const line = found.get(key);
    if (line?.value === value) return [];
    return [`${key}: ${line?.error?.message ?? line?.value ?? stderr}`];
  });
}
