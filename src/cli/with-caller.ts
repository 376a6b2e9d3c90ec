/**
 * The node a verb talks to: the one that runs on the data directory, or, with `--bootstrap` and none running there, a client that joins for
 * this one verb and leaves again.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connectControl } from '../client/index.ts';
import { type CommandCaller, createLocalCaller } from '../commands/index.ts';
import { isNautilusError } from '../core/index.ts';
import { onInterrupt } from './on-interrupt.ts';
import type { VerbContext } from './verb-context.ts';

/** @param work is given the signal of its time limit and of Ctrl-C */
export async function withCaller(
  context: VerbContext,
  work: (caller: CommandCaller, signal: AbortSignal | undefined) => Promise<void>,
): Promise<void> {
  const client = await connectUnlessJoining(context);
  if (client === undefined) return withJoinedNode(context, work);
  try {
    await work(client, context.signal);
  } finally {
    client.close();
  }
}

async function connectUnlessJoining({ dataDir, signal, join: flags, env }: VerbContext) {
  try {
    return await connectControl({ dataDir, signal });
  } catch (error) {
    const canJoin = flags.bootstrap !== undefined || (env.NAUTILUS_BOOTSTRAP ?? '') !== '';
    if (canJoin && isNautilusError(error, 'NODE_UNREACHABLE')) return undefined;
    throw error;
  }
}

async function withJoinedNode(
  { dataDir, signal: limit, join: flags, env, output }: VerbContext,
  work: (caller: CommandCaller, signal: AbortSignal | undefined) => Promise<void>,
): Promise<void> {
  const interrupt = onInterrupt();
  const signal = limit === undefined ? interrupt.signal : AbortSignal.any([limit, interrupt.signal]);
  const isNew = !existsSync(join(dataDir, 'identity.key'));
  try {
    await import('../platform/node20.ts');
    const { createNode, resolveConfig } = await import('../node/index.ts');
    const { bootstrap, network } = flags;
    const config = await resolveConfig({ flags: { bootstrap, network, dataDir, mode: 'client' }, env });
    const node = await createNode(config, { signal });
    try {
      if (isNew) output.note(`a new identity, ${node.id().peerId}, was created in ${dataDir}`);
      await node.connected({ signal });
      await work(createLocalCaller(node), signal);
    } finally {
      await node.stop();
    }
  } finally {
    interrupt.dispose();
  }
}
