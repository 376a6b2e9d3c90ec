/**
 * A key as its holders know it, judged: which of the headers that came back are genuine, and which of those are alive. The reading ends when a
 * quorum has spoken, but not with nothing in hand: before anybody says "not found" every holder has been heard. Not here: fetching values.
 */
import { isLive, type Key, type RecordHeader } from '../records/index.ts';
import { type CellsComponents, holdsVersion, verifiedCells } from './cells.ts';
import { type KeyReading, type KeyReadingComponents, type KeyReadingOptions, readKey } from './key-reading.ts';
import type { SeenVersions } from './seen-versions.ts';

export interface ReadCellsComponents extends CellsComponents, KeyReadingComponents {
  readonly seen: SeenVersions;
}

export interface ReadCells {
  readonly reading: KeyReading;
  /** Newest verified header per publisher, tombstones and floors too, newest first. */
  readonly cells: readonly RecordHeader[];
  /** Those of `cells` that are live records. */
  readonly live: readonly RecordHeader[];
}

export async function readCells(
  components: ReadCellsComponents,
  key: Key,
  options: KeyReadingOptions,
): Promise<ReadCells> {
  const early = await readAndJudge(components, key, options);
  if (early.reading.isWhole || isHeld(early)) return early;
  // What was said to be there was not, or this node has seen something newer.
  return withRequestsOf(early, await readAndJudge(components, key, { ...options, quorumOf: undefined }));
}

/** The second of two readings, with the requests of both. */
export function withRequestsOf(first: ReadCells, second: ReadCells): ReadCells {
  return {
    ...second,
    reading: { ...second.reading, requests: first.reading.requests + second.reading.requests },
  };
}

async function readAndJudge(components: ReadCellsComponents, key: Key, options: KeyReadingOptions): Promise<ReadCells> {
  const reading = await readKey(components, key, options);
  const cells = await verifiedCells(components, reading.answers, components.seen.of(key));
  return { reading, cells, live: cells.filter((header) => isLive(header, components.clock.now())) };
}

/** Somebody who answered has the newest. */
export function isHeld({ reading, live: [newest] }: ReadCells): boolean {
  return newest !== undefined && reading.answers.some((answer) => holdsVersion(answer, newest));
}
