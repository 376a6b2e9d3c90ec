import type { Random } from '../core/index.ts';
import { NodeId } from './node-id.ts';

/** A random id that belongs into bucket `index` of `self`: equal before that bit, different at it, anything behind it. */
export function randomIdInBucket(self: NodeId, index: number, random: Random): NodeId {
  const bytes = random.bytes(self.bytes.length);
  const byte = index >> 3;
  const bit = 0x80 >> (index & 7);
  bytes.set(self.bytes.subarray(0, byte));
  const keep = 0xff & ~(bit * 2 - 1); // the bits before `bit`
  bytes[byte] = (self.bytes[byte]! & keep) | (~self.bytes[byte]! & bit) | (bytes[byte]! & (bit - 1));
  return NodeId.fromBytes(bytes);
}

/** A random id that shares at least the first `bits` with `self`. */
export function randomIdWithPrefix(self: NodeId, bits: number, random: Random): NodeId {
  const bytes = random.bytes(self.bytes.length);
  const whole = bits >> 3;
  bytes.set(self.bytes.subarray(0, whole));
  const rest = 0xff >> (bits & 7);
  if (rest < 0xff) bytes[whole] = (self.bytes[whole]! & ~rest) | (bytes[whole]! & rest);
  return NodeId.fromBytes(bytes);
}
