import { describe, expect, it } from 'vitest';
import {
  loadScenario,
  parseCommand,
  parseScenario,
  plannedMs,
  resizeScenario,
  scenarioNames,
} from '../../../testnet/scenarios/index.ts';

const parse = (line: string) => {
  const { line: _line, text: _text, ...body } = parseCommand(line, 1, 'test')!;
  return body;
};
const errorOf = (text: string): string => {
  try {
    parseScenario(text, 'my.scenario');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`"${text}" was understood`);
};

describe('the scenario language', () => {
  it('reads every command', () => {
    expect(parse('nodes 16')).toEqual({ verb: 'nodes', count: 16, isRecordless: false });
    expect(parse('nodes 16 recordless')).toEqual({ verb: 'nodes', count: 16, isRecordless: true });
    expect(parse('latency wide-area')).toEqual({ verb: 'latency', latency: { kind: 'wide-area' } });
    expect(parse('latency constant 20')).toEqual({ verb: 'latency', latency: { kind: 'constant', ms: 20 } });
    expect(parse('latency normal 40 10')).toEqual({
      verb: 'latency',
      latency: { kind: 'normal', meanMs: 40, deviationMs: 10 },
    });
    expect(parse('loss 1%')).toEqual({ verb: 'loss', share: 0.01 });
    const day = 86_400_000;
    expect(parse('put 10/node size=64 ttl=2h')).toEqual({
      verb: 'put-many',
      count: 10,
      isPerNode: true,
      sizeBytes: 64,
      ttlMs: day / 12,
    });
    expect(parse('put svc/web v1 from=3')).toEqual({ verb: 'put', key: 'svc/web', value: 'v1', from: 3, ttlMs: day });
    expect(parse('get svc/web')).toEqual({ verb: 'get', key: 'svc/web', from: undefined });
    expect(parse('delete svc/web from=0')).toEqual({ verb: 'delete', key: 'svc/web', from: 0 });
    expect(parse('load gets=2/s puts=0.5/s for=60s')).toEqual({
      verb: 'load',
      getsPerSecond: 2,
      putsPerSecond: 0.5,
      forMs: 60_000,
    });
    expect(parse('lookups 5')).toEqual({ verb: 'lookups', count: 5 });
    expect(parse('join 4')).toEqual({ verb: 'join', count: 4 });
    expect(parse('leave 3')).toEqual({ verb: 'leave', nodes: { kind: 'numbers', numbers: [3] } });
    expect(parse('kill 1,4-6 silent')).toEqual({
      verb: 'kill',
      nodes: { kind: 'numbers', numbers: [1, 4, 5, 6] },
      isSilent: true,
    });
    expect(parse('pause random 3')).toEqual({ verb: 'pause', nodes: { kind: 'random', count: 3 } });
    expect(parse('resume all')).toEqual({ verb: 'resume', nodes: { kind: 'all' } });
    expect(parse('restart half wiped')).toEqual({ verb: 'restart', nodes: { kind: 'half' }, isWiped: true });
    expect(parse('roll all every=1m wiped')).toEqual({
      verb: 'roll',
      nodes: { kind: 'all' },
      everyMs: 60_000,
      isWiped: true,
    });
    expect(parse('flap 2 every=10s for=5m')).toMatchObject({ verb: 'flap', everyMs: 10_000, forMs: 300_000 });
    expect(parse('partition 0-1 | 2,3')).toEqual({
      verb: 'partition',
      groups: [
        [0, 1],
        [2, 3],
      ],
      isOneWay: false,
    });
    expect(parse('partition 0 -> 1')).toEqual({ verb: 'partition', groups: [[0], [1]], isOneWay: true });
    expect(parse('partition half | half')).toEqual({ verb: 'partition', groups: ['half', 'half'], isOneWay: false });
    expect(parse('heal')).toEqual({ verb: 'heal' });
    expect(parse('churn for=24h')).toEqual({
      verb: 'churn',
      medianMs: 7_200_000,
      shape: 0.5,
      awayMs: 600_000,
      graceful: 0,
      silent: 0,
      wiped: 0,
      forMs: day,
    });
    expect(parse('skew 4 -5s')).toMatchObject({ verb: 'skew', skewMs: -5_000 });
    expect(parse('wait')).toEqual({ verb: 'wait', ms: undefined });
    expect(parse('wait 30s')).toEqual({ verb: 'wait', ms: 30_000 });
    expect(parse('assert lost 0')).toEqual({ verb: 'assert', figure: 'lost', comparison: '=', limit: 0 });
    expect(parse('assert gets >= 99.9%')).toMatchObject({ figure: 'gets', comparison: '>=', limit: 0.999 });
    expect(parse('assert p99 < 3s')).toMatchObject({ figure: 'p99', comparison: '<', limit: 3_000 });
    expect(parse('assert found svc/web v2')).toEqual({ verb: 'assert-found', key: 'svc/web', value: 'v2' });
    expect(parse('assert absent svc/web')).toEqual({ verb: 'assert-absent', key: 'svc/web' });
  });

  it('passes over comments and empty lines, and remembers where a command stood', () => {
    const commands = parseScenario('# first\n\n  nodes 2 # two\nput a#b v\n', 'x');
    expect(commands.map(({ line, text }) => [line, text])).toEqual([
      [3, 'nodes 2'],
      [4, 'put a#b v'],
    ]);
  });

  it.each([
    ['nodes 2\nfly 3', /^my\.scenario:2: "fly" is no command: use nodes, latency, .*assert$/],
    [
      'nodes 2.5',
      /^my\.scenario:1: "2\.5" is not a number of nodes \(a whole number from 1 to 1000000\): nodes COUNT \[recordless\]$/,
    ],
    ['nodes 0', /from 1 to/],
    ['nodes', /how many is missing: nodes COUNT \[recordless\]$/],
    ['nodes 2 3', /"3" is not understood/],
    ['nodes 2\nloss 5', /"5" is not the share of frames that vanish \(a share such as 1% or 99\.9%\)/],
    ['nodes 2\nloss 101%', /a number from 0 to 100/],
    ['nodes 2\nload gets=2 for=1m', /"2" is not a rate of gets/],
    ['nodes 2\nload gets=2/s', /for=, how long, is missing/],
    ['nodes 2\nput k v fro=1', /"fro=" is not understood/],
    ['nodes 2\nput k v from=1 from=2', /"from=" is there twice/],
    ['nodes 2\nkill 5-3', /"5-3" is no node set/],
    ['nodes 2\nkill 1,1', /names a node twice/],
    ['nodes 2\npartition 0', /a second group is missing/],
    ['nodes 2\npartition 0 | half', /half stands beside half alone/],
    ['nodes 2\npartition 0 -> 1 -> 2', /-> stands between two groups/],
    ['nodes 2\nchurn graceful=70% silent=40% for=1h', /graceful and silent add up to more than 100%/],
    ['nodes 2\nwait soon', /"soon" is not a time \(a duration such as/],
    ['nodes 2\nassert luck 1', /"luck" cannot be asserted/],
    ['put k v', /^my\.scenario:1: the first command must be "nodes COUNT"$/],
    ['', /the first command must be/],
    ['nodes 2\nnodes 3', /^my\.scenario:2: the nodes run already/],
    [
      'nodes 2 recordless\nlookups 5\nput k v',
      /^my\.scenario:3: recordless nodes .* "put k v" .* leave recordless out$/,
    ],
  ])('answers %j with one line that says what is allowed', (text, message) => {
    expect(errorOf(text)).toMatch(message);
    expect(errorOf(text)).not.toContain('\n');
  });

  it('makes a scenario larger and longer, and knows how long it takes', () => {
    const commands = parseScenario('nodes 2\nload gets=1/s for=1m\nwait 10s\nwait\nchurn for=1h\n', 'x');
    expect(plannedMs(commands)).toBe(60_000 + 3_600_000);
    const resized = resizeScenario(commands, { nodes: 7, forMs: 120_000 });
    expect(resized[0]).toMatchObject({ count: 7 });
    expect(plannedMs(resized)).toBe(240_000);
    expect(resized[1]!.text).toBe('load gets=1/s for=2m');
    const [recordless] = resizeScenario(parseScenario('nodes 2 recordless', 'x'), { nodes: 7 });
    expect(recordless).toMatchObject({ text: 'nodes 7 recordless', isRecordless: true });
  });

  it('makes a scenario faster: all durations, no rates, and says so in its lines', () => {
    const lines = [
      'nodes 2',
      'wait 5m',
      'churn median=2h shape=0.5 away=10m for=2h',
      'load gets=2/s for=2h',
      'roll all every=1m',
      'flap 1 every=10s for=5m',
      'wait',
      'kill 1',
    ];
    const texts = (size: object) => resizeScenario(parseScenario(lines.join('\n'), 'x'), size).map(({ text }) => text);
    expect(texts({ speed: 240 })).toEqual([
      'nodes 2',
      'wait 1250ms',
      'churn median=30s shape=0.5 away=2500ms for=30s',
      'load gets=2/s for=30s',
      'roll all every=250ms',
      'flap 1 every=42ms for=1250ms',
      'wait',
      'kill 1',
    ]);
    expect(texts({ speed: 240, forMs: 60_000 })[2]).toBe('churn median=30s shape=0.5 away=2500ms for=1m');
    expect(texts({})).toEqual(lines);
    const [, churn] = resizeScenario(parseScenario('nodes 2\nchurn for=4h', 'x'), { speed: 2 });
    expect(churn!.text).toBe('churn for=2h median=1h away=5m');
  });
});

describe('the scenarios that come with Nautilus', () => {
  it('are all understood', () => {
    expect(scenarioNames()).toEqual([
      'churn',
      'flapping',
      'growth',
      'half-killed',
      'lookups',
      'partition',
      'rolling-restart',
      'steady',
    ]);
    for (const name of scenarioNames()) expect(loadScenario(name).commands[1]!.verb).toBe('nodes');
  });

  it('are found by name, others by path, and neither with a line that says what there is', () => {
    expect(() => loadScenario('chrun')).toThrow(
      /^there is no scenario "chrun": use churn, flapping, .*path of a file$/,
    );
    expect(() => loadScenario('./none.scenario')).toThrow(/^the scenario cannot be read: ENOENT/);
  });
});
