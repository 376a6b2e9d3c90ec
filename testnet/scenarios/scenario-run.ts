/** What the commands of one run share: the network, the account, the figures, chance, and what goes on in the background. */
import { NautilusError, sleep } from '../../src/core/index.ts';
import { RecordAccount } from './record-account.ts';
import type { NodeSet } from './scenario-command.ts';
import { ScenarioFigures } from './scenario-figures.ts';
import type { NodeState, ReadOutcome, ScenarioTarget, WriteOutcome } from './scenario-target.ts';

export class ScenarioRun {
  readonly target: ScenarioTarget;
  readonly account = new RecordAccount();
  readonly figures = new ScenarioFigures();
  /** Numbered records: each is written by one node for good, so that a key has one publisher. */
  // BOUNDED: by the records of the scenario.
  readonly written: {
    readonly key: string;
    readonly node: number;
    readonly ttlMs: number;
    readonly sizeBytes: number;
  }[] = [];
  readonly startedAt: number;
  lastAudit: { readonly endedAt: number; readonly lost: readonly string[] } | undefined;
  // BOUNDED: by the background commands of the scenario.
  readonly #background = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  /** Nodes that are being stopped or started: nobody else may begin that meanwhile. */
  // BOUNDED: by the nodes.
  readonly #busy = new Set<number>();

  constructor(target: ScenarioTarget) {
    this.target = target;
    this.startedAt = target.clock.monotonic();
  }

  /** Aborts when the run must end: the caller's wish, or a failure in the background. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get elapsedMs(): number {
    return this.target.clock.monotonic() - this.startedAt;
  }

  fail(error: unknown): void {
    this.#abort.abort(error);
  }

  sleep(ms: number): Promise<void> {
    return sleep(this.target.clock, ms, this.signal);
  }

  /** Goes on beside the commands that follow; a failure ends the run. */
  begin(work: () => Promise<void>): void {
    const running = work().then(
      () => void this.#background.delete(running),
      (error: unknown) => this.fail(error),
    );
    this.#background.add(running);
  }

  /** Until nothing goes on in the background. */
  async settle(): Promise<void> {
    while (this.#background.size > 0) {
      this.signal.throwIfAborted();
      await Promise.race(this.#background);
    }
    this.signal.throwIfAborted();
  }

  integer(bound: number): number {
    return Math.floor(this.target.random() * bound);
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.integer(items.length)];
  }

  sample<T>(items: readonly T[], count: number): T[] {
    const pool = [...items];
    return Array.from(
      { length: Math.min(count, pool.length) },
      () => pool.splice(this.integer(pool.length), 1)[0] as T,
    );
  }

  /** Nodes whose process is there. */
  get alive(): number {
    return [...this.target.states().values()].filter((state) => state !== 'down').length;
  }

  /** Nodes in a state that nobody is changing, lowest number first. */
  nodesThatAre(...states: readonly NodeState[]): number[] {
    return [...this.target.states()]
      .filter(([number, state]) => states.includes(state) && !this.#busy.has(number))
      .map(([number]) => number);
  }

  /** @throws NautilusError `USAGE` for a node that does not exist */
  choose(set: NodeSet, ...states: readonly NodeState[]): number[] {
    const candidates = this.nodesThatAre(...states);
    switch (set.kind) {
      case 'numbers': {
        const known = this.target.states();
        const unknown = set.numbers.find((number) => !known.has(number));
        if (unknown !== undefined) {
          throw new NautilusError('USAGE', `there is no node ${unknown}: they are numbered 0 to ${known.size - 1}`);
        }
        return candidates.filter((number) => set.numbers.includes(number));
      }
      case 'random':
        return this.sample(candidates, set.count).sort((a, b) => a - b);
      case 'half':
        return this.sample(candidates, Math.floor(candidates.length / 2)).sort((a, b) => a - b);
      case 'all':
        return candidates;
    }
  }

  /** Stops or starts nodes, side by side, each by one hand at a time. */
  async change(nodes: readonly number[], work: (node: number) => Promise<void>): Promise<void> {
    for (const node of nodes) this.#busy.add(node);
    const workAlone = async (node: number) => {
      try {
        await work(node);
      } finally {
        this.#busy.delete(node);
      }
    };
    await Promise.all(nodes.map(workAlone));
  }

  /** The node to ask when a command names none. */
  async caller(from: number | undefined): Promise<number> {
    const node = from ?? this.pick(this.nodesThatAre('running'));
    const state = node === undefined ? undefined : this.target.states().get(node);
    if (node !== undefined && state === 'running') return node;
    throw new NautilusError(
      'USAGE',
      node === undefined ? 'no node is running' : `node ${node} is ${state ?? 'not there'}`,
    );
  }

  async put(
    node: number,
    record: { readonly key: string; readonly value: string; readonly ttlMs: number },
  ): Promise<WriteOutcome> {
    const { account, target } = this;
    const publisher = target.publisherOf(node);
    account.doubt(record.key, publisher, target.clock.now() + record.ttlMs);
    const outcome = await target.put(node, record);
    if (outcome.kind === 'written') account.acknowledge(record.key, { ...outcome, isDeleted: false });
    this.figures.addPut(outcome);
    return outcome;
  }

  async delete(node: number, key: string): Promise<WriteOutcome> {
    const { account, target } = this;
    const publisher = target.publisherOf(node);
    account.doubt(key, publisher, 0);
    const outcome = await target.delete(node, key);
    if (outcome.kind === 'written') account.acknowledge(key, { ...outcome, isDeleted: true });
    // Refused before anything was written: the record is another's, or there is none.
    else if (outcome.kind === 'failed' && outcome.seq === undefined) account.dispel(key, publisher);
    return outcome;
  }

  /** A get that counts. */
  async get(node: number, key: string): Promise<ReadOutcome> {
    const { account, target, figures } = this;
    const versions = account.versions(key);
    const outcome = await target.get(node, key);
    figures.addGet(outcome, account.judge(key, versions, outcome, target.clock.now()));
    return outcome;
  }
}
