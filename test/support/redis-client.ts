/** A plain client beside the storage under test: an administrator, or another program, on the same server. */
import { Redis } from 'ioredis';
import { afterEach } from 'vitest';

/** @returns connects for the current test, which closes it */
export function redisClients(): (port: number) => Redis {
  const clients: Redis[] = [];
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
  });
  return (port) => {
    // Also while the server loads.
    const client = new Redis({ host: '127.0.0.1', port, protocol: 2, enableReadyCheck: false });
    // A server that is stopped under it is part of the tests.
    client.on('error', () => undefined);
    clients.push(client);
    return client;
  };
}
