/** The XOR metric (Kademlia paper §2.1): symmetric, unidirectional, d(x, x) = 0. */
import type { NodeId } from './node-id.ts';

/** What `NodeId.head` covers. */
const HEAD_BYTES = 4;
/** As many as a number holds exactly. */
const SHARE_BYTES = 6;

/** `a xor b`, as long as the ids. */
export function distance(a: NodeId, b: NodeId): Uint8Array {
  return a.bytes.map((byte, i) => byte ^ (b.bytes[i] as number));
}

/** < 0 when `a` is closer to `target` than `b`. Allocates nothing: it runs in every sort. */
export function compareDistance(target: NodeId, a: NodeId, b: NodeId): number {
  if (a.head !== b.head) return (a.head ^ target.head) >>> 0 < (b.head ^ target.head) >>> 0 ? -1 : 1;
  const t = target.bytes;
  const x = a.bytes;
  const y = b.bytes;
  for (let i = HEAD_BYTES; i < t.length; i++) {
    if (x[i] !== y[i]) return ((x[i] as number) ^ (t[i] as number)) - ((y[i] as number) ^ (t[i] as number));
  }
  return 0;
}

/** Leading bits two ids share; their full length when equal. It is the bucket index. */
export function commonPrefixLength(a: NodeId, b: NodeId): number {
  if (a.head !== b.head) return Math.clz32(a.head ^ b.head);
  for (let i = HEAD_BYTES; i < a.bytes.length; i++) {
    const difference = (a.bytes[i] as number) ^ (b.bytes[i] as number);
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return a.bytes.length * 8;
}

/** How far apart two ids are as a share of the id space, 0 … 1: ids are uniform, so of n nodes about n times this are nearer to `a` than `b`. */
export function distanceShare(a: NodeId, b: NodeId): number {
  let share = 0;
  for (let i = Math.min(SHARE_BYTES, a.bytes.length) - 1; i >= 0; i--) {
    share = (share + ((a.bytes[i] as number) ^ (b.bytes[i] as number))) / 256;
  }
  return share;
}
