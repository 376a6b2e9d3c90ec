/** Identities that really sign, and records they signed. */
import { createSigner, createVerifier } from '../../src/platform/index.ts';
import { parseKey, type RecordDraft, type SignedRecord, type Signer, signRecord } from '../../src/records/index.ts';

const NETWORK = 'main';
export const verifier = createVerifier();

/** @param number 1 to 255 */
export function identity(number: number): Signer {
  return createSigner(new Uint8Array(32).fill(number));
}

export function signed(signer: Signer, draft: Partial<RecordDraft> & { readonly seq: number }): Promise<SignedRecord> {
  const value = draft.deleted ? new Uint8Array(0) : Uint8Array.of(draft.seq % 256);
  const defaults = { key: parseKey('svc/web'), value, expiresAt: 1_700_000_060_000, deleted: false };
  return signRecord(signer, NETWORK, { ...defaults, ...draft });
}
