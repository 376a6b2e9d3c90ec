/** Scenarios on real processes: everything the language can do to them, the churn of a minute, and that nothing is left behind. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { spawnNautilus } from '../support/cli.ts';
import { directoryIn, expectChurnSurvived, leftOf, runOnProcesses } from '../support/scenario-processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const directory = temporaryDirectory();

async function scenario(name: string, ...lines: readonly string[]): Promise<string> {
  const path = await directory(`${name}.scenario`);
  await writeFile(path, lines.join('\n'));
  return path;
}

describe('a scenario on processes', () => {
  it('does to them all that the language can say', { timeout: 240_000 }, async () => {
    const path = await scenario(
      'all',
      'latency constant 5',
      'nodes 4',
      'put a one from=0',
      'pause 1',
      'put a two from=0',
      'resume 1',
      'assert found a two',
      'kill 2 silent',
      'assert found a two',
      'restart 2',
      'leave 3',
      'assert alive 3',
      'restart 3 wiped',
      'join 1',
      'kill 4',
      'restart 4',
      'partition 0,1 | 2-4',
      'heal',
      'partition 0 -> 1',
      'heal',
      'skew 1 30s',
      'put b three from=1',
      'assert found b three',
      'delete b from=1',
      'loss 5%',
      'lookups 3',
      'load gets=5/s puts=1/s for=2s',
      'wait',
      'loss 0%',
      'assert alive 5',
      'assert found a two',
      'assert lost 0',
    );
    const { code, commands, report, directory: files } = await runOnProcesses([path, '--seed', '5'], 200_000);
    expect(report.failures).toEqual([]);
    expect(code).toBe(0);
    const resultOf = (text: string) => commands.find(({ command }) => command === text)?.result;
    expect(resultOf('kill 2 silent')).toBe('killed: 2');
    expect(resultOf('restart 3 wiped')).toBe('back: 3');
    // Who was cut off a moment ago may not know everybody again.
    expect(resultOf('put b three from=1')).toMatch(/^stored \(3 of [45] wanted\)/);
    expect(resultOf('partition 0 -> 1')).toBe('cut one way');
    expect(leftOf(files)).toEqual([]);
  });

  it('is cut off from half of its holders by a partition, and says so rather than "not found"', {
    timeout: 180_000,
  }, async () => {
    const path = await scenario(
      'cut',
      'nodes 3',
      'put a one from=0',
      'partition 0 | 1,2',
      'get a from=0',
      'put a two from=0',
      'put a three from=1',
      'heal',
      'get a from=1',
    );
    const { commands } = await runOnProcesses([path, '--seed', '5'], 150_000);
    const results = commands.map(({ result }) => result);
    expect(results.slice(3, 6)).toEqual([
      expect.stringMatching(/^one \(partial\)|^QUORUM_NOT_REACHED/),
      expect.stringMatching(/^QUORUM_NOT_REACHED/),
      expect.stringMatching(/^stored \(2 of [23] wanted\)|^QUORUM_NOT_REACHED/),
    ]);
    expect(results[7]).not.toMatch(/^NOT_FOUND/);
  });

  it('ends at Ctrl-C, even while its nodes start, and leaves nothing', { timeout: 60_000 }, async () => {
    const child = spawnNautilus(['testnet', 'run', 'churn', '-n', '8']);
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = once(child, 'close');
    const files = await until('a node has started', () => {
      const path = directoryIn(stderr);
      return path !== '' && leftOf(path).length > 1 ? path : undefined;
    });
    child.kill('SIGINT');
    expect((await ended)[0]).toBe(1);
    expect(stderr).toMatch(/nautilus: interrupted\n$/);
    expect(leftOf(files)).toEqual([]);
  });
});

describe('the churn scenario on 16 processes', () => {
  it('loses nothing in a minute of sessions, and never denies a record that is there', {
    timeout: 400_000,
  }, async () => {
    // A session of 30 s in the median, and this seed: five of the first ones end within 45 s.
    const size = ['churn', '--nodes', '16', '--speed', '240', '--for', '60s', '--seed', '33'];
    const run = await runOnProcesses(size, 380_000);
    expect(run.report.nodes).toBe(16);
    expect(run.report.sessions.ended).toBeGreaterThanOrEqual(3);
    await expectChurnSurvived(run);
  });
});
