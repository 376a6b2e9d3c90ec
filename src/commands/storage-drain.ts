import { z } from 'zod';
import { defineCommand } from './command.ts';
import { shardField } from './input-fields.ts';

/** Answers when it has begun: moving takes as long as it takes, and `storage-status` shows it. */
export const storageDrain = defineCommand({
  name: 'storage-drain',
  summary: 'move everything off one of several storages',
  input: z.strictObject({ name: shardField }),
  handler: async (api, { name }) => {
    await api.drainStorage(name);
    return { draining: name };
  },
});
