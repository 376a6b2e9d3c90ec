/** The compiled bin as a process of its own, the way people run it. NAUTILUS_BIN names another build. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const NAUTILUS_BIN =
  process.env.NAUTILUS_BIN ?? fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end. `env` is all it sees of this process's environment. */
export async function nautilus(
  args: readonly string[],
  options: { readonly input?: string | Uint8Array; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Finished> {
  if (!existsSync(NAUTILUS_BIN)) throw new Error(`${NAUTILUS_BIN} is not there: run "npm run build" first`);
  const child = spawn(process.execPath, [NAUTILUS_BIN, ...args], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...options.env },
  });
  const read = async (stream: AsyncIterable<Buffer>) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks).toString('latin1');
  };
  // A verb that reads no stdin may be gone before it is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)]);
  return { code: await code, stdout: fromLatin1(stdout), stderr: fromLatin1(stderr) };
}

/** Output that is UTF-8 as text; anything else stays one character a byte. */
function fromLatin1(text: string): string {
  const utf8 = Buffer.from(text, 'latin1').toString('utf8');
  return utf8.includes('\uFFFD') ? text : utf8;
}
