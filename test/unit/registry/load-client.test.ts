import { expect, test } from 'vitest';
import { loadClient } from '../../../src/registry/storages/load-client.ts';

test('a package that is there is handed through', async () => {
  const client = { connect: () => 'connected' };
  expect(await loadClient('some-client', async () => client)).toBe(client);
});

test('a package that is not installed is a configuration error with the command that installs it', async () => {
  // As Node 20 to 24 word it.
  const cause = Object.assign(
    new Error("Cannot find package 'nautilus-no-such-client' imported from /somewhere/a.js"),
    {
      code: 'ERR_MODULE_NOT_FOUND',
    },
  );
  await expect(loadClient('nautilus-no-such-client', () => Promise.reject(cause))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message:
      'this storage needs the package nautilus-no-such-client, which is not installed: npm install nautilus-no-such-client',
    details: { field: 'storage', package: 'nautilus-no-such-client' },
    cause,
  });
});

test('a package that breaks while it is loaded is told from one that is not installed', async () => {
  await expect(
    loadClient('some-client', () => Promise.reject(new Error('needs Node 30\n    at line 1'))),
  ).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^[^\n]*cannot be loaded \(needs Node 30\): npm install some-client$/),
  });
});
