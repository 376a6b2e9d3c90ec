/** A testnet of processes under test, brought up and taken down by the CLI. One per test file: starting it is the dear part. */
import { afterAll } from 'vitest';
import type { TestnetNodeReport, TestnetReport } from '../../testnet/launcher/index.ts';
import { type CliOptions, type CliResult, nautilus, objectOf } from './cli.ts';

export interface TestnetOptions {
  /** Must not exist yet. */
  readonly dir: string;
  /** Storing nodes. */
  readonly nodes: number;
  /** More arguments of `testnet up`. */
  readonly args?: readonly string[] | undefined;
}

export class Testnet {
  readonly dir: string;
  /** As reported when it was up; by number, 0 is the bootstrap service. */
  readonly nodes: readonly TestnetNodeReport[];

  constructor(dir: string, nodes: readonly TestnetNodeReport[]) {
    this.dir = dir;
    this.nodes = nodes;
  }

  /** A verb to node n, by its data directory. */
  verb(n: number, args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return nautilus([...args, '--data-dir', this.node(n).dataDir], options);
  }

  /** `testnet status|kill|restart …` */
  async testnetVerb(...args: string[]): Promise<TestnetReport> {
    return objectOf<TestnetReport>(await nautilus(['testnet', ...args, '--dir', this.dir, '--json']));
  }

  node(n: number): TestnetNodeReport {
    const node = this.nodes[n];
    if (node === undefined) throw new Error(`the testnet has no node ${n}`);
    return node;
  }
}

/** Call it after `temporaryDirectory`: what is set up last is cleaned up first. */
export function testnetStarter(): (options: TestnetOptions) => Promise<Testnet> {
  const dirs: string[] = [];
  afterAll(async () => {
    for (const dir of dirs) await nautilus(['testnet', 'down', '--dir', dir]);
  });
  return async ({ dir, nodes, args = [] }) => {
    dirs.push(dir);
    const up = ['testnet', 'up', '-n', String(nodes), '--detach', '--json', '--dir', dir, ...args];
    const report = objectOf<TestnetReport>(await nautilus(up, { timeoutMs: 120_000 }));
    return new Testnet(dir, report.nodes);
  };
}
