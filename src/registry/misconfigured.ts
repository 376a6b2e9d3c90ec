import { NautilusError } from '../core/index.ts';

/** For whoever runs the node: nothing will mend it but another `--storage`, or another configuration of what it names. */
export function misconfigured(
  message: string,
  { cause, details }: { readonly cause?: unknown; readonly details?: Readonly<Record<string, unknown>> } = {},
): NautilusError {
  return new NautilusError('CONFIG_INVALID', message, { cause, details: { field: 'storage', ...details } });
}
