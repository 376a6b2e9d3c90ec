/** A name resolver over a table, for tests of what is done with answers. The system's is tested against a real DNS server. */
import type { HostAddress, NameResolver } from '../../../src/bootstrap/name-resolver.ts';

export interface MemoryNames {
  readonly hosts?: Readonly<Record<string, readonly HostAddress[]>>;
  readonly texts?: Readonly<Record<string, readonly string[]>>;
  /** Names whose question fails, with the system's error code. */
  readonly broken?: Readonly<Record<string, string>>;
}

export function createMemoryNames({
  hosts = {},
  texts = {},
  broken = {},
}: MemoryNames): NameResolver & { asked: string[] } {
  const asked: string[] = [];
  const ask = (name: string) => {
    asked.push(name);
    const code = broken[name];
    if (code !== undefined) throw Object.assign(new Error(`query ${code} ${name}`), { code });
  };
  return {
    asked,
    addresses: async (host, family) => {
      ask(host);
      return (hosts[host] ?? []).filter((entry) => family === 'any' || entry.family === family);
    },
    texts: async (name) => {
      ask(name);
      return texts[name] ?? [];
    },
  };
}
