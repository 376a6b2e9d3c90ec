/** Real records to store: the packages of this project's lockfile, name → version and integrity. */
import { readFile } from 'node:fs/promises';

export interface DemoRecord {
  readonly key: string;
  readonly value: string;
}

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
}

export async function lockfileRecords(): Promise<DemoRecord[]> {
  const text = await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };
  return Object.entries(packages)
    .filter(([, { version, integrity }]) => version !== undefined && integrity !== undefined)
    .map(([path, { version, integrity }]) => ({
      // A package that is there twice has two paths, hence two keys.
      key: `npm/${path.replace(/^node_modules\//, '')}`,
      value: JSON.stringify({ version, integrity }),
    }));
}
