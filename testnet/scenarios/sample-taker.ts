/** Looks at the network once a minute of the scenario's time: who is alive, how gets fare, how many copies there are, what was sent. */
import type { Timer } from '../../src/core/index.ts';
import { percentile } from './percentile.ts';
import type { CopyFigures } from './scenario-figures.ts';
import type { ScenarioRun } from './scenario-run.ts';

const INTERVAL_MS = 60_000;
/** Records looked at in a sample: enough for a curve, few enough for a day of a thousand nodes. */
const RECORDS_LOOKED_AT = 32;

export class SampleTaker {
  readonly #run: ScenarioRun;
  readonly #onTaken: (elapsedMs: number) => void;
  #timer: Timer | undefined;
  #gets = 0;
  #right = 0;
  // BOUNDED: by the purposes of frames.
  #bytes = new Map<string, number>();

  constructor(run: ScenarioRun, onTaken: (elapsedMs: number) => void) {
    this.#run = run;
    this.#onTaken = onTaken;
  }

  start(): void {
    this.#bytes = this.#bytesSent();
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The last sample, of the minute that did not become whole. */
  async end(): Promise<void> {
    this.stop();
    await this.#take();
  }

  async copiesOf(keys: readonly string[]): Promise<CopyFigures | undefined> {
    const counts = await this.#run.target.countCopies?.(keys);
    if (counts === undefined || counts.length === 0) return undefined;
    return { min: percentile(counts, 0), p50: percentile(counts, 0.5), max: percentile(counts, 1) };
  }

  #arm(): void {
    this.#timer = this.#run.target.clock.setTimer(INTERVAL_MS, () => {
      this.#arm();
      this.#take().catch((error: unknown) => this.#run.fail(error));
    });
  }

  async #take(): Promise<void> {
    const run = this.#run;
    const { figures, target, account, elapsedMs: atMs } = run;
    const { getsJudged, gets } = figures;
    const bytes = this.#bytesSent();
    const since = new Map([...bytes].map(([purpose, sum]) => [purpose, sum - (this.#bytes.get(purpose) ?? 0)]));
    const counted = { gets: getsJudged - this.#gets, right: gets.right - this.#right };
    this.#bytes = bytes;
    this.#gets = getsJudged;
    this.#right = gets.right;
    const alive = run.alive;
    const keys = [...account.live(target.clock.now())];
    const step = Math.max(1, Math.floor(keys.length / RECORDS_LOOKED_AT));
    const copies = await this.copiesOf(keys.filter((_, index) => index % step === 0).slice(0, RECORDS_LOOKED_AT));
    figures.samples.push({ atMs, alive, ...counted, copies, bytesByPurpose: since });
    this.#onTaken(atMs);
  }

  #bytesSent(): Map<string, number> {
    return new Map(this.#run.target.traffic?.().map(({ purpose, bytes }) => [purpose, bytes]));
  }
}
