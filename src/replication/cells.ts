/**
 * From what holders say to what is true: per cell (publisher of a key) the newest header whose signature holds. Tombstones and floors take part
 * like any other header, so one holder that saw a delete outweighs any number that missed it.
 */
import type { Clock, Observer } from '../core/index.ts';
import {
  bytesEqual,
  cellPublisher,
  compareVersions,
  type NetworkConstants,
  type RecordHeader,
  type RefusalReason,
  toHex,
  type Verifier,
  validateHeader,
  verifyHeader,
} from '../records/index.ts';
import type { HolderAnswer } from './key-reading.ts';

export interface CellsComponents {
  readonly verifier: Verifier;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly constants: NetworkConstants;
}

/** One header, and everybody who has it. */
interface Claim {
  readonly header: RecordHeader;
  readonly by: string[];
  /** Verified already: seen before, or in this node's own store. */
  isKnown: boolean;
}

/** Newest verified header of each cell, newest first. `seen` headers are verified already and need no holder. */
export async function verifiedCells(
  components: CellsComponents,
  answers: readonly HolderAnswer[],
  seen: readonly RecordHeader[] = [],
): Promise<readonly RecordHeader[]> {
  const rivalsByCell = new Map<string, Claim[]>();
  const claimOf = (header: RecordHeader): Claim => {
    const cell = toHex(cellPublisher(header));
    const rivals = rivalsByCell.get(cell) ?? [];
    rivalsByCell.set(cell, rivals);
    let claim = rivals.find((rival) => isSameHeader(rival.header, header));
    if (claim === undefined) {
      claim = { header, by: [], isKnown: false };
      rivals.push(claim);
    }
    return claim;
  };
  for (const header of seen) claimOf(header).isKnown = true;
  for (const { headers, holder, isOwn } of answers) {
    for (const header of headers) {
      const claim = claimOf(header);
      claim.by.push(holder.id.hex);
      claim.isKnown ||= isOwn;
    }
  }
  const cells = await Promise.all(
    Array.from(rivalsByCell.values(), (rivals) => newestVerified(components, rivals, answers.length)),
  );
  return cells.filter((header) => header !== undefined).sort((a, b) => b.seq - a.seq || compareVersions(b, a));
}

async function newestVerified(
  components: CellsComponents,
  rivals: Claim[],
  answers: number,
): Promise<RecordHeader | undefined> {
  rivals.sort((a, b) => compareVersions(b.header, a.header));
  for (const claim of rivals) {
    const reason = await refuse(components, claim, answers);
    if (reason === undefined) return claim.header;
    for (const nodeId of claim.by) components.observer.notify({ type: 'peer-misbehaved', nodeId, reason });
  }
  return undefined;
}

async function refuse(
  { verifier, clock, constants }: CellsComponents,
  { header, by, isKnown }: Claim,
  answers: number,
): Promise<string | undefined> {
  if (isKnown) return undefined;
  const reason = validateHeader(header, clock.now(), constants);
  // Every honest holder has judged this by its own clock. When most of them took the record, it is our clock that is wrong.
  const isOurClock = CLOCK_REASONS.has(reason) && 2 * by.length > answers;
  if (reason !== undefined && !isOurClock) return reason;
  return (await verifyHeader(verifier, constants.network, header)) ? undefined : 'BAD_SIGNATURE';
}

const CLOCK_REASONS: ReadonlySet<RefusalReason | undefined> = new Set(['FROM_THE_FUTURE', 'TTL_TOO_LONG']);

/** Two claims of one version may differ in their signature: a forged one must not hide the genuine. */
function isSameHeader(a: RecordHeader, b: RecordHeader): boolean {
  return compareVersions(a, b) === 0 && bytesEqual(a.signature, b.signature);
}

/** Whether a holder's answer has this very version of the cell. */
export function holdsVersion(answer: HolderAnswer, header: RecordHeader): boolean {
  return answer.headers.some(
    (held) => bytesEqual(cellPublisher(held), cellPublisher(header)) && compareVersions(held, header) === 0,
  );
}
