/** Progress of a known number of steps: one line that redraws itself on a terminal, a line per quarter anywhere else. */
import type { TestnetOutput } from './testnet-options.ts';

const WIDTH = 24;
const QUARTERS = 4;

export class ProgressBar {
  readonly #output: TestnetOutput;
  readonly #label: string;
  readonly #total: number;
  #done = 0;
  #quartersTold = 0;

  constructor(output: TestnetOutput, label: string, total: number) {
    this.#output = output;
    this.#label = label;
    this.#total = total;
    if (output.isTTY) this.#redraw();
  }

  /** @param done steps done so far; going back is fine on a terminal and silent elsewhere */
  update(done: number): void {
    this.#done = Math.min(done, this.#total);
    if (this.#output.isTTY) {
      this.#redraw();
      return;
    }
    const quarters = Math.floor((this.#done / this.#total) * QUARTERS);
    if (quarters <= this.#quartersTold) return;
    this.#quartersTold = quarters;
    this.#output.write(`${this.#label}: ${this.#done} of ${this.#total}\n`);
  }

  step(): void {
    this.update(this.#done + 1);
  }

  /** Takes the line off the terminal, so that what follows has a clean place. */
  end(): void {
    if (this.#output.isTTY) this.#output.write('\r\x1b[2K');
  }

  #redraw(): void {
    const filled = Math.round((this.#done / this.#total) * WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    this.#output.write(`\r\x1b[2K${this.#label} ${bar} ${this.#done}/${this.#total}`);
  }
}
