/** put, get, delete and list as commander sees them. What they do is loaded when one of them is run (record-actions.ts). */
import type { Command } from 'commander';
import { addJoinOptions, QUORUM_HELP } from './join-options.ts';
import type { GetFlags, PutFlags } from './record-flags.ts';
import { runVerb } from './run-verb.ts';

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
      runVerb(command, async (context) => {
        const { put } = await import('./record-actions.ts');
        await put(context, key, value, flags);
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
      runVerb(command, async (context) => {
        const { get } = await import('./record-actions.ts');
        await get(context, key, flags);
      }),
    );
  addJoinOptions(program.command('delete'))
    .summary('end your own record')
    .description("Ends this node's own record under a key, everywhere, by a signed tombstone.")
    .argument('<key>')
    .option('--quorum <holders>', QUORUM_HELP)
    .option('--strict', 'fail rather than delete while the network is much smaller than it was')
    .action((key: string, flags: PutFlags, command: Command) =>
      runVerb(command, async (context) => {
        const { deleteRecord } = await import('./record-actions.ts');
        await deleteRecord(context, key, flags);
      }),
    );
  addJoinOptions(program.command('list'))
    .summary('the records held here')
    .description('Lists the live records this node holds, in key order.')
    .argument('[prefix]', 'only keys that begin with this')
    .option('--own', 'the records published from here instead, wherever they are held')
    .action((prefix: string | undefined, flags: { readonly own?: boolean }, command: Command) =>
      runVerb(command, async (context) => {
        const { list } = await import('./record-actions.ts');
        await list(context, prefix, flags.own === true);
      }),
    );
}
