/**
 * Scenarios and transcripts are written in one language of lines: a verb, words, `name=value` arguments, `#` comments. SYNTAX below is all of
 * it. Node sets are `3`, `1,4,8-15`, `random 3`, `half` (of those running) and `all`; durations `500ms 30s 5m 2h 1d`; shares `1%`.
 * `load`, `churn`, `roll` and `flap` go on beside the lines that follow; `wait` without a duration waits until they are over.
 */
import { NautilusError } from '../../src/core/index.ts';
import {
  ASSERTED_FIGURES,
  type AssertedFigure,
  type CommandBody,
  type CommandOf,
  type Comparison,
  type ScenarioCommand,
} from './scenario-command.ts';
import { ScenarioLine } from './scenario-line.ts';

/** A scenario is written by hand: longer is a mistake in the path. */
const MAX_LINES = 10_000;
const DEFAULT_TTL_MS = 86_400_000;
const DEFAULT_SIZE_BYTES = 256;
const MAX_SIZE_BYTES = 65_536;
const HOUR_MS = 3_600_000;

/** Nothing comes of them where nobody keeps records. */
const NEEDS_RECORDS: ReadonlySet<CommandBody['verb']> = new Set([
  'put-many',
  'put',
  'get',
  'delete',
  'load',
  'assert-found',
  'assert-absent',
]);

interface Syntax {
  readonly usage: string;
  readonly parse: (line: ScenarioLine) => CommandBody;
}

const SYNTAX: Readonly<Record<string, Syntax>> = {
  nodes: {
    usage: 'nodes COUNT [recordless]',
    parse: (line) => ({
      verb: 'nodes',
      isRecordless: line.flag('recordless'),
      count: line.wholeNumber(line.word('how many'), 'a number of nodes', 1),
    }),
  },
  latency: { usage: 'latency wide-area | constant MS | normal MEAN_MS DEVIATION_MS', parse: parseLatency },
  loss: {
    usage: 'loss SHARE%',
    parse: (line) => ({ verb: 'loss', share: line.share(line.word('the share'), 'the share of frames that vanish') }),
  },
  put: {
    usage: 'put COUNT[/node] [size=256] [ttl=24h] | put KEY VALUE [from=NODE] [ttl=24h]',
    parse: parsePut,
  },
  get: { usage: 'get KEY [from=NODE]', parse: (line) => ({ verb: 'get', ...keyFrom(line) }) },
  delete: { usage: 'delete KEY [from=NODE]', parse: (line) => ({ verb: 'delete', ...keyFrom(line) }) },
  load: {
    usage: 'load [gets=2/s] [puts=0.5/s] for=60s',
    parse: (line) => ({
      verb: 'load',
      getsPerSecond: line.rate(line.named('gets') ?? '0/s', 'a rate of gets'),
      putsPerSecond: line.rate(line.named('puts') ?? '0/s', 'a rate of puts'),
      forMs: line.duration(line.named('for'), 'for=, how long,'),
    }),
  },
  lookups: {
    usage: 'lookups COUNT',
    parse: (line) => ({ verb: 'lookups', count: line.wholeNumber(line.word('how many'), 'a number of lookups', 1) }),
  },
  join: {
    usage: 'join COUNT',
    parse: (line) => ({ verb: 'join', count: line.wholeNumber(line.word('how many'), 'a number of nodes', 1) }),
  },
  leave: { usage: 'leave NODES', parse: (line) => ({ verb: 'leave', nodes: line.nodeSet() }) },
  kill: {
    usage: 'kill NODES [silent]',
    parse: (line) => ({ verb: 'kill', isSilent: line.flag('silent'), nodes: line.nodeSet() }),
  },
  pause: { usage: 'pause NODES', parse: (line) => ({ verb: 'pause', nodes: line.nodeSet() }) },
  resume: { usage: 'resume NODES', parse: (line) => ({ verb: 'resume', nodes: line.nodeSet() }) },
  restart: {
    usage: 'restart NODES [wiped]',
    parse: (line) => ({ verb: 'restart', isWiped: line.flag('wiped'), nodes: line.nodeSet() }),
  },
  roll: {
    usage: 'roll NODES every=1m [wiped]',
    parse: (line) => ({
      verb: 'roll',
      isWiped: line.flag('wiped'),
      nodes: line.nodeSet(),
      everyMs: line.duration(line.named('every'), 'every=, the time between two nodes,'),
    }),
  },
  flap: {
    usage: 'flap NODES every=10s for=5m',
    parse: (line) => ({
      verb: 'flap',
      nodes: line.nodeSet(),
      everyMs: Math.max(2, line.duration(line.named('every'), 'every=, the time of one coming and going,')),
      forMs: line.duration(line.named('for'), 'for=, how long,'),
    }),
  },
  partition: {
    usage: 'partition NODES | NODES … , half | half, or NODES -> NODES (one way is cut)',
    parse: parsePartition,
  },
  heal: { usage: 'heal', parse: () => ({ verb: 'heal' }) },
  churn: {
    usage: 'churn [median=2h] [shape=0.5] [away=10m] [graceful=0%] [silent=0%] [wiped=0%] for=24h',
    parse: parseChurn,
  },
  skew: { usage: 'skew NODES [-]5s', parse: parseSkew },
  wait: {
    usage: 'wait [DURATION]',
    parse: (line) => ({ verb: 'wait', ms: line.wordsLeft === 0 ? undefined : line.duration(line.word(''), 'a time') }),
  },
  assert: {
    usage: `assert found KEY [VALUE] | assert absent KEY | assert ${Object.keys(ASSERTED_FIGURES).join('|')} [= >= <= > <] LIMIT`,
    parse: parseAssert,
  },
};

