/** What put, get, delete and list do. */
import { decodeValue, type GetOutput, type PutOutput, parseTtl } from '../commands/index.ts';
import { isNautilusError, NautilusError } from '../core/index.ts';
import { batchGet, batchPut } from './batch-actions.ts';
import { describeMissing, describeReceipt } from './describe-receipt.ts';
import type { Output } from './output.ts';
import { readValue } from './read-value.ts';
import type { GetFlags, PutFlags } from './record-flags.ts';
import { Table } from './table.ts';
import { bytes, moment, printable, shortId } from './text.ts';
import type { VerbContext } from './verb-context.ts';
import { withCaller } from './with-caller.ts';

export async function put(
  context: VerbContext,
  key: string | undefined,
  argument: string | undefined,
  flags: PutFlags,
): Promise<void> {
  if (flags.batch !== undefined) {
    if (key === undefined && flags.file === undefined) return batchPut(context, flags.batch, flags);
    throw usage('put --batch takes its keys and values from the file only');
  }
  if (key === undefined) throw usage('put takes a KEY and its value, or --batch FILE: see "nautilus put --help"');
  const { file, ttl, quorum, strict } = flags;
  // The node checks everything; this one is told apart from "no node is running" for the sake of scripts.
  if (ttl !== undefined) parseTtl(ttl);
  const input = { key: clean(key), ...(await readValue({ argument, file })), ttl, quorum, strict };
  await withCaller(context, (caller, signal) =>
    reportPut(context.output, 'stored', () => caller.call('put', input, { signal })),
  );
}

export async function deleteRecord(context: VerbContext, key: string, { quorum, strict }: PutFlags): Promise<void> {
  const input = { key: clean(key), quorum, strict };
  await withCaller(context, (caller, signal) =>
    reportPut(context.output, 'deleted', () => caller.call('delete', input, { signal })),
  );
}

/** A put that missed its quorum has a receipt all the same: it is the result, and the error says what it means. */
async function reportPut(
  output: Output,
  verb: 'stored' | 'deleted',
  operation: () => Promise<PutOutput>,
): Promise<void> {
  let result: PutOutput;
  let failure: unknown;
  try {
    result = await operation();
  } catch (error) {
    if (!isNautilusError(error, 'QUORUM_NOT_REACHED') || error.details.result === undefined) throw error;
    result = error.details.result as PutOutput;
    failure = error;
  }
  await output.object(result);
  await output.line(`${printable(result.key)} ${describeReceipt(result, verb, Date.now())}`);
  for (const line of describeMissing(result)) await output.line(line);
  if (result.degraded) warnDegraded(output);
  if (failure !== undefined) throw failure;
}

export async function get(context: VerbContext, key: string | undefined, flags: GetFlags): Promise<void> {
  const { all, raw, batch, quorum, stable } = flags;
  if (raw && (all || batch !== undefined || context.output.json)) {
    throw usage('--raw is for one value: without --all, --batch and --json');
  }
  if (batch !== undefined) {
    if (key === undefined && !all) return batchGet(context, batch, flags);
    throw usage('get --batch takes its keys from the file, and the newest of each');
  }
  if (key === undefined) throw usage('get takes a KEY, or --batch FILE: see "nautilus get --help"');
  const { output } = context;
  const input = { key: clean(key), all, quorum, stable };
  await withCaller(context, async (caller, signal) => {
    const records = caller.stream('get', input, { signal });
    const table = new Table(output, [{ title: 'PUBLISHER' }, { title: 'EXPIRES' }, { title: 'VALUE' }]);
    let last: GetOutput | undefined;
    for await (const record of records) {
      last = record;
      if (output.json) await output.object(record);
      else if (all) await table.row([record.publisher, moment(record.expiresAt, Date.now()), preview(record)]);
      else await printValue(output, record, raw === true);
    }
    await table.end();
    if (last?.partial) output.note('fewer holders answered than the quorum wants: a newer version may exist');
    if (last?.degraded) warnDegraded(output);
  });
}

async function printValue(output: Output, record: GetOutput, raw: boolean): Promise<void> {
  const value = decodeValue(record.value, record.encoding);
  // Strangers wrote it: a terminal sees escapes instead of control characters. Line breaks and tabs are only text.
  const isSafe = record.encoding === 'utf8' && !/[^\P{Cc}\n\t]/u.test(record.value);
  if (raw || (!output.isTerminal && !isSafe)) return output.bytes(value);
  if (isSafe) return output.line(record.value);
  await output.line(record.encoding === 'utf8' ? printable(record.value) : `base64:${record.value}`);
  output.note(`the value (${bytes(value.length)}) is not plain text: --raw writes its exact bytes`);
}

export async function list(context: VerbContext, prefix: string | undefined, own: boolean): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const table = new Table(output, [
      { title: 'KEY' },
      { title: 'PUBLISHER' },
      { title: 'SIZE', align: 'right' },
      { title: 'RANK', align: 'right' },
      { title: 'EXPIRES' },
    ]);
    let seen = 0;
    for await (const record of caller.stream('list', { prefix, own }, { signal })) {
      seen += 1;
      const { key, publisher, bytes: size, rank, expiresAt } = record;
      if (output.json) await output.object(record);
      else await table.row([key, shortId(publisher), bytes(size), String(rank), moment(expiresAt, Date.now())]);
    }
    await table.end();
    if (seen === 0 && !output.json) output.note(own ? 'nothing was published from here' : 'no records are held here');
  });
}

function preview({ value, encoding }: GetOutput): string {
  const text = encoding === 'utf8' ? value : `base64:${value}`;
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function warnDegraded(output: Output): void {
  output.note('the network is less than half of what it was within a day: promises are weaker (--strict refuses)');
}

/** argv is decoded before we see it: bytes that were not UTF-8 are U+FFFD by now. */
function clean(key: string): string {
  if (!key.includes('\uFFFD')) return key;
  throw new NautilusError('KEY_INVALID', 'the key is not UTF-8 (or holds U+FFFD): use another one');
}

function usage(message: string): NautilusError {
  return new NautilusError('USAGE', message);
}
