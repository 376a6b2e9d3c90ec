/** Where a value comes from: the argument, a file or stdin. Never more than one byte over the limit is read of anything. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { encodeValue, type RecordInput } from '../commands/index.ts';
import { NautilusError } from '../core/index.ts';

/** Largest value of a network with the default constants; the node checks against its own. */
const MAX_VALUE_BYTES = 65_536;

export interface ValueSource {
  /** `-` is stdin. */
  readonly argument: string | undefined;
  readonly file: string | undefined;
}

/** @throws NautilusError `USAGE`, `VALUE_TOO_LARGE` */
export async function readValue(
  { argument, file }: ValueSource,
  stdin: Readable = process.stdin,
): Promise<Pick<RecordInput, 'value' | 'encoding'>> {
  if ((argument === undefined) === (file === undefined)) {
    throw new NautilusError('USAGE', 'put takes one value: as an argument, with --file FILE, or - for stdin');
  }
  if (file !== undefined) return encodeValue(await readFileBounded(file));
  if (argument === '-') return encodeValue(await readStreamBounded(stdin));
  if (argument?.includes('\uFFFD')) {
    throw new NautilusError('USAGE', 'the value is not UTF-8 (or holds U+FFFD): give its bytes with --file FILE or -');
  }
  return { value: argument as string, encoding: 'utf8' };
}

async function readFileBounded(path: string): Promise<Uint8Array> {
  try {
    return await readStreamBounded(createReadStream(path, { end: MAX_VALUE_BYTES }));
  } catch (error) {
    if (error instanceof NautilusError) throw error;
    throw new NautilusError('USAGE', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function readStreamBounded(stream: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_VALUE_BYTES) {
      throw new NautilusError(
        'VALUE_TOO_LARGE',
        `the value has over ${MAX_VALUE_BYTES} bytes: split it, or store where it is`,
      );
    }
  }
  return Buffer.concat(chunks);
}
