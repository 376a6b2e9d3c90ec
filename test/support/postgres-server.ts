/**
 * A PostgreSQL server of its own for one test file: in a temporary directory, on a free port of 127.0.0.1, gone when the tests are over, also
 * when they fail. The server refuses to be root: then it runs as the user postgres that its package made.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const INSTALL_HINT = 'PostgreSQL is missing: apt-get install postgresql (its service is not needed)';
/** The server's first start and its last steps, on a machine that does something else. */
const PATIENCE_MS = 60_000;

/** Why the tests cannot run here; undefined: they can. In CI that is a failure. */
export function missingPostgres(): string | undefined {
  if (binaries() !== undefined) return undefined;
  if (process.env.CI) throw new Error(INSTALL_HINT);
  return INSTALL_HINT;
}

export interface PostgresServer {
  readonly port: number;
  /** The process that listens; each connection has a child of it. */
  readonly pid: number;
  /** Directory of its unix socket and of its data (`data`). */
  readonly directory: string;
  /** The server trusts everybody but the members of `guarded`, who need a password. @param account `user` or `user:password` */
  url(account?: string, database?: string): string;
  /** A client of the test's own, for what somebody else does meanwhile. */
  connect(): Promise<pg.Client>;
  /** As the superuser, over a connection of its own. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  /** Processes that serve the storages under test, the oldest first. @param lastQuery a pattern of LIKE */
  backends(lastQuery?: string): Promise<readonly number[]>;
  /** The server and all its children. */
  family(): readonly number[];
  /** All processes at once, as a power cut would. */
  kill(): Promise<void>;
  /** Tells the sessions to end and waits. */
  shutDown(): Promise<void>;
  /** Again on the same port, with these settings over those of before. */
  start(settings?: Readonly<Record<string, string>>): Promise<void>;
  /** Ends it, by its own hand so that it leaves no shared memory behind, and removes its files. */
  dispose(): Promise<void>;
}

const HOST_BASED_AUTHENTICATION = 'host all +guarded all scram-sha-256\nhost all all all trust\nlocal all all trust\n';

export async function startPostgresServer(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), 'nautilus-pg-'));
  const data = join(directory, 'data');
  if (isRoot()) execFileSync('chown', ['postgres:', directory]);
  run('initdb', [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--no-locale',
    '--no-sync',
    '--no-instructions',
  ]);
  writeFileSync(join(data, 'pg_hba.conf'), HOST_BASED_AUTHENTICATION);
  const server = new Server(directory, await freePort());
  try {
    await server.start(settings);
  } catch (error) {
    await server.dispose();
    throw error;
  }
  return server;
}

class Server implements PostgresServer {
  readonly directory: string;
  readonly port: number;
  #process: ChildProcess | undefined;
  #log = '';

  constructor(directory: string, port: number) {
    this.directory = directory;
    this.port = port;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  url(account = 'postgres', database = 'postgres'): string {
    return `postgres://${account}@127.0.0.1:${this.port}/${database}`;
  }

  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url(), application_name: 'test' });
    await client.connect();
    return client;
  }

  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const all = {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: this.directory,
      max_connections: '50',
      shared_buffers: '16MB',
      // Among its files: what is killed leaves nothing behind that is not removed with them.
      dynamic_shared_memory_type: 'mmap',
      // Starting after a crash does not sync file by file: the machine did not crash.
      recovery_init_sync_method: 'syncfs',
      ...settings,
    };
    const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [command, ...rest] = asUser('postgres', ['-D', join(this.directory, 'data'), ...args]);
    const started = spawn(command!, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = started;
    this.#log = '';
    started.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
    });
    await until(
      'PostgreSQL is ready',
      () => {
        if (started.exitCode !== null) throw new Error(`PostgreSQL ended with ${started.exitCode}: ${this.#log}`);
        return this.#log.includes('ready to accept') || undefined;
      },
      PATIENCE_MS,
    );
  }

  async query(text: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
    const client = await this.connect();
    try {
      return (await client.query(text, [...values])).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  async backends(lastQuery = '%'): Promise<readonly number[]> {
    const rows = await this.query(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'nautilus' AND query LIKE $1 ORDER BY backend_start`,
      [lastQuery],
    );
    return rows.map(({ pid }) => Number(pid));
  }

  family(): readonly number[] {
    return [this.pid, ...childrenOf(this.pid)];
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async shutDown(): Promise<void> {
    await this.#end('SIGINT');
  }

  async dispose(): Promise<void> {
    if (this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null)
      await this.#end('SIGQUIT');
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #end(signal: 'SIGKILL' | 'SIGINT' | 'SIGQUIT'): Promise<void> {
    const family = this.family();
    const exited = new Promise((resolve) => this.#process!.once('exit', resolve));
    // A test that was cut short may have stopped them.
    if (signal === 'SIGQUIT') send(family, 'SIGCONT');
    send(signal === 'SIGKILL' ? family : [this.pid], signal);
    await exited;
    // What is left of its children would keep the next one from starting.
    await until('its children are gone', () => !family.some(isAlive) || undefined, PATIENCE_MS);
  }
}

function send(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone between the look and the kill.
    }
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Where initdb and postgres are: Debian keeps them out of PATH. */
function binaries(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const directories = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(':'),
  ];
  return directories.find(
    (directory) => existsSync(join(directory, 'initdb')) && existsSync(join(directory, 'postgres')),
  );
}

/** Ends with us, whatever becomes of us. */
function asUser(program: string, args: readonly string[]): readonly string[] {
  const user = isRoot() ? ['--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
  return ['setpriv', ...user, '--pdeathsig=KILL', join(binaries()!, program), ...args];
}

function run(program: string, args: readonly string[]): void {
  const [command, ...rest] = asUser(program, args);
  execFileSync(command!, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // No such process.
    return false;
  }
}
