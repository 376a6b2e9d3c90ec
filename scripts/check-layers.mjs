// Runs the layer rules (.dependency-cruiser.cjs) over src, testnet, scripts and test, and proves that they were applied: the modules read
// must be exactly the .ts files on disk, and every import a second reader finds must be among those the rules saw, because a parser that
// reads nothing finds no violation either. Plain JavaScript, so that it starts in a moment. Not here: the rules themselves.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseSync } from '@swc/core';
import { cruise } from 'dependency-cruiser';

const FOLDERS = ['src', 'testnet', 'scripts', 'test'];

// Rules about what happens at run time, and the kinds of import they therefore excuse (dependency-cruiser's swc parser does not tell them
// apart): `type` is erased by the compiler, `dynamic` waits until it is reached.
const EXCUSED = new Map([
  ['cli-loads-late', ['type', 'dynamic']],
  ['lmdb-loads-late', ['type', 'dynamic']],
  ['ioredis-loads-late', ['type', 'dynamic']],
  ['pg-loads-late', ['type', 'dynamic']],
  ['types-of-the-protocol', ['type']],
  ['one-composition-root', ['type']],
]);

/** Every import in a TypeScript file: its specifier (undefined when computed) and whether it is `type`, `dynamic` or `static`. */
function importsOf(file) {
  const imports = [];
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return;
    if (typeof node.type === 'string' && /^(?:Import|Export\w+)Declaration$/.test(node.type) && node.source) {
      imports.push({ specifier: node.source.value, kind: node.typeOnly ? 'type' : 'static' });
    } else if (node.type === 'CallExpression' && node.callee.type === 'Import') {
      const argument = node.arguments[0]?.expression;
      imports.push({ specifier: argument?.type === 'StringLiteral' ? argument.value : undefined, kind: 'dynamic' });
    } else if (node.type === 'TsImportType') {
      imports.push({ specifier: node.argument.value, kind: 'type' });
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseSync(readFileSync(file, 'utf8'), { syntax: 'typescript', target: 'es2022' }));
  return imports;
}

const files = FOLDERS.filter((folder) => existsSync(folder))
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((file) => `${folder}/${file.replaceAll('\\', '/')}`),
  )
  .filter((file) => file.endsWith('.ts'));
const importsByFile = new Map(files.map((file) => [file, importsOf(file)]));

const { options, ...ruleSet } = createRequire(import.meta.url)('../.dependency-cruiser.cjs');
const present = FOLDERS.filter((folder) => files.some((file) => file.startsWith(`${folder}/`)));
const { output } = await cruise(present, { ...options, ruleSet, validate: true });
const dependenciesOf = new Map(output.modules.map(({ source, dependencies }) => [source, dependencies]));

const problems = [];

for (const { rule, from, to } of output.summary.violations) {
  const excused = EXCUSED.get(rule.name) ?? [];
  const specifiers = (dependenciesOf.get(from) ?? [])
    .filter(({ resolved }) => resolved === to)
    .map(({ module }) => module);
  const kinds = (importsByFile.get(from) ?? []).filter(({ specifier }) => specifiers.includes(specifier));
  if (kinds.length > 0 && kinds.every(({ kind }) => excused.includes(kind))) continue;
  const { comment } = ruleSet.forbidden.find(({ name }) => name === rule.name);
  problems.push(`${from} -> ${to}\n    ${rule.name}: ${comment}`);
}

for (const [file, imports] of importsByFile) {
  const dependencies = dependenciesOf.get(file);
  if (dependencies === undefined) problems.push(`${file}\n    unread: no rule was applied to this file.`);
  const seen = new Set(dependencies?.flatMap(({ module, protocol = '' }) => [module, protocol + module]));
  for (const { specifier } of imports) {
    if (specifier === undefined) {
      if (/^(?:src|testnet)\//.test(file))
        problems.push(`${file}\n    computed: the rules cannot see where this import() leads.`);
    } else if (!seen.has(specifier)) {
      problems.push(
        `${file} -> ${specifier}\n    unread: no rule was applied to this import; write it as import, import type or import().`,
      );
    }
  }
}

const read = [...dependenciesOf.keys()].filter((source) =>
  /^(?:src|testnet|scripts|test)\/.*\.ts$/.test(source),
).length;
const imports = [...importsByFile.values()].reduce((sum, { length }) => sum + length, 0);
if (read !== files.length) problems.push(`read ${read} modules, but there are ${files.length} .ts files on disk`);
for (const problem of problems) console.error(problem);
console.log(`layers: ${read} modules of ${files.length} files read, ${imports} imports, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;
