import { z } from 'zod';
import { defineCommand } from './command.ts';

export const peers = defineCommand({
  name: 'peers',
  summary: 'the peers this node knows',
  input: z.strictObject({}),
  async *handler(api) {
    yield* api.peers();
  },
});
