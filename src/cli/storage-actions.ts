/** What storage status and storage drain do. */
import { Table } from './table.ts';
import { bytes, count, duration } from './text.ts';
import type { VerbContext } from './verb-context.ts';
import { withCaller } from './with-caller.ts';

export async function storageStatus(context: VerbContext): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const status = await caller.call('storage-status', {}, { signal });
    await output.object(status);
    const { shards, copies, isMoving, hotKeys } = status;
    if (shards.length === 0) await output.line('this node keeps no records');
    const table = new Table(output, [
      { title: 'STORAGE' },
      { title: 'STATE' },
      { title: 'RECORDS', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'HINTS', align: 'right' },
      { title: 'QUEUE', align: 'right' },
      { title: 'WEIGHT', align: 'right' },
      { title: 'SHARE', align: 'right' },
      { title: 'LAST ERROR' },
    ]);
    for (const shard of shards) {
      const { lastError, lastErrorAt } = shard;
      const ago = lastErrorAt === null ? '' : `${duration(Math.max(0, Date.now() - lastErrorAt))} ago: `;
      await table.row([
        shard.name,
        shard.state,
        String(shard.records),
        bytes(shard.bytes),
        String(shard.hints),
        String(shard.queueDepth),
        String(shard.weight),
        `${(100 * shard.share).toFixed(1)} %`,
        lastError === null ? '–' : ago + lastError,
      ]);
    }
    await table.end();
    if (shards.length > 1) await output.line(`every record is on ${count(copies, 'storage')}`);
    if (isMoving) await output.line('records are moving to where they belong now');
    for (const { key, keyId, calls } of hotKeys) {
      await output.line(`hot: ${key ?? `the key with id ${keyId}`}, ${count(calls, 'call')} in a minute`);
    }
  });
}

export async function drainStorage(context: VerbContext, name: string): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const answer = await caller.call('storage-drain', { name }, { signal });
    await output.object(answer);
    await output.line(
      `${name} is being drained: when "nautilus storage status" calls it drained, start without its --storage`,
    );
  });
}
