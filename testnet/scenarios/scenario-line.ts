/** One line of a scenario while it is read: its words in order, its `name=value` arguments, and the one-line error when they make no sense. */
import { parseDuration } from '../../src/commands/index.ts';
import { NautilusError } from '../../src/core/index.ts';
import type { NodeSet } from './scenario-command.ts';

/** More nodes than any machine can simulate; a bound on ranges before they are written out. */
const MAX_NODES = 1_000_000;
const NODE_SET = 'numbers and ranges such as 1,4,8-15, "random 3", "half" or "all"';

export class ScenarioLine {
  readonly #place: string;
  readonly #usage: string;
  readonly #words: string[] = [];
  readonly #named = new Map<string, string>();

  /** @param place where it is, for errors: `churn.scenario:3` */
  constructor(place: string, usage: string, words: readonly string[]) {
    this.#place = place;
    this.#usage = usage;
    for (const word of words) {
      const named = /^([a-z]+)=(.*)$/.exec(word);
      if (named === null) this.#words.push(word);
      else if (this.#named.has(named[1]!)) throw this.error(`"${named[1]}=" is there twice`);
      else this.#named.set(named[1]!, named[2]!);
    }
  }

  get wordsLeft(): number {
    return this.#words.length;
  }

  error(problem: string): NautilusError {
    return new NautilusError('USAGE', `${this.#place}: ${problem}: ${this.#usage}`);
  }

  /** Nothing may be left that nobody asked for. */
  end(): void {
    const word = this.#words[0] ?? [...this.#named.keys()].map((name) => `${name}=`)[0];
    if (word !== undefined) throw this.error(`"${word}" is not understood`);
  }

  word(what: string): string {
    const word = this.#words.shift();
    if (word === undefined) throw this.error(`${what} is missing`);
    return word;
  }

  /** Takes the next word if it is this one. */
  flag(word: string): boolean {
    const index = this.#words.indexOf(word);
    if (index >= 0) this.#words.splice(index, 1);
    return index >= 0;
  }

  named(name: string): string | undefined {
    const value = this.#named.get(name);
    this.#named.delete(name);
    return value;
  }

  wholeNumber(text: string, what: string, min = 0, max = MAX_NODES): number {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw this.error(`"${text}" is not ${what} (a whole number from ${min} to ${max})`);
  }

  number(text: string, what: string, min: number, max: number): number {
    const number = /^\d{1,12}(?:\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw this.error(`"${text}" is not ${what} (a number from ${min} to ${max})`);
  }

  /** `1%`, 0 … 1. */
  share(text: string, what: string): number {
    if (text.endsWith('%')) {
      this.number(text.slice(0, -1), what, 0, 100);
      return Number(`${text.slice(0, -1)}e-2`); // exactly: 99.9 / 100 is not 0.999
    }
    throw this.error(`"${text}" is not ${what} (a share such as 1% or 99.9%)`);
  }

  /** ms */
  duration(text: string | undefined, what: string): number {
    if (text === undefined) throw this.error(`${what} is missing`);
    const ms = parseDuration(text);
    if (ms !== undefined) return ms;
    throw this.error(`"${text}" is not ${what} (a duration such as 500ms, 30s, 5m, 2h or 1d)`);
  }

  /** `2/s`, per second. */
  rate(text: string, what: string): number {
    if (text.endsWith('/s')) return this.number(text.slice(0, -2), what, 0, 1_000_000);
    throw this.error(`"${text}" is not ${what} (a rate such as 2/s or 0.5/s)`);
  }

  node(text: string | undefined): number | undefined {
    return text === undefined ? undefined : this.wholeNumber(text, 'the number of a node');
  }

  nodeSet(): NodeSet {
    const word = this.word('which nodes');
    if (word === 'half' || word === 'all') return { kind: word };
    if (word === 'random') {
      return { kind: 'random', count: this.wholeNumber(this.word('how many'), 'a number of nodes', 1) };
    }
    return { kind: 'numbers', numbers: this.numbers(word) };
  }

  /** `1,4,8-15` */
  numbers(text: string): readonly number[] {
    const numbers = text.split(',').flatMap((part) => {
      const [, first, last = first] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part) ?? [];
      if (first === undefined || Number(last) < Number(first))
        throw this.error(`"${text}" is no node set (${NODE_SET})`);
      return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
    });
    if (new Set(numbers).size < numbers.length) throw this.error(`"${text}" names a node twice`);
    return numbers;
  }
}
