import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgresStorage } from '../../src/registry/index.ts';
import { storageConformance } from '../../src/registry/storage-conformance.ts';
import { missingPostgres, type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';

const missing = missingPostgres();
let server: PostgresServer;
let count = 0;

beforeAll(async () => {
  if (missing === undefined) server = await startPostgresServer();
}, 60_000);
afterAll(() => server?.dispose());

const cases = storageConformance({
  isPersistent: true,
  open: async (clock) => {
    const schema = `case_${count++}`;
    const open = () => openPostgresStorage({ url: server.url(), schema, poolSize: 5, timeoutMs: 10_000, clock });
    return { storage: await open(), reopen: open };
  },
});

for (const { name, skip, run } of cases) {
  const reason = missing ?? skip;
  test(`postgres: ${name}`, (context) => (reason === undefined ? run() : context.skip(reason)));
}

test('postgres skips only what needs a bound of its own', () => {
  expect(cases.filter(({ skip }) => skip !== undefined)).toHaveLength(3);
});
