/** Tells a scenario as it happens: a line per command, and how far it is in between. */
import type { Output } from './output.ts';
import { ProgressBar } from './progress-bar.ts';

export interface ScenarioPlan {
  /** Which kind of time it takes. */
  readonly unit: 'simulated second' | 'second';
  /** How long it will take at least, without the joining. */
  readonly totalMs: number;
  /** How many will have been there in the end. */
  readonly nodes: number;
}

export class ScenarioNarrator {
  readonly #output: Output;
  readonly #joining: ProgressBar;
  readonly #bar: ProgressBar;
  readonly #plan: ScenarioPlan;
  #joined = 0;
  // Nobody who runs a scenario waits for the terminal.
  #told = Promise.resolve();

  constructor(output: Output, plan: ScenarioPlan) {
    const { json } = output;
    this.#output = output;
    this.#joining = new ProgressBar('node', { json, hasRate: false });
    // How many real seconds pass in a second is no news.
    this.#bar = new ProgressBar(plan.unit, { json, hasRate: plan.unit === 'simulated second' });
    this.#plan = plan;
  }

  /** A node has started and joined, for the first time or again. */
  onJoined(): void {
    const { nodes } = this.#plan;
    if (++this.#joined <= nodes) this.#joining.update(this.#joined, this.#joined / nodes);
  }

  onResult({ text }: { readonly text: string }, atMs: number, result: string): void {
    this.#hide();
    this.#told = this.#told.then(() => this.#tell(text, atMs, result));
  }

  onProgress(elapsedMs: number): void {
    this.#bar.update(Math.floor(elapsedMs / 1_000), Math.min(1, elapsedMs / this.#plan.totalMs));
  }

  /** Resolves when everything has been told. Idempotent. */
  async end(): Promise<void> {
    this.#hide();
    await this.#told;
  }

  #hide(): void {
    this.#joining.hide();
    this.#bar.hide();
  }

  async #tell(text: string, atMs: number, result: string): Promise<void> {
    await this.#output.line(`${clockTime(atMs)}  ${text}: ${result}`);
    await this.#output.object({ type: 'command', atMs, command: text, result });
  }
}

/** `01:02:03` */
function clockTime(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
