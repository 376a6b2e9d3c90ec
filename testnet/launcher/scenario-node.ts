/**
 * A program: a node as `nautilus start` runs it, but on bad lines and with a clock that can be set wrong, as its launcher says over the channel
 * between them. It ends with its launcher. The shipped command has none of this.
 */
import '../../src/platform/node20.ts';
import { toErrorObject } from '../../src/commands/index.ts';
import { assert } from '../../src/core/index.ts';
import { createNode, type NautilusNode, resolveConfig } from '../../src/node/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import { DEFAULT_NETWORK_CONSTANTS, fromHex } from '../../src/records/index.ts';
import { SeededRandom } from '../simulator/index.ts';
import { FaultyTransport } from './faulty-transport.ts';
import type { LauncherMessage, LookupAim, NodeMessage, NodeOrder } from './scenario-messages.ts';
import { SkewedClock } from './skewed-clock.ts';

const TRAFFIC_INTERVAL_MS = 1_000;

process.once('message', (order: LauncherMessage) => {
  assert(order.type === 'start', 'the first message says what to start');
  void run(order);
});
// Whoever runs the scenario has died: nobody would ever end this node.
process.once('disconnect', () => process.exit(1));

/** Never rejects: what goes wrong is told. */
async function run(order: NodeOrder): Promise<void> {
  try {
    await runNode(order);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    await tell({ type: 'failed', error: toErrorObject(error) });
    process.exit(1);
  }
}

async function runNode(order: NodeOrder): Promise<void> {
  const { number, seed, life, dataDir, network, listen, bootstrap } = order;
  const clock = new SkewedClock(systemClock, order.skewMs);
  const random = new SeededRandom(seed).fork(`node ${number}`).fork(`life ${life}`);
  const constants = { ...DEFAULT_NETWORK_CONSTANTS, network };
  let faulty: FaultyTransport | undefined;
  const flags = { mode: 'server', dataDir, network, listen: [listen], bootstrap } as const;
  // The operator's environment is for the operator's node.
  const node = await createNode(await resolveConfig({ flags, env: {} }), {
    clock,
    wrapTransport: (transport) => {
      faulty = new FaultyTransport({ transport, clock: systemClock, random }, { number, seed, constants });
      faulty.setConditions(order.conditions);
      for (const aim of order.aims) aimAt(faulty, aim);
      return faulty;
    },
  });
  assert(faulty !== undefined, 'a node that has started has wrapped its transport');
  obey(node, faulty, clock);
  await tell({ type: 'ready', addresses: node.ready.addresses });
  if (bootstrap.length > 0) await node.joined();
  await tell({ type: 'joined' });
}

function obey(node: NautilusNode, transport: FaultyTransport, clock: SkewedClock): void {
  process.on('message', (message: LauncherMessage) => {
    if (message.type === 'conditions') transport.setConditions(message.conditions);
    else if (message.type === 'skew') clock.skewMs = message.skewMs;
    else if (message.type === 'aim') aimAt(transport, message.aim);
  });
  const reportTraffic = () => tell({ type: 'traffic', traffic: transport.traffic.table() });
  setInterval(() => void reportTraffic(), TRAFFIC_INTERVAL_MS).unref();
  process.once('SIGTERM', () => {
    void node
      .stop()
      .then(reportTraffic)
      .then(() => process.exit(0));
  });
}

function aimAt({ traffic }: FaultyTransport, { target, purpose }: LookupAim): void {
  traffic.aim(fromHex(target), purpose);
}

/** Resolves when it is on its way; nobody is told any more when the launcher has died. */
function tell(message: NodeMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
