/** The network name of a testnet. */
import { createHash } from 'node:crypto';

/** Of the directory: two testnets never mix, even when one gets the other's old ports, and a testnet that is started again keeps its records. */
export function testnetNetwork(dir: string): string {
  return `testnet-${createHash('sha256').update(dir).digest('hex').slice(0, 8)}`;
}
