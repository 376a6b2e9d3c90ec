/** The network of the demonstration, spoken to only as anybody would: by verbs of the CLI with a data directory. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestnetNodeReport, TestnetReport } from '../../testnet/launcher/index.ts';
import type { DemoRecord } from './lockfile-records.ts';
import { type RunOptions, runNautilus } from './run-nautilus.ts';

interface BatchResult {
  readonly key: string | null;
  readonly value?: string;
  readonly error?: { readonly message: string };
}

export class DemoNetwork {
  readonly dir: string;
  readonly #signal: AbortSignal;
  /** By number; 0 is the bootstrap service. */
  #nodes: readonly TestnetNodeReport[] = [];

  constructor(dir: string, signal: AbortSignal) {
    this.dir = dir;
    this.#signal = signal;
  }

  static async create(signal: AbortSignal): Promise<DemoNetwork> {
    return new DemoNetwork(await mkdtemp(join(tmpdir(), 'nautilus-demo-')), signal);
  }

  get nodes(): readonly TestnetNodeReport[] {
    return this.#nodes;
  }

  get #testnetDir(): string {
    return join(this.dir, 'testnet');
  }

  async up(count: number): Promise<void> {
    this.#nodes = await this.#testnet('up', '-n', String(count), '--detach');
  }

  async kill(n: number): Promise<void> {
    await this.#testnet('kill', String(n));
  }

  async restart(n: number): Promise<void> {
    await this.#testnet('restart', String(n));
  }

  /** A verb to node n; the objects it prints. */
  verb<T>(n: number, args: readonly string[], options: RunOptions = {}): Promise<T[]> {
    const { dataDir = '' } = this.#nodes[n] ?? {};
    return runNautilus([...args, '--data-dir', dataDir], { signal: this.#signal, ...options }) as Promise<T[]>;
  }

  /** Keys that were not stored, with the reason. */
  async putBatch(n: number, records: readonly DemoRecord[], onRecord: () => void): Promise<string[]> {
    const file = await this.#write(
      `put-${n}.jsonl`,
      records.map((record) => JSON.stringify(record)),
    );
    const results = await this.verb<BatchResult>(n, ['put', '--batch', file], { onObject: onRecord });
    return results.flatMap(({ key, error }) => (error === undefined ? [] : [`${key}: ${error.message}`]));
  }

  /** Keys that did not come back with their value, with what came instead. */
  async getBatch(n: number, records: readonly DemoRecord[], onRecord: () => void): Promise<string[]> {
    const file = await this.#write(
      `get-${n}.txt`,
      records.map(({ key }) => key),
    );
    const results = await this.verb<BatchResult>(n, ['get', '--batch', file], { onObject: onRecord });
    const found = new Map(results.map((result) => [result.key, result]));
    return records.flatMap(({ key, value }) => {
      const result = found.get(key);
      if (result?.value === value) return [];
      return [
        `${key}: ${result?.error?.message ?? (result === undefined ? 'no answer' : `came back as ${result.value}`)}`,
      ];
    });
  }

  /** Ends every process and removes every file. What was never up has nothing to end. */
  async remove(): Promise<void> {
    try {
      await runNautilus(['testnet', 'down', '--dir', this.#testnetDir], { ownGroup: true });
    } catch (error) {
      if (!String(error).includes('no testnet')) throw error;
    } finally {
      await rm(this.dir, { recursive: true, force: true });
    }
  }

  async #testnet(...args: string[]): Promise<readonly TestnetNodeReport[]> {
    const [report] = await runNautilus(['testnet', ...args, '--dir', this.#testnetDir], { signal: this.#signal });
    return (report as TestnetReport).nodes;
  }

  async #write(name: string, lines: readonly string[]): Promise<string> {
    const path = join(this.dir, name);
    await writeFile(path, `${lines.join('\n')}\n`);
    return path;
  }
}
