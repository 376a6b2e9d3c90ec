import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLogger, createLogObserver, LOG_LEVELS } from '../../../src/platform/index.ts';
import { RotatingFile } from '../../../src/platform/rotating-file.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const fresh = temporaryDirectory();

function sink(isTTY = false) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

const parse = (lines: string) =>
  lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the log on stderr', () => {
  it('is JSON lines with the names of the levels when nobody watches', async () => {
    const stderr = sink();
    const logger = await createLogger({ level: 'info', stderr });
    logger.log('warn', 'the disk is slow', { path: '/d', ms: 12 });
    expect(stderr.written.length).toBe(1);
    expect(stderr.written[0]).toMatch(/\n$/);
    expect(parse(stderr.written[0]!)).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        path: '/d',
        ms: 12,
        msg: 'the disk is slow',
      },
    ]);
  });

  it('is one line for people on a terminal, unless they asked for JSON', async () => {
    const terminal = sink(true);
    (await createLogger({ level: 'info', stderr: terminal })).log('warn', 'the disk is slow', {
      path: '/d',
      why: 'a b',
    });
    expect(terminal.written).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d warn {2}the disk is slow path=\/d why="a b"\n$/),
    ]);
    const json = sink(true);
    (await createLogger({ level: 'info', stderr: json, json: true })).log('warn', 'the disk is slow');
    expect(parse(json.written.join(''))).toMatchObject([{ level: 'warn' }]);
  });

  it('lets no control character of a peer reach the terminal', async () => {
    const terminal = sink(true);
    const logger = await createLogger({ level: 'info', stderr: terminal });
    logger.log('info', 'evil \u001b[2J\r\nname\u202e', { key: '\u001b]0;owned\u0007', list: ['\u009b1m'] });
    const [line] = terminal.written;
    expect(terminal.written.length).toBe(1);
    expect(line?.slice(0, -1)).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(line).toContain('evil \\u001b[2J\\u000d\\u000aname\\u202e');
  });

  it('holds each level and those before it', async () => {
    for (const level of LOG_LEVELS) {
      const stderr = sink();
      const logger = await createLogger({ level, stderr });
      for (const each of LOG_LEVELS) if (each !== 'silent') logger.log(each, each);
      const expected = LOG_LEVELS.slice(1, LOG_LEVELS.indexOf(level) + 1);
      expect(parse(stderr.written.join('')).map((line) => line.msg)).toEqual(expected);
      expect(LOG_LEVELS.slice(1).filter((each) => logger.isEnabled(each))).toEqual(expected);
    }
  });
});

