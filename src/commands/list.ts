import { z } from 'zod';
import { defineCommand } from './command.ts';
import { flagField, prefixField } from './input-fields.ts';

export const list = defineCommand({
  name: 'list',
  summary: 'the live records held here, or published from here',
  input: z.strictObject({ prefix: prefixField, own: flagField }),
  handler: (api, input, { signal }) => api.list({ ...input, signal }),
});
