/** What the demonstration tells: numbered steps with their times, and a bar while one takes long. Plain lines where there is no terminal. */

export interface StepProgress {
  /** One more of the total. */
  step(): void;
}

const BAR_CELLS = 30;
const REDRAW_MS = 50;

export class Report {
  readonly #output: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  #steps = 0;

  constructor(output: NodeJS.WriteStream = process.stdout) {
    this.#output = output;
  }

  line(text = ''): void {
    this.#output.write(`${text}\n`);
  }

  /** A command as a reader could type it. */
  command(text: string): void {
    this.line(`   ${this.#dim(`$ ${text}`)}`);
  }

  /** Seconds since the demonstration began. */
  get elapsed(): string {
    return seconds(performance.now() - this.#startedAt);
  }

  /**
   * Runs one step under a title; what `work` returns is the sentence it ends with.
   * @param total of what is counted while it runs; 0 when nothing is
   */
  async step(title: string, total: number, work: (progress: StepProgress) => Promise<string>): Promise<void> {
    this.#steps += 1;
    this.line(`${this.#bold(`${this.#steps}. ${title}`)}`);
    const begun = performance.now();
    let done = 0;
    let drawnAt = 0;
    const step = () => {
      done += 1;
      if (!this.#output.isTTY || (performance.now() - drawnAt < REDRAW_MS && done < total)) return;
      drawnAt = performance.now();
      const filled = Math.round((done / total) * BAR_CELLS);
      this.#output.write(`\r\x1b[K   ${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)} ${done}/${total}`);
    };
    try {
      const outcome = await work({ step });
      this.#clear(drawnAt);
      this.line(`   ${outcome}  ${this.#dim(seconds(performance.now() - begun))}`);
    } catch (error) {
      this.#clear(drawnAt);
      throw error;
    }
  }

  /** Rows in columns as wide as their widest cell. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = rows.reduce<number[]>(
      (widest, row) => row.map((cell, column) => Math.max(cell.length, widest[column] ?? 0)),
      [],
    );
    for (const row of rows) {
      this.line(
        `   ${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}`,
      );
    }
  }

  #clear(drawnAt: number): void {
    if (drawnAt > 0) this.#output.write('\r\x1b[K');
  }

  #bold(text: string): string {
    return this.#output.isTTY ? `\x1b[1m${text}\x1b[0m` : text;
  }

  #dim(text: string): string {
    return this.#output.isTTY ? `\x1b[2m${text}\x1b[0m` : text;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
