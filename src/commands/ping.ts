import { z } from 'zod';
import { defineCommand } from './command.ts';
import { peerField } from './input-fields.ts';

export const ping = defineCommand({
  name: 'ping',
  summary: 'measure the round trip to a peer',
  input: z.strictObject({ peer: peerField }),
  handler: (api, { peer }, { signal }) => api.ping(peer, { signal }),
});
