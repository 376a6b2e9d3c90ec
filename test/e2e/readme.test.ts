/** Everything the README tells people to type is typed here, in its order, by the package as `npm pack` makes it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnv, REPOSITORY } from '../support/cli.ts';
import { freePort } from '../support/free-port.ts';
import { codeBlocks, commandsOf, type ReadmeCommand, readReadme, shapeOf } from '../support/readme.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

/** These two are what .ci/run consists of. */
const RUN_BY_CI = ['npm ci && npm run demo', 'npm ci && npm test'];
const README_ADDRESS = /\/ip4\/192\.0\.2\.7\/tcp\/4801\/p2p\/12D3KooW\w+/g;

const readme = readReadme();
const directory = temporaryDirectory();
let home = '';
let work = '';
let env: NodeJS.ProcessEnv = {};
let listPort = 0;
let firstAddress = '';
const running = new Set<ChildProcess>();
const killAll = () => {
  for (const child of running) child.kill('SIGKILL');
};

beforeAll(async () => {
  home = await directory('home');
  work = await directory('work');
  const prefix = await directory('prefix');
  for (const path of [home, work, prefix]) mkdirSync(path, { recursive: true });
  listPort = await freePort();
  env = cleanEnv({
    HOME: home,
    PATH: `${join(prefix, 'bin')}:${process.env.PATH}`,
    NAUTILUS_LISTEN: '/ip4/127.0.0.1/tcp/0',
    npm_config_prefix: prefix,
    npm_config_pack_destination: work,
    npm_config_cache: process.env.npm_config_cache ?? join(process.env.HOME ?? '', '.npm'),
    // dist is built already, and other tests run it: packing must not build it again.
    npm_config_ignore_scripts: 'true',
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  });
  mkdirSync(join(work, 'node_modules'));
  symlinkSync(
    join(prefix, 'lib', 'node_modules', 'nautilus-registry'),
    join(work, 'node_modules', 'nautilus-registry'),
  );
  process.once('exit', killAll);
});
afterAll(async () => {
  // Its own end of the README ends them; this is for a README that failed half-way.
  await run('nautilus testnet down');
  await Promise.all(
    [...running].map(async (child) => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }),
  );
  process.off('exit', killAll);
});

describe('the README', () => {
  for (const block of codeBlocks(readme)) {
    const [first = ''] = block.text.split('\n');
    if (block.language === 'js') {
      it('shows a program that runs', { timeout: 60_000 }, async () => {
        writeFileSync(join(work, 'example.mjs'), block.text);
        expect(await run('node example.mjs')).toMatchObject({ code: 0, stdout: '10.0.0.5:80\n' });
      });
      continue;
    }
    const commands = commandsOf(block);
    if (commands.every(({ text }) => RUN_BY_CI.includes(withoutComment(text)))) continue;
    it(`is right about: ${first}`, { timeout: 180_000 }, async () => {
      for (const command of commands) await runAsShown(command);
    });
  }

  it('leads only to files that come with the package', () => {
    const links = [...readme.matchAll(/\]\(([^):#]+)\)/g)].map(([, path = '']) => path);
    expect(links).toContain('src/registry/storages/README.md');
    const installed = join(work, 'node_modules', 'nautilus-registry');
    expect(links.filter((path) => !existsSync(join(installed, path)))).toEqual([]);
  });

  it('begins with the two commands, which .ci/run runs', () => {
    const [demo, test] = codeBlocks(readme).map(({ text }) => withoutComment(text.trim()));
    expect([demo, test]).toEqual(RUN_BY_CI);
    const ci = readFileSync(join(REPOSITORY, '.ci', 'run'), 'utf8');
    for (const command of ['npm ci', 'npm run demo', 'npm test']) expect(ci).toContain(command);
  });
});

async function runAsShown(command: ReadmeCommand): Promise<void> {
  const text = withoutComment(command.text)
    .replaceAll(README_ADDRESS, firstAddress)
    .replaceAll('/ip4/0.0.0.0/tcp/4900', '/ip4/127.0.0.1/tcp/0')
    .replaceAll('http://192.0.2.7:8480/', `http://127.0.0.1:${listPort}/`)
    .replaceAll(':8480', `127.0.0.1:${listPort}`);
  const output = /^nautilus (?:start|bootstrap)\b/.test(text) ? await startInBackground(text) : await runToItsEnd(text);
  const shown = command.output.map((line) => shapeOf(line, home));
  const printed = output.split('\n').map((line) => shapeOf(line.trimEnd(), home));
  expect(printed.slice(0, shown.length)).toEqual(shown);
}

async function runToItsEnd(text: string): Promise<string> {
  const { code, stdout, stderr } = await run(text, text === 'npm pack' ? REPOSITORY : work);
  expect(code, `${text}\n${stderr}${stdout}`).toBe(0);
  return stdout;
}

/** Returns when the node is ready, and, if it was told a first peer, has found storing nodes. */
async function startInBackground(text: string): Promise<string> {
  const child = spawn('bash', ['-c', `exec ${text}`], { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  await until(`"${text}" is ready`, () => {
    if (child.exitCode !== null) throw new Error(`${text} ended with ${child.exitCode}: ${stderr}`);
    return stdout.includes('talk to it with:') || undefined;
  });
  firstAddress ||= /listening on (\S+)/.exec(stdout)?.[1] ?? '';
  if (text.includes('--bootstrap')) {
    const dataDir = /--data-dir (\S+)/.exec(text)?.[1];
    await until(`"${text}" has joined`, async () => {
      const status = await run(`nautilus status --json --data-dir ${dataDir}`);
      return (JSON.parse(status.stdout) as { peers: number }).peers > 0 || undefined;
    });
  }
  return stdout;
}

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(text: string, cwd = work): Promise<Finished> {
  const child = spawn('bash', ['-o', 'pipefail', '-c', text], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

function withoutComment(text: string): string {
  return text.replace(/\s+# .*$/, '');
}
