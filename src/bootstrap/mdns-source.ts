/** `--mdns` as a source: multicast DNS runs from the first round to the close, a round reads what was heard. */
import { type Mdns, type MdnsInit, startMdns } from '../network/index.ts';
import type { PeerSource } from './peer-source.ts';

export function createMdnsSource(init: MdnsInit): PeerSource {
  let running: Promise<Mdns> | undefined;
  let isClosed = false;
  return {
    name: '--mdns',
    async *peers() {
      if (isClosed) return;
      running ??= startMdns(init);
      yield* (await running).found();
    },
    async close() {
      isClosed = true;
      await (await running)?.stop();
    },
  };
}
