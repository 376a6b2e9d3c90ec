/** A node in this process, from its start to its end: what `start` and `bootstrap` print, and how signals stop it. */
import type { NodeEvent, Observer } from '../core/index.ts';
import { onInterrupt } from './on-interrupt.ts';
import type { Output } from './output.ts';
import type { VerbContext } from './verb-context.ts';

export interface NodeFlags {
  readonly listen?: readonly string[] | undefined;
  readonly announce?: readonly string[] | undefined;
  readonly bootstrap?: readonly string[] | undefined;
  readonly network?: string | undefined;
  readonly storage?: readonly string[] | undefined;
  readonly mode?: string | undefined;
  readonly mdns?: boolean | undefined;
  readonly rendezvous?: readonly string[] | undefined;
  readonly logLevel?: string | undefined;
  /** Only for a bootstrap node. */
  readonly list?: string | undefined;
}

/** How long a node may take to leave before its process ends anyway, ms. */
const STOP_TIMEOUT_MS = 30_000;

export async function runNode({ output, dataDir, env }: VerbContext, flags: NodeFlags): Promise<void> {
  const interrupt = onInterrupt();
  await import('../platform/node20.ts');
  const { createNode, resolveConfig } = await import('../node/index.ts');
  const config = await resolveConfig({ flags: { ...nodeFlagsOf(flags), dataDir }, env });
  const node = await createNode(config, { observer: narrator(output), signal: interrupt.signal });

  const stop = () => {
    // Bounded: whatever a part of the node waits for, its process ends. What was acknowledged is on disk.
    setTimeout(() => {
      output.note(`still stopping after ${STOP_TIMEOUT_MS / 1_000} s: ending the process`);
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    void node.stop();
  };
  if (interrupt.signal.aborted) stop();
  else interrupt.signal.addEventListener('abort', stop, { once: true });

  const { ready } = node;
  await output.object({ event: 'ready', ...ready });
  for (const line of describeReady(ready, config.bootstrap.length > 0)) await output.line(line);
  await node.closed;
  await output.line('stopped');
}

/** Only the flags of a node: commander adds the global ones. */
function nodeFlagsOf({
  listen,
  announce,
  bootstrap,
  network,
  storage,
  mode,
  mdns,
  rendezvous,
  logLevel,
  list,
}: NodeFlags) {
  return { listen, announce, bootstrap, network, storage, mode, mdns, rendezvous, logLevel, list };
}

interface Ready {
  readonly peerId: string;
  readonly addresses: readonly string[];
  readonly dataDir: string;
  readonly mode: string;
  readonly network: string;
}

function describeReady({ peerId, addresses, dataDir, mode, network }: Ready, joins: boolean): string[] {
  // Others can only use an address that is not this machine's own loopback, when there is one.
  const address = addresses.find((text) => !/^\/(?:ip4\/127\.|ip6\/::1\/)/.test(text)) ?? addresses[0];
  const networkFlag = network === 'main' ? '' : ` --network ${network}`;
  const lines = [`${mode} ${peerId} of the network "${network}" is ready, data in ${dataDir}`];
  for (const text of addresses) lines.push(`  listening on ${text}`);
  if (!joins) lines.push('a new network of one');
  if (address !== undefined) lines.push(`others join with: nautilus start --bootstrap ${address}${networkFlag}`);
  lines.push(`talk to it with: nautilus put KEY VALUE --data-dir ${dataDir}; end it with Ctrl-C or nautilus stop`);
  return lines;
}

/** Tells people what a starting node does; the log has everything. */
function narrator(output: Output): Observer {
  let last = '';
  const tell = (text: string) => {
    // A retry that says the same again is not news.
    if (text !== last) output.note(text);
    last = text;
  };
  return {
    notify(event: NodeEvent) {
      if (event.type === 'bootstrap-progress') tell(`${event.source}: ${event.message}`);
      if (event.type === 'warning') tell(event.message);
    },
  };
}
