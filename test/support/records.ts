/** Record headers for tests of what never looks at a signature. */
import { hashValue, parseKey, type RecordHeader, toPeerIdText } from '../../src/records/index.ts';

/** Three identities; their secret keys are nobody's. */
export const PUBLISHERS = [1, 2, 3].map((byte) => {
  const publicKey = new Uint8Array(32).fill(byte);
  return { publicKey, peerId: toPeerIdText(publicKey) };
});

const FIRST = PUBLISHERS[0] as (typeof PUBLISHERS)[number];

export function aHeader(fields: Partial<RecordHeader> = {}): RecordHeader {
  return {
    key: parseKey('svc/web'),
    publisher: FIRST.publicKey,
    seq: 1,
    expiresAt: 1_000,
    deleted: false,
    valueHash: hashValue(new Uint8Array(0)),
    signature: new Uint8Array(64),
    ...fields,
  };
}
