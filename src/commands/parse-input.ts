/** Checks a command's input and names every bad field in one error. */
import type { z } from 'zod';
import { type ErrorCode, NautilusError } from '../core/index.ts';

/** What a bad field is called; any other field is `USAGE`, and so are several bad fields of different kinds. */
const FIELD_CODES: Readonly<Record<string, ErrorCode>> = {
  key: 'KEY_INVALID',
  ttl: 'TTL_INVALID',
  quorum: 'QUORUM_INVALID',
  peer: 'PEER_INVALID',
};

interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** @throws NautilusError `KEY_INVALID`, `TTL_INVALID`, `QUORUM_INVALID`, `PEER_INVALID` or `USAGE`, with `details.fields` */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.flatMap(problemsOf);
  const codes = new Set(fields.map(({ field }) => FIELD_CODES[field] ?? 'USAGE'));
  const [code = 'USAGE'] = codes;
  const message = fields.map((problem) => `${problem.field}: ${problem.message}`).join('; ');
  throw new NautilusError(codes.size === 1 ? code : 'USAGE', message, { details: { fields } });
}

function problemsOf(issue: z.core.$ZodIssue): FieldProblem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((field) => ({ field, message: 'no such field' }));
  return [{ field: String(issue.path[0] ?? 'input'), message: issue.message }];
}
