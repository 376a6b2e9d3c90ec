import { z } from 'zod';
import { defineCommand } from './command.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'what this node is, holds and sees of the network',
  input: z.strictObject({}),
  handler: (api) => api.status(),
});
