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

interface Claim {
  readonly header: RecordHeader;
  readonly by: string | undefined;
}

/** Newest verified header of each cell, newest first. `known` headers are verified already and need no holder. */
export async function verifiedCells(
  components: CellsComponents,
  answers: readonly HolderAnswer[],
  known: readonly RecordHeader[] = [],
): Promise<readonly RecordHeader[]> {
  const claims = new Map<string, Claim[]>();
  const claim = (header: RecordHeader, by: string | undefined) => {
    const cell = toHex(cellPublisher(header));
    const rivals = claims.get(cell);
    if (rivals === undefined) claims.set(cell, [{ header, by }]);
    else if (!rivals.some((rival) => isSameHeader(rival.header, header))) rivals.push({ header, by });
  };
  for (const header of known) claim(header, undefined);
  for (const { headers, holder } of answers) for (const header of headers) claim(header, holder.id.hex);

  const cells = await Promise.all([...claims.values()].map((rivals) => newestVerified(components, rivals)));
  return cells.filter((header) => header !== undefined).sort((a, b) => b.seq - a.seq || compareVersions(b, a));
}

async function newestVerified(
  { verifier, clock, observer, constants }: CellsComponents,
  rivals: Claim[],
): Promise<RecordHeader | undefined> {
  rivals.sort((a, b) => compareVersions(b.header, a.header));
  for (const { header, by } of rivals) {
    if (by === undefined) return header;
    const reason = validateHeader(header, clock.now(), constants);
    if (reason === undefined && (await verifyHeader(verifier, constants.network, header))) return header;
    observer.notify({ type: 'peer-misbehaved', nodeId: by, reason: reason ?? 'BAD_SIGNATURE' });
  }
  return undefined;
}

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
