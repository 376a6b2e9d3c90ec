/** Mistakes and questions that need no node. */
import { describe, expect, it } from 'vitest';
import { nautilus } from '../../support/nautilus-bin.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();

/** One line, from us, and nothing on stdout. */
function expectOneLine({ stdout, stderr }: { stdout: string; stderr: string }): void {
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^nautilus: [^\n]+\n$/);
}

describe('nautilus', () => {
  it('alone shows the three uses with examples', async () => {
    const { code, stdout, stderr } = await nautilus([]);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    for (const example of ['nautilus start', 'nautilus put svc/web', 'nautilus get svc/web', 'nautilus testnet up']) {
      expect(stdout).toContain(example);
    }
  });

  it('--help lists every verb', async () => {
    const { code, stdout } = await nautilus(['--help']);
    expect(code).toBe(0);
    const verbs = 'put get delete list peers ping lookup status id start bootstrap stop storage testnet'.split(' ');
    for (const verb of verbs) expect(stdout).toMatch(new RegExp(`^  ${verb}\\b`, 'm'));
  });

  it('VERB --help shows its flags and the global ones', async () => {
    const { code, stdout } = await nautilus(['put', '--help']);
    expect(code).toBe(0);
    for (const flag of ['--file', '--ttl', '--quorum', '--strict', '--batch', '--json', '--data-dir']) {
      expect(stdout).toContain(flag);
    }
  });

  it('--version is that of the package', async () => {
    expect(await nautilus(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });
});

describe('a mistake', () => {
  it.each([
    ['an unknown flag, with a suggestion', ['put', 'k', 'v', '--tll', '1h'], /--tll.*Did you mean --ttl/],
    ['a flag of another verb', ['status', '--ttl', '1h'], /--ttl/],
    ['an unknown verb, with a suggestion', ['statis'], /statis.*Did you mean status.*nautilus --help/],
    ['a missing argument', ['ping'], /peer.*nautilus ping --help/],
    ['too many arguments', ['put', 'a', 'b', 'c'], /too many arguments/],
    ['a put without a value', ['put', 'k'], /--file/],
    ['a put with two values', ['put', 'k', 'v', '--file', 'x'], /one value/],
    ['a file that is not there', ['put', 'k', '--file', '/nonexistent/x'], /cannot read \/nonexistent\/x/],
    ['a ttl of nothing', ['put', 'k', 'v', '--ttl', '0s'], /ttl.*30s, 15m, 24h or 7d/],
    ['a ttl that is no duration', ['put', 'k', 'v', '--ttl', 'soon'], /ttl "soon"/],
    ['a timeout that is no duration', ['get', 'k', '--timeout', 'soon'], /--timeout soon/],
    ['a key with U+FFFD', ['get', 'a\uFFFD'], /U\+FFFD/],
    ['a value with U+FFFD', ['put', 'k', '\uFFFD'], /--file/],
    ['--raw with --json', ['get', 'k', '--raw', '--json'], /--raw/],
    ['a testnet of none', ['testnet', 'up', '-n', '0'], /whole number from 1/],
    ['a run of no scenario', ['testnet', 'run'], /scenario/],
    ['a run of an unknown scenario', ['testnet', 'run', 'chrun'], /"chrun": use churn, .*path of a file/],
    [
      'a run of more processes than a machine has room for',
      ['testnet', 'run', 'churn'],
      /100 nodes.*at most 64.*--nodes/,
    ],
    ['a run of no nodes', ['testnet', 'run', 'churn', '-n', '0'], /whole number from 1 to 64/],
    ['a run at no speed', ['testnet', 'run', 'churn', '--speed', '0'], /number over 0/],
    ['a simulation without connections', ['sim', '--max-connections', '0'], /whole number from 1 to/],
    ['a run for no time', ['testnet', 'run', 'churn', '--for', '1'], /duration such as 60s/],
    ['an empty data directory', ['status', '--data-dir', ''], /--data-dir is empty/],
  ])('%s is exit 2 and one line', async (_what, args, message) => {
    const { code, stdout, stderr } = await nautilus(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    if (args.includes('--json')) expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'USAGE' } });
    else expectOneLine({ stdout, stderr });
  });

  it('in a value over 64 KiB is found without reading all of it', async () => {
    const fromStdin = await nautilus(['put', 'k', '-'], { input: new Uint8Array(65_537) });
    expect(fromStdin).toMatchObject({ code: 2, stderr: expect.stringContaining('65536 bytes') });
    expect(await nautilus(['put', 'k', '--file', '/dev/zero'])).toMatchObject({ code: 2 });
  });
});

describe('without a node', () => {
  it.each(['put k v', 'get k', 'delete k', 'list', 'peers', 'ping p', 'lookup k', 'status', 'id', 'stop'])(
    '%s is exit 6 and says how to start one',
    async (line) => {
      const dataDir = await directory();
      const finished = await nautilus([...line.split(' '), '--data-dir', dataDir]);
      expect(finished.code).toBe(6);
      expectOneLine(finished);
      expect(finished.stderr).toContain(`nautilus start --data-dir ${dataDir}`);
    },
  );

  it('the data directory comes from the flag, then NAUTILUS_HOME, then the home directory', async () => {
    const env = { NAUTILUS_HOME: '/nonexistent/env', HOME: '/nonexistent/home' };
    expect((await nautilus(['id', '--data-dir', '/nonexistent/flag'], { env })).stderr).toContain('/nonexistent/flag');
    expect((await nautilus(['id'], { env })).stderr).toContain('/nonexistent/env');
    expect((await nautilus(['id'])).stderr).toContain('/nonexistent/.nautilus/default');
  });

  it('--json keeps stdout clean and puts the error on stderr as an object', async () => {
    const { code, stdout, stderr } = await nautilus(['--json', 'get', 'k', '--data-dir', await directory()]);
    expect(code).toBe(6);
    expect(stdout).toBe('');
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'NODE_UNREACHABLE' } });
  });
});
