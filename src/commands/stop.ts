import { z } from 'zod';
import { defineCommand } from './command.ts';

/** Answers once the node has stopped: the door it came through has to stay open that long. */
export const stop = defineCommand({
  name: 'stop',
  summary: 'end the node gracefully',
  input: z.strictObject({}),
  handler: async (api) => {
    const { peerId } = api.id();
    await api.stop();
    return { stopped: true as const, peerId };
  },
});
