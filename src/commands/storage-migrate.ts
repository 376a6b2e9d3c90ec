import { z } from 'zod';
import { defineCommand } from './command.ts';
import { storageUrlsField } from './input-fields.ts';

/** Says how far it is until it is done. Whoever stops listening stops nothing. */
export const storageMigrate = defineCommand({
  name: 'storage-migrate',
  summary: 'move all records to another storage, or several, while serving',
  input: z.strictObject({ to: storageUrlsField }),
  handler: (api, { to }, context) => api.migrateStorage(to, context),
});
