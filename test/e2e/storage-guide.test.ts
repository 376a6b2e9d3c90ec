/** The guide to a storage of one's own: its code is compiled and run as it tells people to, so it passes the suite in front of their eyes. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { cleanEnv, REPOSITORY } from '../support/cli.ts';
import { codeBlocks, commandsOf } from '../support/readme.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const GUIDE = join(REPOSITORY, 'src', 'registry', 'storages', 'README.md');
const run = promisify(execFile);
const directory = temporaryDirectory();

/** The blocks of one name make one file. */
function filesIn(guide: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const [, name = '', text = ''] of guide.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)) {
    files.set(name, (files.get(name) ?? '') + text);
  }
  return files;
}

test('the storage that the guide builds compiles, passes every case of the suite, and keeps the records of a node', {
  timeout: 120_000,
}, async () => {
  const guide = await readFile(GUIDE, 'utf8');
  const work = await directory('project');
  // As `npm install` would: the package, and its development tools.
  await mkdir(join(work, 'node_modules'), { recursive: true });
  await symlink(REPOSITORY, join(work, 'node_modules', 'nautilus-registry'));
  for (const name of ['.bin', '@types', 'typescript']) {
    await symlink(join(REPOSITORY, 'node_modules', name), join(work, 'node_modules', name));
  }
  await writeFile(join(work, 'package.json'), '{ "type": "module" }');
  for (const [name, text] of filesIn(guide)) await writeFile(join(work, name), text);

  const env = cleanEnv({
    // Every write is flushed, some thousand of them: on a memory disk, where there is one, the machine's own is left in peace.
    ...(existsSync('/dev/shm') && { TMPDIR: '/dev/shm' }),
  });
  const commands = codeBlocks(guide).flatMap((block) => (block.language === 'sh' ? commandsOf(block) : []));
  expect(commands).toHaveLength(4);
  const outputs: string[] = [];
  for (const { text } of commands) {
    const [program = '', ...args] = text.split(' ');
    const { stdout } = await run(program, args, { cwd: work, env }).catch(
      (error: { readonly stdout: string; readonly stderr: string }) => {
        throw new Error(`${text}\n${error.stdout}\n${error.stderr}`);
      },
    );
    outputs.push(stdout);
  }
  const [, report, , found] = outputs as [string, string, string, string];
  expect(Number(/^# pass (\d+)$/m.exec(report)?.[1])).toBeGreaterThanOrEqual(65);
  expect(report).toMatch(/^# fail 0$/m);
  expect(report).toMatch(/^# skipped 0$/m);
  expect(found).toBe('10.0.0.5:80\n');
  expect(await readdir(join(work, 'records'))).not.toEqual([]);
});
