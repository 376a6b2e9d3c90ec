/** What the network carried, by purpose: frames and bytes sent, and what became of them. For tables at the end of a run and for assertions. */
import type { Request, RequestType } from '../../src/kademlia/index.ts';

/** What a request is for: its type says it, but for lookups, which serve the table unless somebody said what their target is wanted for. */
export type RequestPurpose = RequestType | LookupPurpose;
export type LookupPurpose = 'FIND_NODE to write' | 'FIND_NODE to measure';

/** Why a frame is sent: a request, the answer to one, or the HELLO of either end. */
export type FramePurpose = 'HELLO' | RequestPurpose | `${RequestPurpose} answer`;

export const ANSWER_TO = {
  PING: 'PING answer',
  FIND_NODE: 'FIND_NODE answer',
  'FIND_NODE to write': 'FIND_NODE to write answer',
  'FIND_NODE to measure': 'FIND_NODE to measure answer',
  FIND_VALUE: 'FIND_VALUE answer',
  STORE: 'STORE answer',
  SYNC: 'SYNC answer',
  FETCH: 'FETCH answer',
  HAND_OFF: 'HAND_OFF answer',
  LEAVE: 'LEAVE answer',
} as const satisfies Record<RequestPurpose, FramePurpose>;

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
  // BOUNDED: by the keys and lookups of the scenario. By the first six bytes of the target.
  readonly #aims = new Map<number, LookupPurpose>();
  duplicated = 0;
  dials = 0;

  /** From now on lookups of this target are for that, whoever does them. */
  aim(target: Uint8Array, purpose: LookupPurpose): void {
    this.#aims.set(aimOf(target), purpose);
  }

  purposeOf(request: Request): RequestPurpose {
    if (request.type !== 'FIND_NODE' || this.#aims.size === 0) return request.type;
    return this.#aims.get(aimOf(request.target)) ?? 'FIND_NODE';
  }

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

function aimOf(target: Uint8Array): number {
  let aim = 0;
  for (let i = 0; i < 6; i++) aim = aim * 256 + target[i]!;
  return aim;
}
