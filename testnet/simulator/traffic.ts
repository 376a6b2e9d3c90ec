/** What the network carried, by purpose: frames and bytes sent, and what became of them. For tables at the end of a run and for assertions. */
import type { RequestType } from '../../src/kademlia/index.ts';

/** Why a frame is sent: a request, the answer to one, or the HELLO of either end. */
export type FramePurpose = 'HELLO' | RequestType | `${RequestType} answer`;

export interface PurposeTotals {
  readonly frames: number;
  readonly bytes: number;
}

/** Frames that never arrived, by cause. */
export interface LostFrames {
  lost: number;
  /** The sender's or the receiver's link had no room for it. */
  congested: number;
  /** The receiver had no time for it. */
  overloaded: number;
  partitioned: number;
  /** The receiver was dead, or had closed the connection. */
  refused: number;
  /** The receiver's machine was gone, and with it whatever could have refused. */
  vanished: number;
}

export class Traffic {
  // BOUNDED: one entry per purpose.
  readonly #sent = new Map<FramePurpose, { frames: number; bytes: number }>();
  readonly dropped: LostFrames = { lost: 0, congested: 0, overloaded: 0, partitioned: 0, refused: 0, vanished: 0 };
  duplicated = 0;
  dials = 0;

  count(purpose: FramePurpose, bytes: number): void {
    let totals = this.#sent.get(purpose);
    if (totals === undefined) {
      totals = { frames: 0, bytes: 0 };
      this.#sent.set(purpose, totals);
    }
    totals.frames++;
    totals.bytes += bytes;
  }

  sent(purpose: FramePurpose): PurposeTotals {
    return this.#sent.get(purpose) ?? { frames: 0, bytes: 0 };
  }

  /** Requests of all types, answers and HELLO not counted. */
  get requests(): number {
    let requests = 0;
    for (const [purpose, { frames }] of this.#sent) {
      if (purpose !== 'HELLO' && !purpose.endsWith(' answer')) requests += frames;
    }
    return requests;
  }

  /** In the order in which each was first sent. */
  table(): readonly (PurposeTotals & { readonly purpose: FramePurpose })[] {
    return [...this.#sent].map(([purpose, totals]) => ({ purpose, ...totals }));
  }
}
