import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Free a moment ago: for what has to be told its port before it listens. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
