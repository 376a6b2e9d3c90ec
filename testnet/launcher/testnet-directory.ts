/**
 * The directory of a testnet: `testnet.json` (what it is, and that it is up), and for each node `node-N.json` (its process), `node-N.log` and
 * `node-N/` (its data directory). A file per node, so that two shells that restart two nodes never write the same file. A process is
 * written down in the same turn in which it is started: whatever happens to the starter, `down` finds it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { NautilusError } from '../../src/core/index.ts';
import { processToken } from './process-token.ts';

/** A process that can be signalled without hitting a stranger. */
export interface KnownProcess {
  readonly pid: number;
  readonly token: string;
}

export interface TestnetDescription {
  readonly network: string;
  /** Storing nodes; node 0 is not counted. */
  readonly nodes: number;
  readonly inProcess: boolean;
  readonly storage: readonly string[];
  /** Whoever runs `testnet up`; undefined once it detached. */
  readonly supervisor: KnownProcess | undefined;
}

export interface NodeEntry {
  readonly n: number;
  readonly process: KnownProcess;
  /** Empty until the node was ready once. */
  readonly peerId: string;
  readonly addresses: readonly string[];
}

/** Every name in the directory but `testnet.json`: data directories, logs, process files and their drafts. */
const OURS = /^(?:node-\d+(?:\.log|\.json(?:\.\d+)?)?|testnet\.json\.\d+)$/;

export function isAlive({ pid, token }: KnownProcess): boolean {
  return processToken(pid) === token;
}

export class TestnetDirectory {
  readonly path: string;
  /** Whether the verbs find it without being told. */
  readonly isDefault: boolean;

  constructor(path?: string) {
    const usual = join(homedir(), '.nautilus', 'testnet');
    this.path = resolve(path ?? usual);
    this.isDefault = this.path === usual;
  }

  dataDir(n: number): string {
    return join(this.path, `node-${n}`);
  }

  logFile(n: number): string {
    return join(this.path, `node-${n}.log`);
  }

  /** Whether a testnet is here, up or what is left of one. */
  exists(): boolean {
    return existsSync(this.#file('testnet.json'));
  }

  /** @throws NautilusError `NODE_UNREACHABLE` when no testnet is here */
  describe(): TestnetDescription {
    const description = this.#read<TestnetDescription>('testnet.json');
    if (description !== undefined) return description;
    throw new NautilusError(
      'NODE_UNREACHABLE',
      `no testnet is up in ${this.path}: start one with "nautilus testnet up", or name its directory with --dir`,
    );
  }

  /**
   * Takes the directory for a new testnet. What is left of one whose processes are all gone is removed; anything else is left alone.
   * @throws NautilusError `DATA_DIR_IN_USE` when one is up here, `DATA_DIR_UNUSABLE`
   */
  claim(description: TestnetDescription): void {
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      if (this.isUp()) this.#refuse();
      if (this.exists()) this.remove();
      if (readdirSync(this.path).length > 0) {
        const message = `${this.path} holds other files, and a testnet removes what is in its directory: choose an empty --dir`;
        throw new NautilusError('DATA_DIR_UNUSABLE', message);
      }
      writeFileSync(this.#file('testnet.json'), JSON.stringify(description), { flag: 'wx' });
    } catch (cause) {
      if (cause instanceof NautilusError) throw cause;
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST' && this.exists()) this.#refuse();
      throw new NautilusError('DATA_DIR_UNUSABLE', `${this.path}: ${(cause as Error).message}; choose another --dir`, {
        cause,
      });
    }
  }

  /** Whether a process of a testnet in this directory lives, or `up` is about to start some. */
  isUp(): boolean {
    const description = this.#read<TestnetDescription>('testnet.json');
    if (description === undefined) return false;
    const supervised = description.supervisor !== undefined && isAlive(description.supervisor);
    return supervised || this.entries().some((entry) => isAlive(entry.process));
  }

  update(description: TestnetDescription): void {
    this.#write('testnet.json', description);
  }

  /** The nodes that were started, by number. */
  entries(): readonly NodeEntry[] {
    const description = this.#read<TestnetDescription>('testnet.json');
    if (description === undefined) return [];
    const numbers = Array.from({ length: description.nodes + 1 }, (_, n) => n);
    return numbers.map((n) => this.#read<NodeEntry>(`node-${n}.json`)).filter((entry) => entry !== undefined);
  }

  /** @throws NautilusError `USAGE` when there is no node of that number */
  entry(n: number): NodeEntry {
    const { nodes } = this.describe();
    const entry = Number.isInteger(n) && n >= 0 && n <= nodes ? this.#read<NodeEntry>(`node-${n}.json`) : undefined;
    if (entry !== undefined) return entry;
    throw new NautilusError('USAGE', `there is no node ${n}: this testnet has the nodes 0 (bootstrap) to ${nodes}`);
  }

  record(entry: NodeEntry): void {
    this.#write(`node-${entry.n}.json`, entry);
  }

  /** Removes the testnet's files; the directory itself stays. For when its processes are gone. */
  remove(): void {
    for (const name of readdirSync(this.path).filter((name) => OURS.test(name))) {
      rmSync(this.#file(name), { recursive: true, force: true });
    }
    // Last: until then the next testnet here can still see whose the rest is.
    rmSync(this.#file('testnet.json'), { force: true });
  }

  #refuse(): never {
    throw new NautilusError(
      'DATA_DIR_IN_USE',
      `a testnet is up in ${this.path}: end it with "nautilus testnet down --dir ${this.path}", or choose another --dir`,
    );
  }

  #file(name: string): string {
    return join(this.path, name);
  }

  #read<T>(name: string): T | undefined {
    let text: string;
    try {
      text = readFileSync(this.#file(name), 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw new NautilusError('DATA_DIR_UNUSABLE', `${this.#file(name)}: ${message}`, { cause: error });
    }
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new NautilusError(
        'DATA_DIR_UNUSABLE',
        `${this.#file(name)} is damaged: remove it, then look for processes of it`,
        { cause },
      );
    }
  }

  /** By renaming, so that another shell reads the old one or the new one. */
  #write(name: string, content: object): void {
    const path = this.#file(name);
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(content));
    renameSync(draft, path);
  }
}
