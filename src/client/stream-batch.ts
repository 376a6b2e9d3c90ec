/**
 * Batches of any length over commands of bounded length: the records are cut into chunks, two of which are under way at once. Results come
 * in the order of the records, one for each.
 */
import {
  type CallOptions,
  type CommandCaller,
  type CommandInput,
  type CommandOutput,
  MAX_BATCH_RECORDS,
  MAX_MESSAGE_BYTES,
  type ReadChoices,
  type WriteChoices,
} from '../commands/index.ts';

export type BatchOptions =
  | ({ readonly verb: 'put'; readonly ttl?: string | undefined } & WriteChoices & CallOptions)
  | ({ readonly verb: 'get' } & ReadChoices & CallOptions);

type BatchOutput = CommandOutput<'put-batch' | 'get-batch'>;

/** A chunk is begun while the one before it is finished, so that its slowest record holds up nobody. */
const CHUNKS_IN_FLIGHT = 2;
/** JSON bytes of a chunk, unless a single record has more: well under what one message can be. */
const CHUNK_BYTES = MAX_MESSAGE_BYTES / 4;

/**
 * @param records for `put` objects like `{ key, value, ttl }`, for `get` keys. Anything else is that record's failure, not the batch's.
 * @throws NautilusError when the node goes away; results that were handed out before it stay true
 */
export async function* streamBatch(
  caller: CommandCaller,
  records: AsyncIterable<unknown> | Iterable<unknown>,
  options: BatchOptions,
): AsyncGenerator<BatchOutput> {
  const abort = new AbortController();
  const signal = options.signal === undefined ? abort.signal : AbortSignal.any([options.signal, abort.signal]);
  // BOUNDED: CHUNKS_IN_FLIGHT.
  const running: RunningChunk[] = [];
  try {
    for await (const chunk of chunksOf(records)) {
      running.push(begin(startChunk(caller, chunk, options, signal)));
      if (running.length >= CHUNKS_IN_FLIGHT) yield* resultsOf(running.shift());
    }
    while (running.length > 0) yield* resultsOf(running.shift());
  } finally {
    abort.abort();
  }
}

interface RunningChunk {
  readonly results: AsyncIterator<BatchOutput>;
  readonly first: Promise<IteratorResult<BatchOutput>>;
}

/** Asking for the first result is what sends the command. */
function begin(results: AsyncIterator<BatchOutput>): RunningChunk {
  const first = results.next();
  // It is awaited when its turn comes; a failure before that must not count as unhandled.
  first.catch(() => undefined);
  return { results, first };
}

async function* resultsOf(chunk: RunningChunk | undefined): AsyncGenerator<BatchOutput> {
  for (let step = await chunk?.first; step !== undefined && !step.done; step = await chunk?.results.next()) {
    yield step.value;
  }
}

function startChunk(
  caller: CommandCaller,
  chunk: readonly unknown[],
  options: BatchOptions,
  signal: AbortSignal,
): AsyncIterator<BatchOutput> {
  if (options.verb === 'put') {
    const { ttl, quorum, strict } = options;
    return caller.stream('put-batch', { records: chunk, ttl, quorum, strict }, { signal });
  }
  const { quorum, stable } = options;
  const keys = chunk as CommandInput<'get-batch'>['keys'];
  return caller.stream('get-batch', { keys, quorum, stable }, { signal });
}

async function* chunksOf(records: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<unknown[]> {
  let chunk: unknown[] = [];
  let bytes = 0;
  for await (const record of records) {
    const size = Buffer.byteLength(JSON.stringify(record) ?? '');
    if (chunk.length > 0 && (chunk.length >= MAX_BATCH_RECORDS || bytes + size > CHUNK_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(record);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
