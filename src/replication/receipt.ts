/** The proof a put hands back: who was asked, who stored it, how close they are, until when. */

export type HolderStatus = 'stored' | 'refused' | 'unreachable' | 'misplaced';

export interface ReceiptHolder {
  readonly peerId: string;
  /** 1 is the closest to the key. */
  readonly rank: number;
  readonly status: HolderStatus;
  /** Why it is not stored; null when it is. */
  readonly reason: string | null;
  /** ms since the epoch until when this holder keeps it; null when it does not. */
  readonly until: number | null;
}

export interface Receipt {
  /** K': the holders this key can have now. */
  readonly k: number;
  /** Acks that make the put finished. */
  readonly wanted: number;
  readonly acked: number;
  readonly holders: readonly ReceiptHolder[];
}
