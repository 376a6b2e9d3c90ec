/** The README as a test sees it: its code blocks, its tables, and the shape of output that differs from run to run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './cli.ts';

export interface ReadmeCommand {
  readonly text: string;
  /** Lines of output that the README shows; empty when it shows none. */
  readonly output: readonly string[];
}

export interface ReadmeBlock {
  readonly language: string;
  readonly text: string;
}

export function readReadme(): string {
  return readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
}

export function codeBlocks(markdown: string): ReadmeBlock[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({ language, text }));
}

/** `sh`: a command a line. `console`: commands after `$ `, each with the output that follows it. */
export function commandsOf({ language, text }: ReadmeBlock): ReadmeCommand[] {
  const lines = text.split('\n').filter((line) => line !== '');
  if (language === 'sh') return lines.map((line) => ({ text: line, output: [] }));
  const commands: { text: string; output: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) commands.push({ text: line.slice(2), output: [] });
    else commands.at(-1)?.output.push(line);
  }
  return commands;
}

/** The rows of the table under a heading, cell by cell, without its head. */
export function tableUnder(markdown: string, heading: string): string[][] {
  const section = markdown.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) => {
    const cells = row.slice(1, -1).replaceAll('\\|', '\u0000').split('|');
    return cells.map((cell) => cell.replaceAll('\u0000', '|').replaceAll('`', '').trim());
  });
}

/** What stays the same when other ids, addresses, moments and directories are filled in. */
export function shapeOf(line: string, home: string): string {
  return line
    .replaceAll(home, '/home/you')
    .replaceAll(/12D3KooW[1-9A-HJ-NP-Za-km-z]{44}/g, '<peer>')
    .replaceAll(/\/ip4\/[\d.]+\/tcp\/\d+/g, '<address>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '<moment>')
    .replaceAll(/\b[\d.]+ (?:ms|s|min|h|d)\b/g, '<duration>')
    .replaceAll(/ {2,}/g, '  ');
}
