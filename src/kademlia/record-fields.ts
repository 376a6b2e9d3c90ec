/** Records within frames: `header, value or null`. One that cannot be taken is an answer, not a broken frame: its sender passes on what others signed. */
import {
  copyBytes,
  type HeldRecord,
  headerFromFields,
  headerToFields,
  type RefusalReason,
  utf8Encode,
} from '../records/index.ts';
import type { WireLimits } from './wire-format.ts';

/** What a record takes on the wire at most, beside its key and value: the other fields, their heads and those of the arrays. */
const RECORD_OVERHEAD_BYTES = 170;

/** `[header, value]` */
export function recordToFields({ header, value }: HeldRecord): [unknown[], Uint8Array | null] {
  return [headerToFields(header), value ?? null];
}

/** Bytes a record takes in a frame, never less than that: what senders count against `RECORDS_BUDGET_BYTES`. */
export function recordBytes({ header, value }: HeldRecord): number {
  return RECORD_OVERHEAD_BYTES + utf8Encode(header.key.text).length + (value?.length ?? 0);
}

export type ParsedRecord =
  | { readonly kind: 'record'; readonly record: HeldRecord }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

/** Undefined when this is no record at all. */
export function recordFromFields(header: unknown, value: unknown, limits: WireLimits): ParsedRecord | undefined {
  if (!Array.isArray(header) || !(value === null || value instanceof Uint8Array)) return undefined;
  const parsed = headerFromFields(header, limits.maxKeyBytes);
  if (parsed.kind === 'invalid') return { kind: 'refused', reason: parsed.reason };
  if (value !== null && value.length > limits.maxValueBytes) return { kind: 'refused', reason: 'TOO_LARGE' };
  const record = { header: parsed.header, value: value === null ? undefined : copyBytes(value) };
  return { kind: 'record', record };
}
