import { z } from 'zod';
import { defineCommand } from './command.ts';

export const id = defineCommand({
  name: 'id',
  summary: 'the identity of this node',
  input: z.strictObject({}),
  handler: async (api) => api.id(),
});
