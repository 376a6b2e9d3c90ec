/** Churn as somebody recorded it: lines `seconds,node,up|down`, ordered by time. Empty lines and those that begin with # say nothing. */

export interface ChurnEvent {
  /** ms after the churn begins. */
  readonly atMs: number;
  readonly node: number;
  readonly kind: 'up' | 'down';
}

/**
 * @param nodes how many nodes the world has: 0 … nodes − 1 may occur
 * @throws Error with the number of the first line that cannot be used, and what is wrong with it
 */
export function parseChurnTrace(text: string, nodes: number): readonly ChurnEvent[] {
  const events: ChurnEvent[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const event = parseLine(line, nodes);
    const previous = events.at(-1);
    if (typeof event === 'string') throw new Error(`line ${index + 1} of the churn trace: ${event}`);
    if (previous !== undefined && event.atMs < previous.atMs) {
      throw new Error(
        `line ${index + 1} of the churn trace: ${event.atMs / 1000} s comes after ${previous.atMs / 1000} s: sort the lines by time`,
      );
    }
    events.push(event);
  }
  return events;
}

/** @returns what is wrong, as text */
function parseLine(line: string, nodes: number): ChurnEvent | string {
  const [seconds = '', node = '', kind = '', ...more] = line.split(',').map((field) => field.trim());
  if (more.length > 0 || kind === '') return `"${line}" is not seconds,node,up|down`;
  if (!/^\d+(\.\d+)?$/.test(seconds)) return `"${seconds}" is not a time in seconds, 0 or later`;
  if (!/^\d+$/.test(node) || Number(node) >= nodes) return `"${node}" is not a node of this world: 0 to ${nodes - 1}`;
  if (kind !== 'up' && kind !== 'down') return `"${kind}" is neither up nor down`;
  return { atMs: Number(seconds) * 1000, node: Number(node), kind };
}
