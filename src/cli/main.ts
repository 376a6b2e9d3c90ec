#!/usr/bin/env node
/** The bin. Everything heavy is loaded by the verb that needs it: help and verbs to a running node start within a few milliseconds of Node. */
import { readFileSync } from 'node:fs';
import { createProgram, runProgram } from './create-program.ts';
import { WELCOME } from './welcome.ts';

// A reader that left (`nautilus list | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const args = process.argv.slice(2);
if (args.length === 0) process.stdout.write(WELCOME);
else await runProgram(createProgram(readVersion()), args);

// What was written first reaches the reader; then nothing that is still open may keep the process.
process.stdout.write('', () => process.exit());

/** From dist/src/cli to the package. */
function readVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
