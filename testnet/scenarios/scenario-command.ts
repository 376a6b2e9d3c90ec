/** The commands of the scenario language as data: what parse-scenario.ts makes of text and run-scenario.ts does to a network. */

/** Which nodes a command is about. All but `numbers` are chosen when the command runs, among those it can be done to. */
export type NodeSet =
  | { readonly kind: 'numbers'; readonly numbers: readonly number[] }
  | { readonly kind: 'random'; readonly count: number }
  | { readonly kind: 'half' }
  | { readonly kind: 'all' };

/** How long frames are under way, one way, ms. */
export type ScenarioLatency =
  | { readonly kind: 'wide-area' }
  | { readonly kind: 'constant'; readonly ms: number }
  | { readonly kind: 'normal'; readonly meanMs: number; readonly deviationMs: number };

/** What an `assert` compares. Shares are 0 … 1, durations ms. */
export const ASSERTED_FIGURES = {
  lost: 'number',
  gets: 'share',
  partial: 'share',
  wrong: 'share',
  'not-found': 'number',
  stale: 'number',
  alive: 'number',
  copies: 'number',
  p50: 'duration',
  p95: 'duration',
  p99: 'duration',
} as const satisfies Record<string, 'number' | 'share' | 'duration'>;

export type AssertedFigure = keyof typeof ASSERTED_FIGURES;
export type Comparison = '=' | '>=' | '<=' | '>' | '<';

export interface ChurnSettings {
  /** Of how long a node stays, ms. */
  readonly medianMs: number;
  /** Of the Weibull distribution; below 1 the longer a node has stayed, the longer it will. */
  readonly shape: number;
  /** Median of how long it is away, ms. */
  readonly awayMs: number;
  /** Share of the nodes that say goodbye. */
  readonly graceful: number;
  /** Share of the nodes whose machine goes too, so that nobody hears of it; the rest are killed processes. */
  readonly silent: number;
  /** Share of the nodes that come back with an empty disk. */
  readonly wiped: number;
  readonly forMs: number;
}

export type CommandBody =
  | {
      readonly verb: 'nodes';
      readonly count: number;
      /** They keep no records: tables and lookups alone. */
      readonly isRecordless: boolean;
    }
  | { readonly verb: 'latency'; readonly latency: ScenarioLatency }
  | { readonly verb: 'loss'; readonly share: number }
  | {
      readonly verb: 'put-many';
      readonly count: number;
      readonly isPerNode: boolean;
      readonly sizeBytes: number;
      readonly ttlMs: number;
    }
  | {
      readonly verb: 'put';
      readonly key: string;
      readonly value: string;
      readonly from: number | undefined;
      readonly ttlMs: number;
    }
  | { readonly verb: 'get'; readonly key: string; readonly from: number | undefined }
  | { readonly verb: 'delete'; readonly key: string; readonly from: number | undefined }
  | {
      readonly verb: 'load';
      readonly getsPerSecond: number;
      readonly putsPerSecond: number;
      readonly forMs: number;
    }
  | { readonly verb: 'lookups'; readonly count: number }
  | { readonly verb: 'join'; readonly count: number }
  | { readonly verb: 'leave'; readonly nodes: NodeSet }
  | { readonly verb: 'kill'; readonly nodes: NodeSet; readonly isSilent: boolean }
  | { readonly verb: 'pause'; readonly nodes: NodeSet }
  | { readonly verb: 'resume'; readonly nodes: NodeSet }
  | { readonly verb: 'restart'; readonly nodes: NodeSet; readonly isWiped: boolean }
  | { readonly verb: 'roll'; readonly nodes: NodeSet; readonly everyMs: number; readonly isWiped: boolean }
  | { readonly verb: 'flap'; readonly nodes: NodeSet; readonly everyMs: number; readonly forMs: number }
  | {
      readonly verb: 'partition';
      readonly groups: readonly (readonly number[] | 'half')[];
      /** Frames from the second group to the first still get through. */
      readonly isOneWay: boolean;
    }
  | { readonly verb: 'heal' }
  | ({ readonly verb: 'churn' } & ChurnSettings)
  | { readonly verb: 'skew'; readonly nodes: NodeSet; readonly skewMs: number }
  | { readonly verb: 'wait'; readonly ms: number | undefined }
  | {
      readonly verb: 'assert';
      readonly figure: AssertedFigure;
      readonly comparison: Comparison;
      readonly limit: number;
    }
  | { readonly verb: 'assert-found'; readonly key: string; readonly value: string | undefined }
  | { readonly verb: 'assert-absent'; readonly key: string };

/** One line of a scenario. */
export type ScenarioCommand = CommandBody & {
  /** From 1. */
  readonly line: number;
  /** As it was written, without its comment. */
  readonly text: string;
};

/** The command that has this verb. */
export type CommandOf<Verb extends CommandBody['verb']> = Extract<CommandBody, { readonly verb: Verb }>;
