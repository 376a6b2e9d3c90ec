/** The demonstration, interrupted: .ci/run runs it to its end. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cleanEnv, REPOSITORY } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const directory = temporaryDirectory();

describe('npm run demo', { timeout: 180_000 }, () => {
  it.each(['1. Start', '2. Put'])('leaves no process and no file when Ctrl-C ends it in step "%s"', async (step) => {
    const temp = await directory();
    mkdirSync(temp, { recursive: true });
    // A process group of its own is what Ctrl-C on a terminal reaches.
    const demo = spawn('npm', ['run', 'demo'], {
      cwd: REPOSITORY,
      env: cleanEnv({ TMPDIR: temp }),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    for (const stream of [demo.stdout, demo.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const closed = once(demo, 'close');
    await until(
      `the demonstration is in step ${step}`,
      () => {
        if (demo.exitCode !== null) throw new Error(`it ended with ${demo.exitCode}: ${output}`);
        return output.includes(step) || undefined;
      },
      120_000,
    );
    process.kill(-(demo.pid as number), 'SIGINT');
    await closed;
    expect(demo.exitCode).not.toBe(0);
    expect(output).toContain('interrupted: ending every process');
    // npm may end before what it ran.
    await until('every process is gone', () => !processesNaming(temp) || undefined, 60_000);
    await until('every file is gone', () => {
      return !readdirSync(temp).some((name) => name.startsWith('nautilus-')) || undefined;
    });
  });
});

function processesNaming(path: string): boolean {
  return execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).includes(`${path}/nautilus-`);
}
