/**
 * The only host objects the pure rooms may name. They compile with `types: []` and no DOM, so a timer, a Buffer or a console does not even
 * type-check; aborting and decoding are synchronous and deterministic, hence allowed. Only the pure project includes this file.
 */
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}