/** @throws NautilusError `USAGE`: one line that says where, what is wrong and what is allowed. @param name of the file, for errors */
export function parseScenario(text: string, name: string): readonly ScenarioCommand[] {
  const lines = text.split('\n');
  if (lines.length > MAX_LINES) {
    throw new NautilusError('USAGE', `${name} has ${lines.length} lines: a scenario has at most ${MAX_LINES}`);
  }
  const commands = lines.flatMap((line, index) => parseCommand(line, index + 1, name) ?? []);
  checkNodes(commands, name);
  return commands;
}

/** One line; undefined when it says nothing. */
export function parseCommand(lineText: string, line: number, name: string): ScenarioCommand | undefined {
  const text = lineText.replace(/(?:^|\s)#.*$/, '').trim();
  if (text === '') return undefined;
  const [verb = '', ...words] = text.split(/\s+/);
  const syntax = Object.hasOwn(SYNTAX, verb) ? SYNTAX[verb] : undefined;
  if (syntax === undefined) {
    const known = Object.keys(SYNTAX).join(', ');
    throw new NautilusError('USAGE', `${name}:${line}: "${verb}" is no command: use ${known}`);
  }
  const reader = new ScenarioLine(`${name}:${line}`, syntax.usage, words);
  const body = syntax.parse(reader);
  reader.end();
  return { ...body, line, text };
}

/** A network has to be there before anything happens to it, and is started once. */
function checkNodes(commands: readonly ScenarioCommand[], name: string): void {
  const isPreparation = (verb: string) => verb === 'latency' || verb === 'loss';
  const first = commands.find(({ verb }) => !isPreparation(verb));
  if (first?.verb !== 'nodes') {
    throw new NautilusError('USAGE', `${name}:${first?.line ?? 1}: the first command must be "nodes COUNT"`);
  }
  const again = commands.find((command) => command.verb === 'nodes' && command !== first);
  if (again !== undefined) {
    throw new NautilusError('USAGE', `${name}:${again.line}: the nodes run already: use "join COUNT" for more`);
  }
  const homeless = first.isRecordless ? commands.find(({ verb }) => NEEDS_RECORDS.has(verb)) : undefined;
  if (homeless !== undefined) {
    throw new NautilusError(
      'USAGE',
      `${name}:${homeless.line}: recordless nodes have no place for what "${homeless.text}" is about: leave recordless out`,
    );
  }
}

function parseLatency(line: ScenarioLine): CommandBody {
  const kind = line.word('the kind');
  const ms = () => line.number(line.word('how many ms'), 'a latency in ms', 0, 60_000);
  switch (kind) {
    case 'wide-area':
      return { verb: 'latency', latency: { kind } };
    case 'constant':
      return { verb: 'latency', latency: { kind, ms: ms() } };
    case 'normal':
      return { verb: 'latency', latency: { kind, meanMs: ms(), deviationMs: ms() } };
    default:
      throw line.error(`"${kind}" is no kind of latency`);
  }
}

function parsePut(line: ScenarioLine): CommandBody {
  const ttlText = line.named('ttl');
  const ttlMs = ttlText === undefined ? DEFAULT_TTL_MS : line.duration(ttlText, 'a time to live');
  const first = line.word('a number or a key');
  if (line.wordsLeft > 0) {
    return { verb: 'put', key: first, value: line.word('a value'), from: line.node(line.named('from')), ttlMs };
  }
  const isPerNode = first.endsWith('/node');
  const count = line.wholeNumber(isPerNode ? first.slice(0, -5) : first, 'a number of records', 1, 10_000_000);
  const size = line.named('size') ?? String(DEFAULT_SIZE_BYTES);
  const sizeBytes = line.wholeNumber(size, 'a size in bytes', 1, MAX_SIZE_BYTES);
  return { verb: 'put-many', count, isPerNode, sizeBytes, ttlMs };
}

function keyFrom(line: ScenarioLine): { readonly key: string; readonly from: number | undefined } {
  return { key: line.word('the key'), from: line.node(line.named('from')) };
}

function parsePartition(line: ScenarioLine): CommandBody {
  const groups: CommandOf<'partition'>['groups'][number][] = [];
  let separator: string | undefined;
  for (;;) {
    const word = line.word('a group');
    groups.push(word === 'half' ? 'half' : line.numbers(word));
    if (line.wordsLeft === 0) break;
    const next = line.word('a separator');
    if (next !== '|' && next !== '->') throw line.error(`"${next}" is neither | nor ->`);
    if (separator !== undefined && (separator !== next || next === '->'))
      throw line.error('-> stands between two groups');
    separator = next;
  }
  if (groups.length < 2) throw line.error('a second group is missing');
  const halves = groups.filter((group) => group === 'half').length;
  if (halves !== 0 && (halves !== 2 || groups.length !== 2)) throw line.error('half stands beside half alone');
  return { verb: 'partition', groups, isOneWay: separator === '->' };
}

function parseChurn(line: ScenarioLine): CommandBody {
  const graceful = line.share(line.named('graceful') ?? '0%', 'the share that says goodbye');
  const silent = line.share(line.named('silent') ?? '0%', 'the share whose machine goes too');
  if (graceful + silent > 1 + 1e-9) throw line.error('graceful and silent add up to more than 100%');
  return {
    verb: 'churn',
    medianMs: Math.max(1, line.duration(line.named('median') ?? '2h', 'the median session')),
    shape: line.number(line.named('shape') ?? '0.5', 'a Weibull shape', 0.1, 10),
    awayMs: Math.max(1, line.duration(line.named('away') ?? '10m', 'the median absence')),
    graceful,
    silent,
    wiped: line.share(line.named('wiped') ?? '0%', 'the share that loses its disk'),
    forMs: line.duration(line.named('for'), 'for=, how long,'),
  };
}

function parseSkew(line: ScenarioLine): CommandBody {
  const nodes = line.nodeSet();
  const text = line.word('how much');
  const isBehind = text.startsWith('-');
  const ms = line.duration(isBehind ? text.slice(1) : text, 'how far the clock is ahead');
  if (ms > 24 * HOUR_MS) throw line.error('a clock may be wrong by a day');
  return { verb: 'skew', nodes, skewMs: isBehind ? -ms : ms };
}

function parseAssert(line: ScenarioLine): CommandBody {
  const what = line.word('what');
  if (what === 'found') {
    const key = line.word('the key');
    return { verb: 'assert-found', key, value: line.wordsLeft > 0 ? line.word('the value') : undefined };
  }
  if (what === 'absent') return { verb: 'assert-absent', key: line.word('the key') };
  if (!isFigure(what)) throw line.error(`"${what}" cannot be asserted`);
  const next = line.word('the limit');
  const comparison = isComparison(next) ? next : '=';
  const limit = isComparison(next) ? line.word('the limit') : next;
  return { verb: 'assert', figure: what, comparison, limit: parseLimit(line, what, limit) };
}

function parseLimit(line: ScenarioLine, figure: AssertedFigure, text: string): number {
  switch (ASSERTED_FIGURES[figure]) {
    case 'number':
      return line.number(text, 'a number', 0, 1e9);
    case 'share':
      return line.share(text, 'a share');
    case 'duration':
      return line.duration(text, 'a time');
  }
}

function isFigure(text: string): text is AssertedFigure {
  return Object.hasOwn(ASSERTED_FIGURES, text);
}

function isComparison(text: string): text is Comparison {
  return ['=', '>=', '<=', '>', '<'].includes(text);
}
