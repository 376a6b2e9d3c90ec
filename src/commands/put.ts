import { z } from 'zod';
import { defineCommand } from './command.ts';
import { recordFields, writeFields } from './input-fields.ts';
import { decodeValue } from './value-encoding.ts';

export const put = defineCommand({
  name: 'put',
  summary: 'store a signed record on the nodes closest to its key',
  input: z.strictObject({ ...recordFields, ...writeFields }),
  handler: async (api, { key, value, encoding, ttl, quorum, strict }, { signal }) =>
    api.put(key, decodeValue(value, encoding), { ttlMs: ttl, quorum, strict, signal }),
});
