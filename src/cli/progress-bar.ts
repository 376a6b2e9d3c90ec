/** One line on stderr that says how far a long verb is. It appears only on a terminal, and only when the verb takes over a second. */
import { count } from './text.ts';

const DELAY_MS = 1_000;
const INTERVAL_MS = 100;
const CELLS = 24;

export interface ProgressBarOptions {
  readonly json: boolean;
  readonly stream?: NodeJS.WriteStream | undefined;
  /** Whether how many a second is worth saying. @default true */
  readonly hasRate?: boolean | undefined;
}

export class ProgressBar {
  readonly #noun: string;
  readonly #stream: NodeJS.WriteStream;
  readonly #begun = performance.now();
  readonly #enabled: boolean;
  readonly #hasRate: boolean;
  #shownAt = 0;
  #isShown = false;

  constructor(noun: string, options: ProgressBarOptions) {
    this.#noun = noun;
    this.#stream = options.stream ?? process.stderr;
    this.#hasRate = options.hasRate ?? true;
    this.#enabled = !options.json && this.#stream.isTTY === true;
  }

  /** @param fraction 0 to 1; undefined when the end is not known */
  update(done: number, fraction: number | undefined): void {
    const now = performance.now();
    const elapsedMs = now - this.#begun;
    if (!this.#enabled || elapsedMs < DELAY_MS || now - this.#shownAt < INTERVAL_MS) return;
    this.#shownAt = now;
    this.#isShown = true;
    const rate = this.#hasRate ? `, ${Math.round((done * 1_000) / elapsedMs)}/s` : '';
    const bars = fraction === undefined ? '' : `${bar(fraction)} `;
    this.#stream.write(`\r\u001b[K${bars}${count(done, this.#noun)}${rate}`);
  }

  /** Removes the line, for good or to make room for another one: the next update shows it again. */
  hide(): void {
    if (this.#isShown) this.#stream.write('\r\u001b[K');
    this.#isShown = false;
  }
}

function bar(fraction: number): string {
  const full = Math.round(Math.min(1, fraction) * CELLS);
  return `[${'█'.repeat(full)}${'░'.repeat(CELLS - full)}] ${Math.floor(Math.min(1, fraction) * 100)} %`;
}
