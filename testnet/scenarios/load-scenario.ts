/** Scenarios as files: the ones that come with Nautilus by name, anybody's own by path. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NautilusError } from '../../src/core/index.ts';
import { parseScenario } from './parse-scenario.ts';
import type { ScenarioCommand } from './scenario-command.ts';

const EXTENSION = '.scenario';

/** Beside the source, or in the package, seen from dist/testnet/scenarios. */
const DIRECTORIES = ['./', '../../../testnet/scenarios/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));

export interface Scenario {
  readonly name: string;
  readonly commands: readonly ScenarioCommand[];
}

/** Those that come with Nautilus. */
export function scenarioNames(): readonly string[] {
  const files = DIRECTORIES.filter((path) => existsSync(path)).flatMap((path) => readdirSync(path));
  const names = files.filter((file) => file.endsWith(EXTENSION)).map((file) => file.slice(0, -EXTENSION.length));
  return [...new Set(names)].sort();
}

/** @param nameOrPath a path has a slash or ends in .scenario @throws NautilusError `USAGE` */
export function loadScenario(nameOrPath: string): Scenario {
  const isPath = nameOrPath.includes('/') || nameOrPath.endsWith(EXTENSION);
  const path = isPath ? nameOrPath : shippedPath(nameOrPath);
  const name = basename(path, EXTENSION);
  return { name, commands: parseScenario(readText(path), basename(path)) };
}

function shippedPath(name: string): string {
  const path = DIRECTORIES.map((directory) => `${directory}${name}${EXTENSION}`).find((file) => existsSync(file));
  if (path !== undefined) return path;
  const known = scenarioNames().join(', ');
  throw new NautilusError('USAGE', `there is no scenario "${name}": use ${known}, or the path of a file`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NautilusError('USAGE', `the scenario cannot be read: ${reason}`, { cause });
  }
}
