import { z } from 'zod';
import { defineCommand } from './command.ts';
import { toGetOutputs } from './get-output.ts';
import { flagField, keyField, readFields } from './input-fields.ts';

export const get = defineCommand({
  name: 'get',
  summary: "find the newest record under a key, or every publisher's",
  input: z.strictObject({ key: keyField, all: flagField, ...readFields }),
  async *handler(api, { key, ...options }, { signal }) {
    yield* toGetOutputs(await api.get(key, { ...options, signal }));
  },
});
