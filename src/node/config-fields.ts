/**
 * Every field of the configuration, with its flag, variable, default and description: the README's table and `--help` are checked against
 * this. Not here: network constants (K, maximum TTL …), which a network agrees on and no node may choose.
 */
import type { NodeMode } from '../kademlia/index.ts';
import { LOG_LEVELS, type LogLevel } from '../platform/index.ts';
import { NETWORK_NAME_PATTERN } from '../records/index.ts';
import {
  type ConfigField,
  type ConfigOrigin,
  ConfigProblem,
  parseChoice,
  parseCount,
  parseList,
  parseSize,
  parseSwitch,
  parseText,
} from './config-field.ts';
import { LISTEN_EXAMPLE, problemOfListenAddress } from './listen-address.ts';

const DEFAULT_LISTEN = LISTEN_EXAMPLE;

const MODES = ['server', 'client', 'bootstrap'] as const satisfies readonly NodeMode[];

export interface ListenHostPort {
  readonly host: string;
  readonly port: number;
}

/** The grammars that belong to other rooms; each throws a NautilusError that says what the value should look like. */
export interface ConfigGrammar {
  readonly parsePeerAddress: (text: string) => unknown;
  readonly parseRendezvousAddress: (text: string) => unknown;
  readonly parseListAddress: (text: string) => ListenHostPort;
  readonly parseStorage: (url: string) => unknown;
  /** All of them together: several form a ring. */
  readonly checkStorages: (urls: readonly string[]) => unknown;
}

/** The values of the fields, by name. `dataDir` is apart: it says where the file is. */
export interface ConfigValues {
  readonly listen: readonly string[];
  readonly announce: readonly string[];
  readonly bootstrap: readonly string[];
  readonly network: string;
  readonly storage: readonly string[];
  readonly mode: NodeMode;
  readonly mdns: boolean;
  readonly rendezvous: readonly string[];
  readonly logLevel: LogLevel;
  readonly list: ListenHostPort | undefined;
  readonly maxConnections: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
}

export type ConfigFieldName = keyof ConfigValues;
type Fields = { readonly [Name in ConfigFieldName]: ConfigField<ConfigValues[Name]> };

interface FieldText {
  readonly flag?: string;
  readonly defaultText: string;
  readonly description: string;
}

export function configFields(grammar: ConfigGrammar): Fields {
  const { parsePeerAddress, parseRendezvousAddress, parseListAddress, parseStorage, checkStorages } = grammar;
  return {
    listen: field('listen', [DEFAULT_LISTEN], (raw, origin) => {
      const addresses = parseList(raw, origin, (text) => complain(problemOfListenAddress(text)));
      if (addresses.length === 0) throw new ConfigProblem('at least one address is needed');
      return addresses;
    }),
    announce: field('announce', [], (raw, origin) => parseList(raw, origin, parsePeerAddress)),
    bootstrap: field('bootstrap', [], (raw, origin) =>
      parseList(raw, origin, (text) => {
        if (/^https?:/i.test(text)) complain(problemOfUrl(text));
        else parsePeerAddress(text);
      }),
    ),
    network: field('network', 'main', (raw) => {
      const name = parseText(raw);
      if (NETWORK_NAME_PATTERN.test(name)) return name;
      throw new ConfigProblem(
        `"${name}" should be 1 to 63 of a-z, 0-9, dot, dash and underscore, the first a letter or digit`,
      );
    }),
    storage: field('storage', ['lmdb:'], (raw, origin) => {
      const urls = parseList(raw, origin, parseStorage);
      if (urls.length === 0) throw new ConfigProblem('at least one storage is needed');
      checkStorages(urls);
      return urls;
    }),
    mode: field('mode', 'server', (raw) => parseChoice(raw, MODES)),
    mdns: field('mdns', false, parseSwitch),
    rendezvous: field('rendezvous', [], (raw, origin) => parseList(raw, origin, parseRendezvousAddress)),
    logLevel: field('logLevel', 'info', (raw) => parseChoice(raw, LOG_LEVELS)),
    list: field('list', undefined, (raw) => parseListAddress(parseText(raw))),
    maxConnections: field('maxConnections', 300, (raw, origin) => parseCount(raw, origin, 1)),
    maxRecords: field('maxRecords', 1_000_000, (raw, origin) => parseCount(raw, origin, 1)),
    maxBytes: field('maxBytes', 4 * 1024 ** 3, (raw) => parseSize(raw, 1024 ** 2)),
  };
}

