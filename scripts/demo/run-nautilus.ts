/** Runs the compiled `nautilus` for the demonstration, and hands over its JSON lines as they come. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface RunOptions {
  readonly onObject?: ((object: unknown) => void) | undefined;
  /** Ends the command. */
  readonly signal?: AbortSignal | undefined;
  /** For what must not be ended by Ctrl-C on the terminal: the clean-up. @default false */
  readonly ownGroup?: boolean | undefined;
}

/** The objects of `nautilus … --json`. @throws with the first line of its complaint when it does not end with 0 */
export async function runNautilus(args: readonly string[], options: RunOptions = {}): Promise<unknown[]> {
  const { onObject, signal, ownGroup = false } = options;
  signal?.throwIfAborted();
  const child = spawn(process.execPath, [BIN, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: withoutSettings(process.env),
    detached: ownGroup,
  });
  // SIGTERM, and then its own time: `testnet up` ends what it started.
  const onAbort = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', onAbort, { once: true });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const objects: unknown[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const object: unknown = JSON.parse(line);
    objects.push(object);
    onObject?.(object);
  }
  const code = await ended;
  signal?.removeEventListener('abort', onAbort);
  signal?.throwIfAborted();
  if (code !== 0) throw new Error(`nautilus ${args.slice(0, 2).join(' ')} ended with ${code}: ${lastLine(complaint)}`);
  return objects;
}

/** Settings of the operator's own node have no business in the demonstration's. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('NAUTILUS_')));
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
