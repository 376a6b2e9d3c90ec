/**
 * Linux network namespaces: two machines on one link, or one machine without any, for tests that must not touch the real network. They need
 * root (or CAP_NET_ADMIN) and iproute2.
 */
import { execFileSync } from 'node:child_process';

export interface Namespace {
  readonly name: string;
  /** The address on the link; undefined without a link. */
  readonly address: string | undefined;
}

/** Why namespaces cannot be made here; undefined when they can. */
export function problemOfNamespaces(): string | undefined {
  const name = `nautilus-${process.pid}-probe`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'delete', name);
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made here: ${error instanceof Error ? error.message.trim() : String(error)}`;
  }
}

/** A machine whose only interface is its loopback. */
export function createLoneNamespace(label: string): Namespace {
  const name = createNamespace(label);
  return { name, address: undefined };
}

/** Two machines, 10.77.0.1 and 10.77.0.2, on one link of their own. */
export function createLinkedNamespaces(label: string): readonly [Namespace, Namespace] {
  const names = [createNamespace(`${label}-a`), createNamespace(`${label}-b`)] as const;
  ip('link', 'add', 'link0', 'netns', names[0], 'type', 'veth', 'peer', 'name', 'link0', 'netns', names[1]);
  const [a, b] = names.map((name, i) => {
    const address = `10.77.0.${i + 1}`;
    ip('-n', name, 'address', 'add', `${address}/24`, 'dev', 'link0');
    ip('-n', name, 'link', 'set', 'link0', 'up');
    ip('-n', name, 'route', 'add', '224.0.0.0/4', 'dev', 'link0');
    return { name, address };
  });
  return [a!, b!];
}

export function deleteNamespace({ name }: Namespace): void {
  ip('netns', 'delete', name);
}

/** Runs a command inside: to be put before its own words. */
export function inside({ name }: Namespace): readonly string[] {
  return ['ip', 'netns', 'exec', name];
}

function createNamespace(label: string): string {
  const name = `nautilus-${process.pid}-${label}`;
  ip('netns', 'add', name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  return name;
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
