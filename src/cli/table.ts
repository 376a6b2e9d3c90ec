/** Rows under titles, for any number of rows: the widths are those of the first page, what is wider later only shifts its line. */
import type { Output } from './output.ts';
import { printable } from './text.ts';

export interface Column {
  readonly title: string;
  /** @default 'left' */
  readonly align?: 'left' | 'right';
}

/** Rows looked at before anything is printed. */
const PAGE = 200;

export class Table {
  readonly #output: Output;
  readonly #columns: readonly Column[];
  // BOUNDED: PAGE.
  #page: (readonly string[])[] = [];
  #widths: number[] | undefined;

  constructor(output: Output, columns: readonly Column[]) {
    this.#output = output;
    this.#columns = columns;
  }

  async row(cells: readonly string[]): Promise<void> {
    const safe = cells.map(printable);
    if (this.#widths !== undefined) return this.#output.line(this.#layOut(safe, this.#widths));
    this.#page.push(safe);
    if (this.#page.length >= PAGE) await this.end();
  }

  /** Prints what is left. A table without rows prints nothing. */
  async end(): Promise<void> {
    if (this.#page.length === 0) return;
    const titles = this.#columns.map(({ title }) => title);
    const widths = titles.map((title, i) =>
      Math.max(title.length, ...this.#page.map((cells) => cells[i]?.length ?? 0)),
    );
    this.#widths = widths;
    await this.#output.line(this.#output.dim(this.#layOut(titles, widths)));
    for (const cells of this.#page.splice(0)) await this.#output.line(this.#layOut(cells, widths));
  }

  #layOut(cells: readonly string[], widths: readonly number[]): string {
    const laidOut = cells.map((cell, i) =>
      this.#columns[i]?.align === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
    );
    return laidOut.join('  ').trimEnd();
  }
}
