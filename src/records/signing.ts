/** Signatures. Signing and verifying are ports because a thread pool finishes in no fixed order, and the simulator must not. */
import { NautilusError } from '../core/index.ts';
import { bytesEqual } from './bytes.ts';
import type { Key } from './key.ts';
import { hashValue, type RecordHeader, type SignedRecord } from './record.ts';
import { encodeSignedHeader } from './signed-header.ts';

export interface Signer {
  /** Raw Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** @returns 64 bytes */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

export interface Verifier {
  /** False for a wrong signature and for a key that is no point; rejects with `RESOURCE_EXHAUSTED` when its queue is full. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

export interface RecordDraft {
  readonly key: Key;
  readonly value: Uint8Array;
  readonly seq: number;
  readonly expiresAt: number;
  readonly deleted: boolean;
}

/** @throws NautilusError `NOT_OWNER`, `VALUE_MISMATCH` when this signer must not publish this draft */
export async function signRecord(signer: Signer, network: string, draft: RecordDraft): Promise<SignedRecord> {
  const { key, value, seq, expiresAt, deleted } = draft;
  if (key.owner !== undefined && !bytesEqual(key.owner, signer.publicKey)) {
    throw new NautilusError('NOT_OWNER', 'the key belongs to another peer id: use your own, see "nautilus id"');
  }
  const valueHash = hashValue(value);
  if (key.contentHash !== undefined && !bytesEqual(key.contentHash, valueHash)) {
    throw new NautilusError(
      'VALUE_MISMATCH',
      'the value does not hash to the sha256 in its key: check the file or the key',
    );
  }
  const unsigned = { key, publisher: signer.publicKey, seq, expiresAt, deleted, valueHash };
  const signature = await signer.sign(encodeSignedHeader(network, unsigned));
  return { header: { ...unsigned, signature }, value };
}

export function verifyHeader(verifier: Verifier, network: string, header: RecordHeader): Promise<boolean> {
  return verifier.verify(header.publisher, encodeSignedHeader(network, header), header.signature);
}
