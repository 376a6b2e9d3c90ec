/** The lines of a batch file or of stdin, one at a time, of bounded length; blank ones are skipped. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { LineSplitter } from '../commands/index.ts';
import { NautilusError } from '../core/index.ts';

/** A value of 64 KiB is at most 384 KiB of JSON. */
const MAX_LINE_BYTES = 524_288;

export interface BatchLine {
  /** From 1. */
  readonly number: number;
  readonly bytes: Uint8Array;
  /** Bytes of the file up to the end of this line. */
  readonly end: number;
}

export interface BatchFile {
  /** Bytes; undefined when it is a stream whose end is not known. */
  readonly size: number | undefined;
  readonly lines: AsyncIterable<BatchLine>;
}

/**
 * @param path `-` for stdin
 * @throws NautilusError `USAGE` when it cannot be read; while iterating, when a line is too long
 */
export async function openBatch(path: string): Promise<BatchFile> {
  if (path === '-') return { size: undefined, lines: linesOf(process.stdin, 'stdin') };
  try {
    const facts = await stat(path);
    if (facts.isDirectory()) throw new Error('it is a directory');
    return { size: facts.isFile() ? facts.size : undefined, lines: linesOf(createReadStream(path), path) };
  } catch (cause) {
    throw new NautilusError('USAGE', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

async function* linesOf(stream: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<BatchLine> {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  let number = 0;
  let end = 0;
  for await (const chunk of stream) {
    for (const line of splitter.push(chunk)) {
      number += 1;
      if (line === 'too-long') {
        throw new NautilusError('USAGE', `line ${number} of ${name} has over ${MAX_LINE_BYTES} bytes: is it a batch?`);
      }
      end += line.length + 1;
      if (!isBlank(line)) yield { number, bytes: line, end };
    }
  }
  const rest = splitter.rest();
  if (!isBlank(rest)) yield { number: number + 1, bytes: rest, end: end + rest.length };
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
