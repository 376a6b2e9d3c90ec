/** A caller's message, checked. By hand: the schema library would be loaded for four fields. */

export type ParsedCallerMessage =
  | {
      readonly kind: 'command';
      readonly id: number;
      readonly command: string;
      readonly input: unknown;
      readonly window: number | undefined;
    }
  | { readonly kind: 'more'; readonly id: number; readonly more: number }
  | { readonly kind: 'cancel'; readonly id: number }
  /** `id` is there when the message at least had one, so that its sender hears of it. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly id?: number };

export function parseCallerMessage(message: Readonly<Record<string, unknown>>): ParsedCallerMessage {
  const { id, command, input, window, more, cancel } = message;
  if (!isCount(id)) return { kind: 'invalid', reason: 'without an "id" (a whole number)' };
  if (typeof command === 'string') {
    if (window !== undefined && !isCount(window)) return { kind: 'invalid', reason: 'with a bad "window"', id };
    return { kind: 'command', id, command, input: input ?? {}, window };
  }
  if (cancel === true) return { kind: 'cancel', id };
  if (isCount(more)) return { kind: 'more', id, more };
  return { kind: 'invalid', reason: 'neither "command", "more" nor "cancel"', id };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
