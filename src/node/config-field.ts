/** One field of the configuration: where it may come from and how raw text becomes a value. The fields themselves are in config-fields.ts. */
import { isNautilusError } from '../core/index.ts';

/** Where raw values come from, strongest first. */
export type ConfigOrigin = 'flag' | 'env' | 'file';

export interface ConfigField<T> {
  /** In `config.json` and in NodeConfig. */
  readonly name: string;
  /** As `--help` shows it; undefined when there is no flag. */
  readonly flag: string | undefined;
  readonly env: string;
  readonly defaultValue: T;
  /** @throws ConfigProblem, or a NautilusError of another room's grammar */
  readonly parse: (raw: unknown, origin: ConfigOrigin) => T;
}

/** What is wrong with one value. Collected, never seen outside: all problems become one `CONFIG_INVALID`. */
export class ConfigProblem extends Error {
  override readonly name = 'ConfigProblem';
}

export function parseText(raw: unknown): string {
  if (typeof raw !== 'string') throw new ConfigProblem(`${show(raw)} should be text`);
  return raw;
}

/** A flag that may be repeated, a list with commas or blanks between, or an array in the file. Every bad item is named. */
export function parseList(raw: unknown, origin: ConfigOrigin, check: (item: string) => unknown): readonly string[] {
  const values = typeof raw === 'string' ? (origin === 'env' ? raw.split(/[\s,]+/).filter(Boolean) : [raw]) : raw;
  if (!Array.isArray(values)) throw new ConfigProblem(`${show(raw)} should be a list of texts`);
  const problems = values.flatMap((item: unknown) => problemOf(() => check(parseText(item))) ?? []);
  if (problems.length > 0) throw new ConfigProblem(problems.join('; '));
  return values as string[];
}

export function parseChoice<T extends string>(raw: unknown, choices: readonly T[]): T {
  const choice = choices.find((each) => each === raw);
  if (choice === undefined) throw new ConfigProblem(`${show(raw)} should be one of ${choices.join(', ')}`);
  return choice;
}

const TRUE = [true, 'true', '1', 'yes', 'on'];
const FALSE = [false, 'false', '0', 'no', 'off'];

export function parseSwitch(raw: unknown, origin: ConfigOrigin): boolean {
  const isText = origin === 'env';
  if (raw === true || (isText && TRUE.includes(raw as string))) return true;
  if (raw === false || (isText && FALSE.includes(raw as string))) return false;
  throw new ConfigProblem(`${show(raw)} should be true or false`);
}

export function parseCount(raw: unknown, origin: ConfigOrigin, minimum: number): number {
  const value = origin === 'env' && /^\d+$/.test(String(raw)) ? Number(raw) : raw;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum) return value;
  throw new ConfigProblem(`${show(raw)} should be a whole number from ${minimum}`);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };

/** Bytes: a number, or text such as `512MiB`. */
export function parseSize(raw: unknown, minimum: number): number {
  const match = /^(\d{1,15})(|KiB|MiB|GiB|TiB)$/.exec(typeof raw === 'number' ? raw.toFixed() : String(raw));
  const bytes = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2]!]!;
  if (Number.isSafeInteger(bytes) && bytes >= minimum) return bytes;
  throw new ConfigProblem(`${show(raw)} should be a size such as 512MiB or 4GiB, at least ${minimum} bytes`);
}

/** @returns what `act` complained about; other errors are bugs and pass */
export function problemOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigProblem || isNautilusError(error)) return error.message;
    throw error;
  }
}

function show(raw: unknown): string {
  const text = JSON.stringify(raw) ?? String(raw);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
