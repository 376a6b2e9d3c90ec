import type { NetworkConstants } from '../../src/records/index.ts';

/** Whether two nodes agree on every number of their network (DESIGN: a mismatch is refused). */
export function sameConstants(a: NetworkConstants, b: NetworkConstants): boolean {
  return (Object.keys(a) as (keyof NetworkConstants)[]).every((name) => a[name] === b[name]);
}