const TEXTS: { readonly [Name in ConfigFieldName]: FieldText } = {
  listen: {
    flag: '--listen MULTIADDR',
    defaultText: DEFAULT_LISTEN,
    description: 'Where to listen; repeatable. When the default port is taken, the next free one is used and said.',
  },
  announce: {
    flag: '--announce MULTIADDR',
    defaultText: 'what it listens on',
    description: 'Addresses to tell others instead, behind a router or proxy; repeatable.',
  },
  bootstrap: {
    flag: '--bootstrap MULTIADDR|URL',
    defaultText: 'none',
    description: 'First peers: addresses, /dnsaddr names or http(s) peer lists; repeatable.',
  },
  network: {
    flag: '--network NAME',
    defaultText: 'main',
    description: 'Name of the network. Networks of different names never mix.',
  },
  storage: {
    flag: '--storage URL',
    defaultText: 'lmdb:',
    description:
      'Where records are kept: lmdb: (on disk here), memory:, redis://… or postgres://…; several are a ring.',
  },
  mode: {
    flag: '--mode MODE',
    defaultText: 'server',
    description: 'server stores for others, client only asks, bootstrap only introduces peers.',
  },
  mdns: { flag: '--mdns', defaultText: 'false', description: 'Find peers on the local network by multicast DNS.' },
  rendezvous: {
    flag: '--rendezvous MULTIADDR',
    defaultText: 'none',
    description: 'Peers of any libp2p DHT through which nodes of this network find each other; repeatable.',
  },
  logLevel: {
    flag: '--log-level LEVEL',
    defaultText: 'info',
    description: `How much to log: ${LOG_LEVELS.join(', ')}.`,
  },
  list: {
    flag: '--list HOST:PORT',
    defaultText: 'none',
    description: 'Serve the peer list over HTTP there (mode bootstrap only).',
  },
  maxConnections: {
    defaultText: '300',
    description: 'Connections at once; the least used are closed beyond that.',
  },
  maxRecords: {
    defaultText: '1000000',
    description: 'Records kept for the network; newcomers are refused beyond that.',
  },
  maxBytes: { defaultText: '4GiB', description: 'Bytes of records kept for the network, such as 512MiB.' },
};

export interface ConfigFieldDoc {
  readonly name: string;
  readonly flag: string | undefined;
  readonly env: string;
  readonly inFile: boolean;
  readonly default: string;
  readonly description: string;
}

/** The README's configuration table, row by row. */
export const CONFIG_FIELDS: readonly ConfigFieldDoc[] = [
  {
    name: 'dataDir',
    flag: '--data-dir DIR',
    env: 'NAUTILUS_HOME',
    inFile: false,
    default: '~/.nautilus/default',
    description: 'Directory of the identity, the records and config.json; every verb finds its node by it.',
  },
  ...Object.entries(TEXTS).map(([name, { flag, defaultText, description }]) => ({
    name,
    flag,
    env: envName(name),
    inFile: true,
    default: defaultText,
    description,
  })),
];

function field<Name extends ConfigFieldName>(
  name: Name,
  defaultValue: ConfigValues[Name],
  parse: (raw: unknown, origin: ConfigOrigin) => ConfigValues[Name],
): ConfigField<ConfigValues[Name]> {
  return { name, flag: TEXTS[name].flag, env: envName(name), defaultValue, parse };
}

/** `logLevel` → `NAUTILUS_LOG_LEVEL` */
function envName(name: string): string {
  return `NAUTILUS_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

function complain(problem: string | undefined): void {
  if (problem !== undefined) throw new ConfigProblem(problem);
}

function problemOfUrl(text: string): string | undefined {
  const isUsable = URL.canParse(text) && new URL(text).hostname !== '';
  return isUsable ? undefined : `"${text}" is not a URL of a peer list; it looks like https://example.org/peers`;
}
