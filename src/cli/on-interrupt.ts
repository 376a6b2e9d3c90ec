/** Ctrl-C and SIGTERM as an AbortSignal: the first asks for an orderly end, the second ends the process at once. */
import { NautilusError } from '../core/index.ts';

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Gives the signals their default effect back. */
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function onInterrupt(): Interrupt {
  const abort = new AbortController();
  const onSignal = () => {
    // 130: what a shell reports for a process that Ctrl-C ended.
    if (abort.signal.aborted) process.exit(130);
    abort.abort(new NautilusError('ABORTED', 'interrupted'));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: abort.signal,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
