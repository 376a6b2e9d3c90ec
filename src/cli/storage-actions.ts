/** What storage status, drain and migrate do. */
import type { MigrationProgress } from '../commands/index.ts';
import { ProgressBar } from './progress-bar.ts';
import { Table } from './table.ts';
import { bytes, count, duration, quoted } from './text.ts';
import type { VerbContext } from './verb-context.ts';
import { withCaller } from './with-caller.ts';

export async function storageStatus(context: VerbContext): Promise<void> {
  const { output } = context;
  await withCaller(context, async (caller, signal) => {
    const status = await caller.call('storage-status', {}, { signal });
    await output.object(status);
    const { shards, copies, isMoving, migration, hotKeys } = status;
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
    if (migration !== null) {
      const { phase, entries, total, to } = migration;
      await output.line(`${phase} to ${to.join(', ')}: ${entries} of ${count(total, 'record')}`);
    }
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

export async function migrateStorage(context: VerbContext, to: readonly string[]): Promise<void> {
  const { output } = context;
  const begun = performance.now();
  const progress = new ProgressBar('record', { json: output.json, hasRate: false });
  await withCaller(context, async (caller, signal) => {
    try {
      for await (const step of caller.stream('storage-migrate', { to }, { signal })) {
        await output.object(step);
        if (step.phase !== 'switched') {
          progress.update(step.entries, fractionOf(step));
          continue;
        }
        progress.hide();
        const [from, there] = [step.from, step.to].map((urls) => urls.join(', '));
        const took = duration(performance.now() - begun);
        await output.line(`${count(step.total, 'record')} moved from ${from} to ${there} in ${took}`);
        await output.line(`start with ${step.to.map((url) => `--storage ${quoted(url)}`).join(' ')} from now on`);
      }
    } finally {
      progress.hide();
    }
  });
}

/** Copying is one half, verifying the other; what is written meanwhile may make it more than there was. */
function fractionOf({ phase, entries, total }: MigrationProgress): number {
  const share = total === 0 ? 1 : Math.min(1, entries / total);
  return (phase === 'copying' ? share : 1 + share) / 2;
}
