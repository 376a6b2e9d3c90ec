/** The fields that several commands take, with the messages people see. Ranges that belong to the network are the node's to check. */
import { z } from 'zod';
import type { NautilusError } from '../core/index.ts';
import type { QuorumChoice } from '../replication/index.ts';
import { parseTtl } from './duration.ts';

/** Longest text that can be a key, in UTF-16 units: bounds the work of normalising. The rule itself is in bytes and the node's. */
const MAX_TEXT = 8_192;
const MAX_STORAGES = 1_024;
const COUNT_PATTERN = /^[1-9]\d{0,4}$/;

const shown = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
const text = (what: string) =>
  z.string({ error: `${what} is needed, as text` }).max(MAX_TEXT, { error: `is longer than any ${what} can be` });

/** Keys are brought to Unicode normal form C here, at the boundary, so that what looks the same is the same key. */
const normalized = (what: string) => text(what).transform((value) => value.normalize('NFC'));

export const keyField = normalized('key');
export const targetField = normalized('target').refine((value) => value !== '', {
  error: 'is empty: give a key, a peer id or 64 hex digits',
});
export const prefixField = normalized('prefix').optional();
export const peerField = text('peer').min(1, { error: 'is empty: give a peer id, a node id or a multiaddr' });
export const shardField = text('storage').min(1, { error: 'is empty: "nautilus storage status" has the names' });
const storageUrlField = text('storage URL').min(1, { error: 'is empty: give one as --storage takes it' });
/** How many make a ring is the node's to check. */
export const storageUrlsField = z
  .array(storageUrlField, { error: 'is a list of storage URLs' })
  .min(1, { error: 'is empty: give one or more, as --storage takes them' })
  .max(MAX_STORAGES, { error: 'has more storages than any ring' });
export const flagField = z.boolean({ error: 'is true or false' }).optional();

/** Milliseconds, over zero. */
export const ttlField = z
  .string({ error: 'is a duration: 30s, 15m, 24h or 7d' })
  .transform((value, context) => {
    try {
      return parseTtl(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as NautilusError).message });
      return z.NEVER;
    }
  })
  .optional();

const quorumField = z
  .union([z.string(), z.number()], { error: 'is majority, one, all or a number of holders' })
  .transform((value, context): QuorumChoice => {
    if (value === 'majority' || value === 'one' || value === 'all') return value;
    if (COUNT_PATTERN.test(String(value))) return Number(value);
    context.addIssue({
      code: 'custom',
      message: `${shown(String(value))} is none of: majority, one, all, or a number of holders`,
    });
    return z.NEVER;
  })
  .optional();

/** The fields of a record to put; `value` and `encoding` are put together by `decodeValue`. */
export const recordFields = {
  key: keyField,
  value: z.string({ error: 'a value is needed, as text' }),
  encoding: z.enum(['utf8', 'base64'], { error: 'is utf8 or base64' }).optional(),
  ttl: ttlField,
};

export const writeFields = { quorum: quorumField, strict: flagField };
export const readFields = { quorum: quorumField, stable: flagField };
