/** The plainest source: addresses somebody typed. */
import type { PeerSource } from './peer-source.ts';

export function createAddressSource(name: string, addresses: readonly string[]): PeerSource {
  return {
    name,
    async *peers() {
      yield* addresses;
    },
  };
}
