import { z } from 'zod';
import { defineCommand } from './command.ts';

export const storageStatus = defineCommand({
  name: 'storage-status',
  summary: 'the storages this node keeps records in, and how each is',
  input: z.strictObject({}),
  handler: (api) => api.storageStatus(),
});
