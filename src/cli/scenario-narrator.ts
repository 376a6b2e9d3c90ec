/** Tells a scenario as it happens: a line per command, and how far it is in between. */
import type { Output } from './output.ts';
import { ProgressBar } from './progress-bar.ts';

export class ScenarioNarrator {
  readonly #output: Output;
  readonly #bar: ProgressBar;
  readonly #totalMs: number;
  // Nobody who runs a scenario waits for the terminal.
  #told = Promise.resolve();

  /** @param noun which kind of time it takes @param totalMs how long it will take at least */
  constructor(output: Output, noun: 'simulated second' | 'second', totalMs: number) {
    this.#output = output;
    // How many real seconds pass in a second is no news.
    this.#bar = new ProgressBar(noun, { json: output.json, hasRate: noun === 'simulated second' });
    this.#totalMs = totalMs;
  }

  onResult({ text }: { readonly text: string }, atMs: number, result: string): void {
    this.#bar.hide();
    this.#told = this.#told.then(() => this.#tell(text, atMs, result));
  }

  onProgress(elapsedMs: number): void {
    this.#bar.update(Math.floor(elapsedMs / 1_000), Math.min(1, elapsedMs / this.#totalMs));
  }

  /** Resolves when everything has been told. Idempotent. */
  async end(): Promise<void> {
    this.#bar.hide();
    await this.#told;
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
