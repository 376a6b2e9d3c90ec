/**
 * Which room may import which: the table of ARCHITECTURE.md as rules. Run through scripts/check-layers.mjs, which excuses `import type` and
 * `import()` where a rule is about run time, and asserts that every file and every import was read. The swc parser is not a preference:
 * with TypeScript 7 the default parser reads nothing and reports success.
 */

const PURE_ROOMS = ['core', 'records', 'kademlia', 'replication'];
const LIBP2P = ['libp2p', '@libp2p/', '@chainsafe/libp2p-', '@multiformats/', 'multiformats', 'uint8arraylist'];
const PURE_PACKAGES = ['cbor-x', '@noble/hashes', 'uint8arrays'];

/** Per room: the rooms and the npm packages it may import. */
const ROOMS = {
  core: { rooms: [], packages: [] },
  records: { rooms: ['core'], packages: PURE_PACKAGES },
  kademlia: { rooms: ['core', 'records'], packages: PURE_PACKAGES },
  replication: { rooms: ['core', 'records', 'kademlia'], packages: PURE_PACKAGES },
  registry: { rooms: ['core', 'records'], packages: ['@noble/hashes', 'cbor-x', 'lru-cache', 'uint8arrays'] },
  platform: { rooms: ['core', 'records'], packages: ['pino', 'prom-client'] },
  network: { rooms: ['core', 'kademlia', 'platform'], packages: [...LIBP2P, 'uint8arrays'] },
  bootstrap: { rooms: ['core', 'kademlia', 'network', 'platform'], packages: [] },
  commands: { rooms: PURE_ROOMS, packages: ['zod'] },
  servers: { rooms: ['core', 'commands', 'platform'], packages: [] },
  client: { rooms: ['core', 'commands', 'platform'], packages: [] },
  node: {
    rooms: [...PURE_ROOMS, 'registry', 'platform', 'network', 'bootstrap', 'commands', 'servers', 'client'],
    packages: ['zod'],
  },
  cli: { rooms: ['core', 'commands', 'client', 'platform'], packages: ['commander'] },
};

/** Storage clients: only inside the storage that needs them, and only by `import()`. */
const STORAGE_CLIENTS = { lmdb: 'lmdb', redis: 'ioredis', postgres: 'pg' };

/** The files of a room that other rooms may import. node20.ts must be importable before anything else is loaded. */
const DOORS = [
  '^src/[^/]+/index\\.ts$',
  '^src/servers/[^/]+/index\\.ts$',
  '^src/registry/storage-conformance\\.ts$',
  '^src/platform/node20\\.ts$',
];
const NODE_MODULES = '(?:^|/)node_modules/';
const NODE20 = '^src/platform/node20\\.ts$';

const oneOf = (names) => `(?:${names.join('|')})`;
const escaped = (name) => name.replace(/[/.@-]/g, '\\$&');
const packagesPath = (names) =>
  `${NODE_MODULES}${oneOf(names.map((name) => escaped(name) + (/[/-]$/.test(name) ? '' : '/')))}`;
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const roomRules = Object.entries(ROOMS).flatMap(([room, { rooms, packages }]) => {
  const from = { path: `^src/${room}/` };
  const allowed = [`^src/${oneOf([room, ...rooms])}/`];
  if (!PURE_ROOMS.includes(room)) allowed.push(NODE20);
  if (room === 'cli') allowed.push('^src/node/', '^testnet/'); // by import() only: cli-loads-late
  const allowedPackages = room === 'registry' ? [...packages, ...Object.values(STORAGE_CLIENTS)] : packages;
  return [
    forbid(`${room}-rooms`, `${room} may import ${rooms.join(', ') || 'no other room'}.`, from, {
      path: '^(?:src|testnet|scripts|test)/',
      pathNot: allowed,
    }),
    forbid(`${room}-packages`, `${room} may import from npm: ${packages.join(', ') || 'nothing'}.`, from, {
      path: NODE_MODULES,
      ...(allowedPackages.length > 0 && { pathNot: packagesPath(allowedPackages) }),
    }),
  ];
});

