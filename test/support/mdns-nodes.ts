/** A process with two whole nodes that know nobody and look by mDNS: one puts, the other gets, the value is printed. */
import '../../src/platform/node20.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNode, type NautilusNode, resolveConfig } from '../../src/node/index.ts';
import { until } from './until.ts';

const directory = await mkdtemp(join(tmpdir(), 'nautilus-mdns-'));
const nodes: NautilusNode[] = [];
try {
  for (const name of ['a', 'b']) {
    const flags = {
      dataDir: join(directory, name),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      storage: ['memory:'],
      mdns: true,
    };
    nodes.push(await createNode(await resolveConfig({ flags, env: {} })));
  }
  const [a, b] = nodes;
  await until('both are in each other’s table', () =>
    nodes.every((node) => node.peers().some(({ bucket }) => bucket !== null)) ? true : undefined,
  );
  await a?.put('svc/web', new TextEncoder().encode('10.0.0.1:80'));
  const [record] = (await b?.get('svc/web'))?.records ?? [];
  process.stdout.write(JSON.stringify({ got: new TextDecoder().decode(record?.value) }));
} finally {
  await Promise.all(nodes.map((node) => node.stop()));
  await rm(directory, { recursive: true, force: true });
}
