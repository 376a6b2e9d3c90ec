/**
 * The figures of tests, for ARCHITECTURE.md to quote. Those of the long ones are kept: a file a day in test/results, a row a figure, the last
 * run of the day counts.
 * A figure is what was seen, not what is required: requirements are the test's expectations.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatTable } from '../../testnet/simulator/index.ts';

const DIRECTORY = fileURLToPath(new URL('../results/', import.meta.url));

export function recordFigure(what: string, figure: string): void {
  mkdirSync(DIRECTORY, { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  const path = `${DIRECTORY}${date}.md`;
  const head = `# Long tests, ${date}, Node ${process.version}\n\n| what | figure |\n|---|---|\n`;
  const rows = existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => /^\| (?!what )/.test(line))
    : [];
  const others = rows.filter((row) => !row.startsWith(`| ${what} |`));
  writeFileSync(path, `${head}${[...others, `| ${what} | ${figure} |`].join('\n')}\n`);
}

/** For whoever reads the output of the tests. The first row is the heading. */
export function printFigures(rows: readonly (readonly (string | number)[])[]): void {
  process.stdout.write(`${formatTable(rows)}\n`);
}
