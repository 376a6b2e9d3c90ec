/** Runs the compiled `nautilus` as anybody would: a process with arguments, its output and its exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
/** Built by `npm test` before any test runs. */
export const BIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface CliOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  /** Written to stdin, which is empty otherwise. */
  readonly input?: string | Uint8Array | undefined;
  /** Before `node`: `['setpriv', '--reuid', 'nobody', …]`. */
  readonly prefix?: readonly string[] | undefined;
  /** Arguments of node itself, such as a preload. */
  readonly nodeArguments?: readonly string[] | undefined;
  /** Another installation's. @default BIN */
  readonly bin?: string | undefined;
  /** SIGKILL after this; the result then has no exit code. @default 60_000 */
  readonly timeoutMs?: number | undefined;
}

export interface CliResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of this process without the settings of whoever runs the tests. */
export function cleanEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('NAUTILUS_') && name !== 'NODE_OPTIONS',
  );
  return { ...Object.fromEntries(inherited), ...extra };
}

/** Never rejects: what a command does when it fails is its contract too. */
export async function nautilus(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawnNautilus(args, options);
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
  child.stdin?.on('error', () => undefined); // it ended without reading all of it: its exit code says why
  child.stdin?.end(options.input ?? '');
  const [stdout, stderr, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  clearTimeout(timer);
  return { code, stdout, stderr };
}

export function spawnNautilus(args: readonly string[], options: CliOptions = {}): ChildProcess {
  const [command = '', ...rest] = [
    ...(options.prefix ?? []),
    process.execPath,
    ...(options.nodeArguments ?? []),
    options.bin ?? BIN,
    ...args,
  ];
  return spawn(command, rest, { cwd: options.cwd, env: cleanEnv(options.env), stdio: 'pipe' });
}

/** The objects of `--json` output. @throws when a line is none, or when the command failed */
function objectsOf<T>({ code, stdout, stderr }: CliResult): T[] {
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}${stdout.slice(0, 500)}`);
  return parseLines<T>(stdout);
}

export function parseLines<T>(stdout: string): T[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** The one object of `--json` output. */
export function objectOf<T>(result: CliResult): T {
  const [object, ...more] = objectsOf<T>(result);
  if (object === undefined || more.length > 0) throw new Error(`one object was expected: ${result.stdout}`);
  return object;
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  for await (const chunk of stream?.setEncoding('utf8') ?? []) text += chunk;
  return text;
}
