import { z } from 'zod';
import { defineCommand } from './command.ts';
import { targetField } from './input-fields.ts';

export const lookup = defineCommand({
  name: 'lookup',
  summary: 'find the nodes closest to a key or peer',
  input: z.strictObject({ target: targetField }),
  handler: (api, { target }, { signal }) => api.lookup(target, { signal }),
});