const storageRules = Object.entries(STORAGE_CLIENTS).flatMap(([storage, client]) => [
  forbid(
    `${client}-only-in-its-storage`,
    `${client} belongs to src/registry/storages/${storage}.ts.`,
    { path: '^(?:src|testnet)/', pathNot: `^src/registry/storages/${storage}\\.ts$` },
    { path: packagesPath([client]) },
  ),
  forbid(
    `${client}-loads-late`,
    `${client} is loaded by import(), when that storage is opened.`,
    { path: `^src/registry/storages/${storage}\\.ts$` },
    { path: packagesPath([client]) },
  ),
]);

module.exports = {
  forbidden: [
    ...roomRules,
    ...storageRules,
    forbid('no-cycles', 'Parts that need each other are one part, or miss a port.', {}, { circular: true }),
    forbid('resolvable', 'An import must lead somewhere.', {}, { couldNotResolve: true }),
    forbid(
      'declared',
      'A package is imported only when package.json names it; shipped code needs it in dependencies.',
      { path: '^(?:src|testnet)/' },
      // Optional peers are dev dependencies here too, for the tests.
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-bundled'], dependencyTypesNot: ['npm-peer'] },
    ),
    forbid(
      'pure-rooms-know-no-node',
      'The pure rooms run in the simulator and in any runtime: no Node built-ins.',
      { path: `^src/${oneOf(PURE_ROOMS)}/` },
      { dependencyTypes: ['core'] },
    ),
    forbid(
      'doors',
      "A room is entered by its index.ts; the rest is the room's own business.",
      { path: '^src/([^/]+)/' },
      { path: '^src/', pathNot: ['^src/$1/', ...DOORS] },
    ),
    forbid(
      'doors-of-rooms-outside-src',
      'The public index, testnet, scripts and the outer tests use what everybody else can use.',
      {
        path: '^(?:src/[^/]+\\.ts$|testnet/|scripts/|test/)',
        pathNot: '^(?:testnet/simulator|test/unit|test/property|test/simulation)/',
      },
      { path: '^src/', pathNot: ['^src/index\\.ts$', ...DOORS] },
    ),
    forbid(
      'simulator-internals',
      'The simulator may open the rooms it runs on its virtual clock, and no others.',
      { path: '^testnet/simulator/' },
      { path: '^src/', pathNot: [`^src/${oneOf([...PURE_ROOMS, 'registry'])}/`, ...DOORS] },
    ),
    forbid(
      'testnet-doors',
      'The parts of testnet are rooms too.',
      { path: '^testnet/([^/]+)/' },
      { path: '^testnet/', pathNot: ['^testnet/$1/', '^testnet/index\\.ts$', '^testnet/[^/]+/index\\.ts$'] },
    ),
    forbid(
      'testnet-packages',
      'What testnet needs from npm it gets through a room; only network/ knows libp2p.',
      { path: '^testnet/' },
      { path: NODE_MODULES, pathNot: packagesPath(PURE_PACKAGES) },
    ),
    forbid(
      'shipped-imports-shipped',
      'Tests and scripts are not shipped.',
      { path: '^(?:src|testnet)/' },
      { path: '^(?:test|scripts)/' },
    ),
    forbid(
      'nobody-imports-cli',
      'The CLI is an end, not a part.',
      { path: '^(?:src|testnet)/', pathNot: '^src/cli/' },
      { path: '^src/cli/' },
    ),
    forbid(
      'servers-stand-alone',
      'A server never imports another server.',
      { path: '^src/servers/([^/]+)/' },
      { path: '^src/servers/[^/]+/', pathNot: '^src/servers/$1/' },
    ),
    forbid(
      'cli-loads-late',
      'A verb to a running node must not load libp2p: node and testnet only by import().',
      { path: '^src/cli/' },
      { path: '^(?:src/node|testnet)/' },
    ),
    forbid(
      'types-of-the-protocol',
      'commands takes from the protocol rooms the types of results only: whoever calls an operation, the node does it.',
      { path: '^src/commands/' },
      { path: `^src/${oneOf(PURE_ROOMS.slice(1))}/` },
    ),
    forbid(
      'one-composition-root',
      'Only create-node.ts opens resources and puts parts together; the other files of node/ are handed what they need.',
      { path: '^src/node/', pathNot: '^src/node/create-node\\.ts$' },
      { path: '^src/(?:registry|network|bootstrap|servers)/' },
    ),
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    moduleSystems: ['es6'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json', '.d.ts'],
    },
  },
};
