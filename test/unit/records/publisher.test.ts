import { describe, expect, test } from 'vitest';
import { parsePeerIdText, peerIdBytes, toHex, toPeerIdText } from '../../../src/records/index.ts';

const PEER = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq';

describe('a publisher', () => {
  test('reads and writes the peer id other libp2p software shows', () => {
    const publicKey = parsePeerIdText(PEER);
    expect(publicKey).toHaveLength(32);
    expect(toPeerIdText(publicKey)).toBe(PEER);
    expect(toHex(peerIdBytes(publicKey)).startsWith('002408011220')).toBe(true);
  });

  test.each([
    '',
    'Qm',
    PEER.slice(1),
    `1${PEER}`,
    PEER.replace('W', '0'),
    'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
  ])('is not "%s"', (text) => expect(() => parsePeerIdText(text)).toThrow(/is not an Ed25519 peer id/));
});
