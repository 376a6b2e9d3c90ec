/** stop: ends the node of the data directory, and returns when it has ended. */
import { connectControl } from '../client/index.ts';
import { isNautilusError, NautilusError } from '../core/index.ts';
import type { VerbContext } from './verb-context.ts';

/** How long `stop` waits for a node to hand over and end, ms. */
const STOP_TIMEOUT_MS = 60_000;

export async function stopNode({ dataDir, output }: VerbContext): Promise<void> {
  const client = await connectControl({ dataDir });
  const timer = new AbortController();
  const timeout = setTimeout(() => {
    timer.abort(
      new NautilusError('TIMEOUT', `the node in ${dataDir} is still stopping: look again, or end its process`),
    );
  }, STOP_TIMEOUT_MS);
  try {
    const { peerId } = await client.call('id', {}, timer);
    try {
      await client.call('stop', {}, timer);
    } catch (error) {
      // It ended so fast that its last word was lost: it has ended.
      if (!isNautilusError(error, 'NODE_UNREACHABLE')) throw error;
    }
    await output.object({ stopped: true, peerId });
    await output.line(`stopped ${peerId}`);
  } finally {
    clearTimeout(timeout);
    client.close();
  }
}
