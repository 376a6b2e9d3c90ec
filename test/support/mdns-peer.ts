/**
 * A process that looks for others by mDNS and prints each set of addresses it knows, one JSON line per change, until its stdin ends.
 * Arguments: network, seed byte, address … (without `/p2p/…`).
 */
import '../../src/platform/node20.ts';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { startMdns } from '../../src/network/index.ts';
import { systemClock } from '../../src/platform/index.ts';

const [network = '', seed = '', ...addresses] = process.argv.slice(2);
const key = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(Number(seed)));
const print = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);
const mdns = await startMdns({
  network,
  peerId: peerIdFromPrivateKey(key).toString(),
  addresses: () => addresses,
  announce: true,
  clock: systemClock,
  observer: { notify: (event) => print({ event }) },
});
print({ ready: true });
let told = '[]';
const timer = setInterval(() => {
  const found = JSON.stringify(mdns.found().toSorted());
  if (found !== told) print({ found: JSON.parse(found) });
  told = found;
}, 50);
process.stdin.resume().on('end', () => {
  clearInterval(timer);
  void mdns.stop();
});
