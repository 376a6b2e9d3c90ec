import { z } from 'zod';
import { defineCommand } from './command.ts';
import { keyField, writeFields } from './input-fields.ts';

export const deleteCommand = defineCommand({
  name: 'delete',
  summary: "end this node's own record under a key, by a signed tombstone",
  input: z.strictObject({ key: keyField, ...writeFields }),
  handler: (api, { key, ...options }, { signal }) => api.delete(key, { ...options, signal }),
});
