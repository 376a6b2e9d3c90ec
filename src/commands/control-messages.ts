/**
 * How a command travels over a byte stream: one JSON object a line, UTF-8. Many commands may be under way at once, told apart by their id.
 *
 *   caller: {"id":1,"command":"list","input":{},"window":64}      node: {"id":1,"item":{…}}  any number of times
 *           {"id":1,"more":32}                                          {"id":1,"done":true}
 *           {"id":1,"cancel":true}                                  or  {"id":1,"error":{"code","message","details"}}
 *
 * `window` is how many items the node may send before it hears `more`: a slow reader of one answer holds up no other. Without it there is
 * only the stream's own back-pressure. An error with `id` null is about the connection or a line that could not be understood.
 */
import type { ErrorObject } from './command-types.ts';

/** Longest line either side accepts. A value of 64 KiB of control characters is 384 KiB of JSON; batches are cut well below. */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** Commands one connection may have under way. The client queues what is beyond; a node refuses it. */
export const MAX_COMMANDS_IN_FLIGHT = 64;

export interface CommandMessage {
  readonly id: number;
  readonly command: string;
  readonly input: unknown;
  readonly window?: number | undefined;
}

export interface MoreMessage {
  readonly id: number;
  readonly more: number;
}

export interface CancelMessage {
  readonly id: number;
  readonly cancel: true;
}

export type CallerMessage = CommandMessage | MoreMessage | CancelMessage;

export type NodeMessage =
  | { readonly id: number; readonly item: object }
  | { readonly id: number; readonly done: true }
  | { readonly id: number | null; readonly error: ErrorObject };

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true });

export function encodeMessage(message: CallerMessage | NodeMessage): string {
  return `${JSON.stringify(message)}\n`;
}

export type ParsedJson =
  | { readonly kind: 'object'; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: 'invalid'; readonly reason: string };

/** One line as a JSON object. Which object it is, each side checks for itself. */
export function parseJsonLine(line: Uint8Array): ParsedJson {
  let value: unknown;
  try {
    value = JSON.parse(STRICT_UTF8.decode(line));
  } catch (error) {
    return { kind: 'invalid', reason: error instanceof SyntaxError ? 'not JSON' : 'not UTF-8' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'invalid', reason: 'not a JSON object' };
  }
  return { kind: 'object', value: value as Readonly<Record<string, unknown>> };
}
