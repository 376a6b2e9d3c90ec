/** What the testnet verbs are asked for and where they speak: the border with whoever calls them (the CLI, a script). */

/** A place for text; `process.stdout` and `process.stderr` are two. */
export interface TestnetOutput {
  write(text: string): unknown;
  /** Progress redraws itself on a terminal and is a few plain lines elsewhere. */
  readonly isTTY?: boolean | undefined;
}

export interface TestnetIo {
  /** Results: a table, or with `json` one object a line and nothing else. */
  readonly stdout: TestnetOutput;
  /** Progress and remarks. */
  readonly stderr: TestnetOutput;
  /** @default false */
  readonly json?: boolean | undefined;
}

export interface TestnetPlace {
  /** Where everything of the testnet is. @default ~/.nautilus/testnet */
  readonly dir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TestnetUpOptions extends TestnetPlace {
  /** Storing nodes; the bootstrap service comes on top. @default 8 */
  readonly nodes?: number | undefined;
  /** All nodes in this process: less memory and a faster start, but none can be killed alone. @default false */
  readonly inProcess?: boolean | undefined;
  /** Node n listens on `basePort + n`; 0: any free ports. @default 0 */
  readonly basePort?: number | undefined;
  /** Storage URLs of every storing node. @default as `nautilus start` */
  readonly storage?: readonly string[] | undefined;
  /** Return once the network has converged and leave the processes running. @default false */
  readonly detach?: boolean | undefined;
}

export interface TestnetNodeOptions extends TestnetPlace {
  /** The node's number; 0 is the bootstrap service. */
  readonly n: number;
}

/** `running`: it answers. `silent`: its process lives and does not answer. `stopped`: there is no such process. */
export type TestnetNodeState = 'running' | 'silent' | 'stopped';

/** A node as `testnet up --detach --json` and `testnet status --json` show it. */
export interface TestnetNodeReport {
  readonly n: number;
  readonly pid: number;
  readonly peerId: string;
  /** Works as `--data-dir` of every verb. */
  readonly dataDir: string;
  readonly addresses: readonly string[];
  readonly mode: 'bootstrap' | 'server';
  readonly state: TestnetNodeState;
  /** Contacts in its routing table; null unless it is running. */
  readonly peers: number | null;
}

export interface TestnetReport {
  readonly nodes: readonly TestnetNodeReport[];
}
