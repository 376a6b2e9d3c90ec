/** put, get, delete and list. */
import type { Command } from 'commander';
import { decodeValue, type GetOutput, type PutOutput, parseTtl } from '../commands/index.ts';
import { isNautilusError, NautilusError } from '../core/index.ts';
import { batchGet, batchPut } from './batch-verbs.ts';
import { describeMissing, describeReceipt } from './describe-receipt.ts';
import { addJoinOptions, QUORUM_HELP } from './join-options.ts';
import type { Output } from './output.ts';
import { readValue } from './read-value.ts';
import { Table } from './table.ts';
import { bytes, moment, printable, shortId } from './text.ts';
import { runVerb, type VerbContext } from './verb-context.ts';
import { withCaller } from './with-caller.ts';

export interface PutFlags {
  readonly file?: string | undefined;
  readonly batch?: string | undefined;
  readonly ttl?: string | undefined;
  readonly quorum?: string | undefined;
  readonly strict?: boolean | undefined;
}

export interface GetFlags {
  readonly all?: boolean | undefined;
  readonly raw?: boolean | undefined;
  readonly batch?: string | undefined;
  readonly quorum?: string | undefined;
  readonly stable?: boolean | undefined;
}

export function addRecordVerbs(program: Command): void {
  addJoinOptions(program.command('put'))
    .summary('store a record on the nodes closest to its key')
    .description('Stores a signed record on the nodes closest to its key. Keys are brought to Unicode normal form C.')
    .usage('KEY (VALUE | --file FILE | -) [options]\n       nautilus put --batch FILE.jsonl [options]')
    .argument('[key]', 'svc/web, @<peerId>/name (only its owner can write) or sha256:<hex> (never changes)')
    .argument('[value]', 'the value as text; - reads it from stdin')
    .option('--file <path>', 'read the value from a file, byte for byte')
    .option('--batch <path>', 'store one record a line: {"key","value","ttl"}; - reads them from stdin')
    .option('--ttl <duration>', 'how long it lives: 30s, 15m, 24h, 7d (at most 30d)', undefined)
    .option('--quorum <holders>', QUORUM_HELP)
    .option('--strict', 'fail rather than store while the network is much smaller than it was')
    .action((key: string | undefined, value: string | undefined, flags: PutFlags, command: Command) =>
      runVerb(command, (context) => {
        if (flags.batch === undefined) return put(context, key, value, flags);
        if (key !== undefined || flags.file !== undefined)
          throw usage('put --batch takes its keys and values from the file only');
        return batchPut(context, flags.batch, flags);
      }),
    );
  addJoinOptions(program.command('get'))
    .summary('find a record')
    .description('Prints the value of the newest live record under a key.')
    .usage('KEY [options]\n       nautilus get --batch FILE [options]')
    .argument('[key]')
    .option('--all', "every publisher's record, not just the newest")
    .option('--raw', 'exactly the bytes of the value, nothing added')
    .option('--batch <path>', 'find many: a key a line; - reads them from stdin')
    .option('--quorum <holders>', QUORUM_HELP)
    .option('--stable', 'write what was found back to a majority first: no later get sees an older version')
    .action((key: string | undefined, flags: GetFlags, command: Command) =>
      runVerb(command, (context) => {
        if (flags.raw && (flags.all || flags.batch !== undefined || context.output.json)) {
          throw usage('--raw is for one value: without --all, --batch and --json');
        }
        if (flags.batch === undefined) return get(context, key, flags);
        if (key !== undefined || flags.all)
          throw usage('get --batch takes its keys from the file, and the newest of each');
        return batchGet(context, flags.batch, flags);
      }),
    );
  addJoinOptions(program.command('delete'))
    .summary('end your own record')
    .description("Ends this node's own record under a key, everywhere, by a signed tombstone.")
    .argument('<key>')
    .option('--quorum <holders>', QUORUM_HELP)
    .option('--strict', 'fail rather than delete while the network is much smaller than it was')
    .action((key: string, { quorum, strict }: Pick<PutFlags, 'quorum' | 'strict'>, command: Command) =>
      runVerb(command, (context) => {
        const input = { key: clean(key), quorum, strict };
        return withCaller(context, (caller, signal) =>
          reportPut(context.output, 'deleted', () => caller.call('delete', input, { signal })),
        );
      }),
    );
  addJoinOptions(program.command('list'))
    .summary('the records held here')
    .description('Lists the live records this node holds, in key order.')
    .argument('[prefix]', 'only keys that begin with this')
    .option('--own', 'the records published from here instead, wherever they are held')
    .action((prefix: string | undefined, flags: { readonly own?: boolean }, command: Command) =>
      runVerb(command, (context) => list(context, prefix, flags.own === true)),
    );
}

async function put(context: VerbContext, key: string | undefined, argument: string | undefined, flags: PutFlags) {
  if (key === undefined) throw usage('put takes a KEY and its value, or --batch FILE: see "nautilus put --help"');
  const { file, ttl, quorum, strict } = flags;
  // The node checks everything; this one is told apart from "no node is running" for the sake of scripts.
  if (ttl !== undefined) parseTtl(ttl);
  const input = { key: clean(key), ...(await readValue({ argument, file })), ttl, quorum, strict };
  await withCaller(context, (caller, signal) =>
    reportPut(context.output, 'stored', () => caller.call('put', input, { signal })),
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

async function get(context: VerbContext, key: string | undefined, { all, raw, quorum, stable }: GetFlags) {
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

async function list(context: VerbContext, prefix: string | undefined, own: boolean): Promise<void> {
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
