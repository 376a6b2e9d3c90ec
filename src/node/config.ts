/**
 * The configuration of a node: flags over `NAUTILUS_*` over `config.json` in the data directory over defaults. Every bad field is named in
 * one error, so that nobody mends them one start at a time. Not here: what the fields are (config-fields.ts).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NautilusError } from '../core/index.ts';
import { resolveDataDirectory, toDataDirectoryError } from '../platform/index.ts';
import type { ConfigField, ConfigOrigin } from './config-field.ts';
import { problemOf } from './config-field.ts';
import { type ConfigFieldName, type ConfigGrammar, type ConfigValues, configFields } from './config-fields.ts';

const CONFIG_FILE = 'config.json';
const MAX_FILE_BYTES = 1024 * 1024;

type Limit = 'maxConnections' | 'maxRecords' | 'maxBytes';

export interface NodeConfig extends Omit<ConfigValues, Limit> {
  /** Absolute. */
  readonly dataDir: string;
  /** Nobody chose the address: the next free port will do when it is taken. */
  readonly listenIsDefault: boolean;
  readonly limits: Pick<ConfigValues, Limit>;
}

/** Raw values as the command line or a library user gives them; undefined is "not given". */
export type ConfigFlags = { readonly [Name in ConfigFieldName | 'dataDir']?: unknown };

export interface ConfigSources {
  readonly flags: ConfigFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `path` for messages; `values` as parsed from JSON. */
  readonly file?: { readonly path: string; readonly values: Readonly<Record<string, unknown>> } | undefined;
}

/**
 * Reads `config.json`, if the data directory has one, and resolves.
 * @throws NautilusError `CONFIG_INVALID` (details.problems), `DATA_DIR_UNUSABLE` when the file cannot be read
 */
export async function loadConfig(sources: Omit<ConfigSources, 'file'>, grammar: ConfigGrammar): Promise<NodeConfig> {
  const path = join(dataDirOf(sources), CONFIG_FILE);
  const values = await readConfigFile(path);
  return resolveConfig({ ...sources, file: values === undefined ? undefined : { path, values } }, grammar);
}

/** @throws NautilusError `CONFIG_INVALID`, naming every bad field; `details.problems` has them one by one */
export function resolveConfig(sources: ConfigSources, grammar: ConfigGrammar): NodeConfig {
  const fields = configFields(grammar);
  const problems = unknownKeys(sources, fields);
  const resolve = <T>(field: ConfigField<T>): T => {
    const given = find(field, sources);
    if (given === undefined) return field.defaultValue;
    let value = field.defaultValue;
    const problem = problemOf(() => {
      value = field.parse(given.raw, given.origin);
    });
    if (problem !== undefined) problems.push(`${given.label}: ${withoutPrefix(problem, given.label)}`);
    return value;
  };
  const { maxConnections, maxRecords, maxBytes, ...rest } = {
    listen: resolve(fields.listen),
    announce: resolve(fields.announce),
    bootstrap: resolve(fields.bootstrap),
    network: resolve(fields.network),
    storage: resolve(fields.storage),
    mode: resolve(fields.mode),
    mdns: resolve(fields.mdns),
    rendezvous: resolve(fields.rendezvous),
    logLevel: resolve(fields.logLevel),
    list: resolve(fields.list),
    maxConnections: resolve(fields.maxConnections),
    maxRecords: resolve(fields.maxRecords),
    maxBytes: resolve(fields.maxBytes),
  } satisfies ConfigValues;
  if (rest.list !== undefined && rest.mode !== 'bootstrap') {
    problems.push(
      `${find(fields.list, sources)?.label}: only a bootstrap node serves its peer list; add --mode bootstrap`,
    );
  }
  if (problems.length > 0) {
    throw new NautilusError('CONFIG_INVALID', `the configuration cannot be used: ${problems.join(' | ')}`, {
      details: { problems },
    });
  }
  return {
    ...rest,
    dataDir: dataDirOf(sources),
    listenIsDefault: find(fields.listen, sources) === undefined,
    limits: { maxConnections, maxRecords, maxBytes },
  };
}

interface Given {
  readonly raw: unknown;
  readonly origin: ConfigOrigin;
  /** For people: `--listen`, `NAUTILUS_LISTEN`, `listen in /…/config.json`. */
  readonly label: string;
}

function find(field: ConfigField<unknown>, { flags, env, file }: ConfigSources): Given | undefined {
  const { name } = field;
  const flag = flags[name as ConfigFieldName];
  if (flag !== undefined) return { raw: flag, origin: 'flag', label: field.flag?.split(' ')[0] ?? name };
  const variable = env[field.env];
  if (variable !== undefined && variable !== '') return { raw: variable, origin: 'env', label: field.env };
  if (file !== undefined && Object.hasOwn(file.values, name)) {
    return { raw: file.values[name], origin: 'file', label: `${name} in ${file.path}` };
  }
  return undefined;
}

function unknownKeys({ file }: ConfigSources, fields: object): string[] {
  if (file === undefined) return [];
  return Object.keys(file.values)
    .filter((key) => !Object.hasOwn(fields, key))
    .map((key) =>
      key === 'dataDir'
        ? `dataDir in ${file.path}: the file is found through it; use --data-dir or NAUTILUS_HOME`
        : `${key} in ${file.path}: unknown; the fields are ${Object.keys(fields).join(', ')}`,
    );
}

function dataDirOf({ flags, env }: Omit<ConfigSources, 'file'>): string {
  return resolveDataDirectory(flags.dataDir === undefined ? undefined : String(flags.dataDir), env);
}

/** Grammars of other rooms name their flag themselves. */
function withoutPrefix(problem: string, label: string): string {
  return problem.startsWith(`${label}: `) ? problem.slice(label.length + 2) : problem;
}

async function readConfigFile(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    // No file, or not even a directory yet (or a file in its place, of which opening the directory speaks).
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw toDataDirectoryError(path, error);
  }
  if (text.length > MAX_FILE_BYTES) throw invalidFile(path, 'it is larger than 1 MiB');
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    throw invalidFile(path, `it is not JSON (${(error as Error).message})`, error);
  }
  if (typeof values === 'object' && values !== null && !Array.isArray(values)) return values as Record<string, unknown>;
  throw invalidFile(path, 'it should hold an object such as {"network": "main"}');
}

function invalidFile(path: string, what: string, cause?: unknown): NautilusError {
  const problem = `${path}: ${what}`;
  return new NautilusError('CONFIG_INVALID', `the configuration cannot be used: ${problem}`, {
    cause,
    details: { problems: [problem] },
  });
}
