/**
 * Real, throw-away redis-servers: a free port on loopback, a temporary directory, gone when the tests of the file are over, however they end.
 * A server keeps its port and directory over `kill` and `start`, as one on its own machine would.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll } from 'vitest';
import { freePort } from './free-port.ts';
import { QUICK_DIRECTORY } from './quick-directory.ts';

/** Every write is on the disk before it is answered. */
export const DURABLE: readonly string[] = ['--appendonly', 'yes', '--appendfsync', 'always'];

const HOW_TO_GET_IT = 'redis-server is missing: apt-get install redis-server (its service need not run)';
/** Several tests may look for a free port at the same time. */
const MAX_ATTEMPTS = 10;

export interface RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
  readonly directory: string;
  /** Of the running process. */
  readonly pid: number;
  /** Again, after `stop` or `kill`, with other options if given. Resolves when it is `ready`, or already when it `listens`: then it may load. */
  start(options?: readonly string[], until?: 'ready' | 'listens'): Promise<void>;
  /** As an administrator would; resolves when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay, the kernel even takes new ones, nothing is answered. */
  pause(): void;
  resume(): void;
}

/** Why tests on a real server cannot run here; undefined when they can. In CI they have to. */
export function redisMissing(): string | undefined {
  const { error } = spawnSync('redis-server', ['--version'], { stdio: 'ignore' });
  if (error === undefined) return undefined;
  if (process.env.CI !== undefined) throw new Error(HOW_TO_GET_IT);
  return HOW_TO_GET_IT;
}

/** @returns starts servers for the test file that calls it; without options they keep nothing */
export function redisServers(): (options?: readonly string[]) => Promise<RedisServer> {
  const servers: ThrowAwayServer[] = [];
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.remove()));
  });
  return async (options = []) => {
    const server = new ThrowAwayServer(await mkdtemp(join(QUICK_DIRECTORY, 'nautilus-redis-')));
    servers.push(server);
    await server.start(options);
    return server;
  };
}

/** Those that a test process which ends early would leave behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

class ThrowAwayServer implements RedisServer {
  readonly directory: string;
  #port = 0;
  #options: readonly string[] = [];
  #child: ChildProcess | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the server is not running');
    return pid;
  }

  async start(options = this.#options, until: 'ready' | 'listens' = 'ready'): Promise<void> {
    this.#options = options;
    const isFirst = this.#port === 0;
    for (let attempt = 1; ; attempt++) {
      if (isFirst) this.#port = await freePort();
      const log = await this.#run(until === 'ready' ? 'Ready to accept connections' : 'Server initialized');
      if (log === undefined) return;
      if (!isFirst || attempt === MAX_ATTEMPTS || !log.includes('Address already in use'))
        throw new Error(`redis-server did not start:\n${log}`);
    }
  }

  async stop(): Promise<void> {
    this.resume();
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Undefined once it logs `sign`; its log when it ended before. */
  async #run(sign: string): Promise<string | undefined> {
    const port = this.#options.includes('--tls-port') ? '0' : String(this.#port);
    const fixed = ['--bind', '127.0.0.1', '--port', port, '--dir', this.directory, '--daemonize', 'no', '--save', ''];
    const options = this.#options.map((option) => option.replace('PORT', String(this.#port)));
    const child = spawn('redis-server', [...fixed, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    running.add(child);
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (line.includes(sign)) {
        child.stdout.resume();
        return undefined;
      }
    }
    return lines.join('\n');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    running.delete(child);
  }
}
