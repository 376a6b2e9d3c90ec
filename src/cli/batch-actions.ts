/** put --batch and get --batch: many records over one connection, in order, each with its own outcome. */
import { streamBatch } from '../client/index.ts';
import type { CommandOutput, FailedRecord } from '../commands/index.ts';
import { EXIT_CODES } from './exit-code.ts';
import { ProgressBar } from './progress-bar.ts';
import { type BatchLine, openBatch } from './read-lines.ts';
import type { GetFlags, PutFlags } from './record-flags.ts';
import { count, duration, printable } from './text.ts';
import type { VerbContext } from './verb-context.ts';
import { withCaller } from './with-caller.ts';

type Outcome = CommandOutput<'put-batch' | 'get-batch'>;

export async function batchPut(context: VerbContext, path: string, { ttl, quorum, strict }: PutFlags): Promise<void> {
  await runBatch(context, path, 'stored', parseRecord, { verb: 'put', ttl, quorum, strict });
}

export async function batchGet(context: VerbContext, path: string, { quorum, stable }: GetFlags): Promise<void> {
  await runBatch(context, path, 'found', parseKeyLine, { verb: 'get', quorum, stable });
}

async function runBatch(
  context: VerbContext,
  path: string,
  done: string,
  parse: (line: Uint8Array) => unknown,
  choices: Parameters<typeof streamBatch>[2],
): Promise<void> {
  const { output } = context;
  const file = await openBatch(path);
  const begun = performance.now();
  const progress = new ProgressBar('record', { json: output.json });
  // BOUNDED: what streamBatch keeps under way. Results come in the order of the lines.
  const lines: BatchLine[] = [];
  const records = async function* () {
    for await (const line of file.lines) {
      lines.push({ ...line, bytes: NO_BYTES });
      yield parse(line.bytes);
    }
  };
  let succeeded = 0;
  let failed = 0;
  await withCaller(context, async (caller, signal) => {
    try {
      for await (const outcome of streamBatch(caller, records(), { ...choices, signal })) {
        const line = lines.shift() as BatchLine;
        if (isFailure(outcome)) {
          failed += 1;
          progress.hide();
          await reportFailure(context, line.number, outcome);
        } else {
          succeeded += 1;
          await output.object(outcome);
          if ('value' in outcome) {
            if (output.isTerminal) progress.hide();
            await output.line(`${printable(outcome.key)}\t${printable(outcome.value)}`);
          }
        }
        progress.update(succeeded + failed, file.size === undefined ? undefined : line.end / file.size);
      }
    } finally {
      progress.hide();
    }
  });
  if (output.json) return;
  const failures = failed === 0 ? '' : `, ${failed} failed`;
  const total = count(succeeded + failed, 'record');
  output.note(`${done} ${succeeded} of ${total}${failures}, in ${duration(performance.now() - begun)}`);
}

const NO_BYTES = new Uint8Array(0);
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true });
const LOSSY_UTF8 = new TextDecoder('utf-8');

/** A line that is no JSON goes to the node as text, which is refused there like any record that is none: one line, one result. */
function parseRecord(line: Uint8Array): unknown {
  try {
    return JSON.parse(STRICT_UTF8.decode(line));
  } catch {
    return LOSSY_UTF8.decode(line.subarray(0, 64));
  }
}

/** Bytes that are not UTF-8 become U+FFFD, which no key may hold. */
function parseKeyLine(line: Uint8Array): string {
  return LOSSY_UTF8.decode(line).replace(/\r$/, '');
}

function isFailure(outcome: Outcome): outcome is FailedRecord {
  return 'error' in outcome;
}

async function reportFailure({ output }: VerbContext, line: number, { key, error }: FailedRecord): Promise<void> {
  output.countFailure(EXIT_CODES[error.code]);
  await output.object({ key, line, error });
  if (!output.json) output.note(`line ${line}${key === null ? '' : `, ${key}`}: ${error.message}`);
}
