/** What a run is measured by, as it goes: outcomes of gets and puts, how long they took, and a sample a minute. Not here: tables and plots. */
import type { Judgement } from './record-account.ts';
import type { LookupFigures, ReadOutcome, WriteOutcome } from './scenario-target.ts';

export interface ScenarioSample {
  /** Since the scenario began, ms. */
  readonly atMs: number;
  readonly alive: number;
  /** Gets since the sample before, and how many were right. */
  readonly gets: number;
  readonly right: number;
  /** Over a sample of the records; undefined when nobody can see them, or there are none. */
  readonly copies: CopyFigures | undefined;
  /** Bytes sent since the sample before, by purpose. */
  readonly bytesByPurpose: ReadonlyMap<string, number>;
}

export interface CopyFigures {
  readonly min: number;
  readonly p50: number;
  readonly max: number;
}

export class ScenarioFigures {
  readonly gets: Record<Judgement, number> = { right: 0, partial: 0, stale: 0, 'not-found': 0, error: 0 };
  readonly puts = { acknowledged: 0, failed: 0 };
  /** Sessions of churn that ended, and that began after an absence. */
  readonly sessions = { ended: 0, begun: 0 };
  // BOUNDED: these by the operations of the scenario.
  readonly getMs: number[] = [];
  readonly getHops: number[] = [];
  readonly getRequests: number[] = [];
  readonly putMs: number[] = [];
  readonly lookups: LookupFigures[] = [];
  readonly samples: ScenarioSample[] = [];

  get getsJudged(): number {
    return Object.values(this.gets).reduce((sum, count) => sum + count, 0);
  }

  /** Over the samples: there is one at the end at the latest. */
  get meanAlive(): number {
    return this.samples.reduce((sum, { alive }) => sum + alive, 0) / this.samples.length;
  }

  /** Share of all gets, 0 … 1; 1 of none. */
  shareOf(...judgements: readonly Judgement[]): number {
    const counted = judgements.reduce((sum, judgement) => sum + this.gets[judgement], 0);
    return this.getsJudged === 0 ? (judgements.includes('right') ? 1 : 0) : counted / this.getsJudged;
  }

  addGet(outcome: ReadOutcome, judgement: Judgement | undefined): void {
    if (judgement === undefined || outcome.kind === 'gone') return;
    this.gets[judgement]++;
    this.getMs.push(outcome.elapsedMs);
    if (outcome.kind !== 'found') return;
    this.getHops.push(outcome.hops);
    this.getRequests.push(outcome.requests);
  }

  addPut(outcome: WriteOutcome): void {
    if (outcome.kind === 'gone') return;
    if (outcome.kind === 'written') this.puts.acknowledged++;
    else this.puts.failed++;
    this.putMs.push(outcome.elapsedMs);
  }
}
