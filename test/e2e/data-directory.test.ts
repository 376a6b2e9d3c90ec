/** The lock and the checks of the data directory between real processes: kill -9, races, and a user without permission. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { openDataDirectory } from '../../src/platform/index.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PLATFORM = new URL('../../dist/src/platform/index.js', import.meta.url).href;

/** Opens or releases the directory of its argument for every line on stdin, and says in a line what came of it. */
const PROGRAM = `
  import { createInterface } from 'node:readline';
  import { openDataDirectory } from ${JSON.stringify(PLATFORM)};
  let directory;
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      if (line === 'open') directory = await openDataDirectory(process.argv[1]);
      else await directory.release();
      console.log(line === 'open' ? 'held' : 'released');
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message, details: error.details }));
    }
  }
`;

class Contender {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(dataDir: string, prefix: readonly string[] = []) {
    const command = [...prefix, process.execPath, '--input-type=module', '-e', PROGRAM, dataDir];
    this.process = spawn(command[0]!, command.slice(1));
    const reader: Interface = createInterface({ input: this.process.stdout });
    this.#lines = reader[Symbol.asyncIterator]();
    children.push(this.process);
  }

  get pid(): number {
    return this.process.pid!;
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the process said nothing more: ${this.process.stderr.read() ?? ''}`);
    return value;
  }

  ask(what: 'open' | 'release'): Promise<string> {
    this.process.stdin.write(`${what}\n`);
    return this.line();
  }

  async kill(): Promise<void> {
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}

const fresh = temporaryDirectory();
const children: ChildProcessWithoutNullStreams[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function contender(dataDir: string, prefix?: readonly string[]): Promise<Contender> {
  const started = new Contender(dataDir, prefix);
  expect(await started.line()).toBe('ready');
  return started;
}

describe('a data directory between processes', () => {
  it('names the process that uses it, until that one gives it back', async () => {
    const path = await fresh();
    const holder = await contender(path);
    expect(await holder.ask('open')).toBe('held');
    await expect(openDataDirectory(path)).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringMatching(
        new RegExp(`in use by process ${holder.pid} on .*nautilus stop --data-dir ${path}`),
      ),
      details: { pid: holder.pid },
    });
    expect(await holder.ask('release')).toBe('released');
    await (await openDataDirectory(path)).release();
  });

  it('is free after kill -9, again and again', async () => {
    const path = await fresh();
    for (let round = 0; round < 3; round++) {
      const holder = await contender(path);
      expect(await holder.ask('open')).toBe('held');
      await holder.kill();
    }
    await (await openDataDirectory(path)).release();
    expect(await readdir(path)).toEqual([]);
  });

  it('is free when its killed holder is a zombie that nobody has waited for', async () => {
    const path = await fresh();
    // A parent that never waits: it starts the holder in the background and becomes a program that knows of no children.
    const parent = spawn(
      'bash',
      [
        '-c',
        `'${process.execPath}' --input-type=module -e "$1" "$2" <&3 3<&- & echo $!; exec sleep 60 3<&-`,
        'bash',
        PROGRAM,
        path,
      ],
      { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] },
    ) as ChildProcessWithoutNullStreams;
    children.push(parent);
    const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
    const pid = Number((await lines.next()).value);
    expect((await lines.next()).value).toBe('ready');
    (parent.stdio[3] as unknown as NodeJS.WritableStream).write('open\n');
    expect((await lines.next()).value).toBe('held');
    process.kill(pid, 'SIGKILL');
    while (!/^\d+ \(.*\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8'))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await (await openDataDirectory(path)).release();
  });

  it('goes to exactly one of the processes that race for the lock of a killed one', async () => {
    const path = await fresh();
    const contenders = await Promise.all(Array.from({ length: 7 }, () => contender(path)));
    while (contenders.length > 0) {
      const answers = await Promise.all(contenders.map((each) => each.ask('open')));
      expect(answers.filter((answer) => answer === 'held').length).toBe(1);
      for (const answer of answers) {
        if (answer !== 'held') expect(JSON.parse(answer)).toMatchObject({ code: 'DATA_DIR_IN_USE' });
      }
      const [winner] = contenders.splice(answers.indexOf('held'), 1);
      await winner?.kill();
    }
  });
});

/** chmod does not stop root: root asks as nobody instead. */
const AS_NOBODY =
  process.getuid?.() === 0 ? ['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', '--'] : [];

describe('a data directory without permission', () => {
  it.each([
    ['cannot be entered', 0o000],
    ['cannot be written', 0o555],
  ])('says what to do when it %s', async (_, mode) => {
    const path = await fresh();
    await mkdir(path);
    await chmod(join(path, '..'), 0o755);
    await chmod(path, mode);
    const stranger = await contender(path, AS_NOBODY);
    expect(JSON.parse(await stranger.ask('open'))).toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: `cannot use ${path}: no permission; run as the owner of the directory, or choose another one with --data-dir`,
    });
    await chmod(path, 0o700);
  });

  it('says what to do when its lock cannot be read', async () => {
    const path = await fresh();
    await mkdir(path);
    await writeFile(join(path, 'lock'), '{}', { mode: 0o000 });
    await chmod(join(path, '..'), 0o755);
    await chmod(path, 0o777);
    const stranger = await contender(path, AS_NOBODY);
    expect(JSON.parse(await stranger.ask('open'))).toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringContaining('no permission'),
    });
  });
});

// Only root may mount; without it there is no read-only file system to try, and the two cases above cover permissions.
describe.runIf(process.getuid?.() === 0)('a data directory on a file system that', () => {
  async function withTmpfs(options: string, act: (path: string) => Promise<void>): Promise<void> {
    const path = await fresh();
    await mkdir(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
    try {
      await act(path);
    } finally {
      execFileSync('umount', [path]);
    }
  }

  it('is read-only is refused as such', async () => {
    await withTmpfs('ro', async (path) => {
      await expect(openDataDirectory(path)).rejects.toMatchObject({
        code: 'DATA_DIR_UNUSABLE',
        message: expect.stringContaining('its file system is read-only'),
      });
    });
  });

  it('is full is refused as such', async () => {
    await withTmpfs('size=4k', async (path) => {
      await writeFile(join(path, 'ballast'), new Uint8Array(4_096));
      await expect(openDataDirectory(path)).rejects.toMatchObject({
        code: 'DISK_FULL',
        message: expect.stringContaining('free some'),
      });
    });
  });
});
