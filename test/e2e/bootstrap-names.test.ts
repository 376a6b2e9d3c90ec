/** The system's name resolver against a real DNS server on loopback, and /etc/hosts. */
import { afterEach, describe, expect, it } from 'vitest';
import { createSystemNameResolver } from '../../src/bootstrap/index.ts';
import { startTxtServer, type TxtServer } from '../support/txt-server.ts';

const servers: TxtServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function resolverFor(answers: Record<string, string[]> | undefined) {
  const server = await startTxtServer(answers);
  servers.push(server);
  return createSystemNameResolver({ servers: [server.address] });
}

describe('the system name resolver', () => {
  it('reads TXT records, long ones joined', async () => {
    const long = `dnsaddr=/ip4/203.0.113.1/tcp/1${'x'.repeat(400)}`;
    const resolver = await resolverFor({ '_dnsaddr.seed.test': ['dnsaddr=/ip4/203.0.113.1/tcp/1', long] });
    expect((await resolver.texts('_dnsaddr.seed.test')).toSorted()).toEqual(['dnsaddr=/ip4/203.0.113.1/tcp/1', long]);
  });

  it('takes a name that does not exist for an answer: nothing', async () => {
    const resolver = await resolverFor({});
    expect(await resolver.texts('_dnsaddr.gone.test')).toEqual([]);
  });

  it('says by its code that no server could be asked', async () => {
    const resolver = await resolverFor({});
    await servers.pop()!.stop();
    await expect(resolver.texts('_dnsaddr.seed.test')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('stops waiting for a silent server when the caller gives up', async () => {
    const resolver = await resolverFor(undefined);
    const controller = new AbortController();
    const asking = resolver.texts('_dnsaddr.seed.test', { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(asking).rejects.toBe(reason);
  });

  it('asks the operating system for host names, by family', async () => {
    const resolver = createSystemNameResolver();
    expect(await resolver.addresses('localhost', 4)).toContainEqual({ address: '127.0.0.1', family: 4 });
  });
});
