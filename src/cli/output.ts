/**
 * What a verb says: results on stdout, everything else on stderr. With `--json` stdout carries one object a line and nothing else. Colour
 * only on a terminal that was not told NO_COLOR.
 */
import { once } from 'node:events';
import { toErrorObject } from '../commands/index.ts';
import { exitCodeOf, worseExitCode } from './exit-code.ts';
import { printable } from './text.ts';

export interface OutputInit {
  readonly json: boolean;
  readonly stdout?: NodeJS.WriteStream | undefined;
  readonly stderr?: NodeJS.WriteStream | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
}

export class Output {
  readonly json: boolean;
  /** Results go to a terminal: escape what came from others. */
  readonly isTerminal: boolean;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;
  readonly #env: NodeJS.ProcessEnv;
  #exitCode = 0;

  constructor(init: OutputInit) {
    this.json = init.json;
    this.#stdout = init.stdout ?? process.stdout;
    this.#stderr = init.stderr ?? process.stderr;
    this.#env = init.env ?? process.env;
    this.isTerminal = this.#stdout.isTTY === true;
  }

  /** The worst of everything that was reported so far. */
  get exitCode(): number {
    return this.#exitCode;
  }

  /** A line for people; with `--json` there is none. */
  async line(text: string): Promise<void> {
    if (!this.json) await this.#write(`${text}\n`);
  }

  /** A line for programs; without `--json` there is none. */
  async object(value: object): Promise<void> {
    if (this.json) await this.#write(`${JSON.stringify(value, roundFractions)}\n`);
  }

  /** Exact bytes, nothing added. */
  async bytes(value: Uint8Array): Promise<void> {
    await this.#write(value);
  }

  /** A remark beside the results, on stderr, with and without `--json`. */
  note(text: string): void {
    this.#stderr.write(`nautilus: ${printable(text)}\n`);
  }

  /** One line on stderr, and the exit code that belongs to it. */
  fail(error: unknown): void {
    const object = toErrorObject(error);
    this.countFailure(exitCodeOf(error));
    const line = printable(object.message);
    if (this.json) this.#stderr.write(`${JSON.stringify({ error: object })}\n`);
    else this.#stderr.write(`${this.#paint(this.#stderr, '31', 'nautilus:')} ${line}\n`);
  }

  /** For a failure that is told among the results. */
  countFailure(exitCode: number): void {
    this.#exitCode = worseExitCode(this.#exitCode, exitCode);
  }

  dim(text: string): string {
    return this.#paint(this.#stdout, '2', text);
  }

  #paint(stream: NodeJS.WriteStream, code: string, text: string): string {
    const plain = stream.isTTY !== true || (this.#env.NO_COLOR ?? '') !== '' || this.#env.TERM === 'dumb';
    return plain ? text : `\u001b[${code}m${text}\u001b[0m`;
  }

  async #write(chunk: string | Uint8Array): Promise<void> {
    if (!this.#stdout.write(chunk)) await once(this.#stdout, 'drain');
  }
}

/** The only fractions there are times in milliseconds: below a microsecond there is nothing but noise. */
function roundFractions(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1_000) / 1_000 : value;
}