describe('the log file', () => {
  it('gets the same lines as JSON, is appended to, and belongs to its owner alone', async () => {
    const dir = await fresh();
    await mkdir(dir);
    const file = join(dir, 'node.log');
    for (const message of ['first start', 'second start']) {
      const logger = await createLogger({ level: 'info', stderr: sink(true), file });
      logger.log('info', message);
      await logger.close();
    }
    expect(parse(await readFile(file, 'utf8')).map((line) => line.msg)).toEqual(['first start', 'second start']);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('never takes more than twice its limit, and keeps the newest lines', async () => {
    const dir = await fresh();
    await mkdir(dir);
    const file = join(dir, 'node.log');
    const log = new RotatingFile(file, { maxBytes: 1_000, describeLoss: String });
    for (let i = 0; i < 500; i++) {
      log.write(`line ${String(i).padStart(4, '0')} ${'.'.repeat(30)}\n`);
      if (i % 5 === 0) await log.close();
    }
    await log.close();
    const [older, newer] = [await readFile(`${file}.1`, 'utf8'), await readFile(file, 'utf8')];
    expect(older.length).toBeLessThanOrEqual(1_000);
    expect(newer.length).toBeLessThanOrEqual(1_000);
    const numbers = (older + newer).match(/\d{4}/g)?.map(Number) ?? [];
    expect(numbers).toEqual(Array.from(numbers, (_, i) => 500 - numbers.length + i));
  });

  it('tells of lines it had to lose once it can be written again', async () => {
    const dir = await fresh();
    const log = new RotatingFile(join(dir, 'node.log'), { describeLoss: (lines) => `lost ${lines}\n` });
    log.write('one\n');
    log.write('two\n');
    await log.close(); // the directory does not exist
    await mkdir(dir);
    log.write('three\n');
    await log.close();
    expect(await readFile(join(dir, 'node.log'), 'utf8')).toBe('lost 2\nthree\n');
  });

  it('loses lines rather than memory when they come faster than the disk takes them', async () => {
    const dir = await fresh();
    await mkdir(dir);
    const log = new RotatingFile(join(dir, 'node.log'), { describeLoss: (lines) => `lost ${lines}\n` });
    const line = `${'x'.repeat(1_023)}\n`;
    for (let i = 0; i < 3_000; i++) log.write(line); // 3 MB in one turn; 1 MiB is the bound
    await log.close();
    expect((await stat(join(dir, 'node.log'))).size).toBe(1_024 * 1_024 + 'lost 1976\n'.length);
  });

  it('goes on in a new file when somebody removed the old one and it was closed', async () => {
    const dir = await fresh();
    await mkdir(dir);
    const log = new RotatingFile(join(dir, 'node.log'), { describeLoss: String });
    log.write('one\n');
    await log.close();
    await rm(join(dir, 'node.log'));
    log.write('two\n');
    await log.close();
    expect(await readFile(join(dir, 'node.log'), 'utf8')).toBe('two\n');
  });
});

describe('the observer that logs', () => {
  async function observe(level: 'info' | 'trace') {
    const stderr = sink();
    const clock = new ManualClock();
    const observer = createLogObserver(await createLogger({ level, stderr }), clock);
    return { clock, observer, lines: () => parse(stderr.written.join('')) };
  }

  it('writes the fields of the event beside its message', async () => {
    const { observer, lines } = await observe('info');
    observer.notify({ type: 'peer-misbehaved', nodeId: 'ab', reason: 'frame too long' });
    observer.notify({ type: 'bootstrap-progress', source: '--bootstrap', message: 'no peer answered' });
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 'warn',
        nodeId: 'ab',
        reason: 'frame too long',
        msg: 'a peer broke the protocol',
      }),
      expect.objectContaining({ level: 'info', source: '--bootstrap', msg: 'no peer answered' }),
    ]);
    expect(lines()[1]).not.toHaveProperty('message');
  });

  it('rations each kind by itself, says how many it kept back, and starts anew afterwards', async () => {
    const { clock, observer, lines } = await observe('info');
    const misbehave = (reason: string) => observer.notify({ type: 'peer-misbehaved', nodeId: 'ab', reason });
    for (let i = 0; i < 1_000; i++) misbehave('noise');
    misbehave('rare');
    expect(lines().filter((line) => line.reason === 'noise').length).toBe(10);
    expect(lines().filter((line) => line.reason === 'rare').length).toBe(1);
    await clock.advance(10_000);
    expect(lines().at(-1)).toMatchObject({ msg: 'a peer broke the protocol: 990 more like it in 10 s' });
    expect(clock.pendingTimers).toBe(0);
    misbehave('noise');
    expect(lines().at(-1)).toMatchObject({ reason: 'noise' });
  });

  it('keeps its ration book short when reasons never repeat', async () => {
    const { clock, observer, lines } = await observe('info');
    for (let i = 0; i < 5_000; i++) observer.notify({ type: 'warning', code: `code ${i}`, message: 'w' });
    expect(clock.pendingTimers).toBeLessThanOrEqual(257);
    expect(lines().length).toBeLessThanOrEqual(266);
  });

  it('writes everything, unrationed, for who asked for it', async () => {
    const { observer, lines } = await observe('trace');
    for (let i = 0; i < 100; i++) observer.notify({ type: 'request-sent', request: 'PING' });
    expect(lines().length).toBe(100);
  });
});
