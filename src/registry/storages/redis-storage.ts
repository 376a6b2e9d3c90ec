/**
 * Entries in a Redis server: one string per entry, and one sorted set of all keys, because Redis keeps no order of its own. The two change
 * together, in scripts. What it costs beside the values: the index holds every key a second time (113 B + the key, measured), a write is two
 * O(log n) steps in the server, a page of a scan O(log n + entries), `size` looks at a sample. No SCAN, no KEYS.
 *
 * Deadlines are judged by our clock, in the scripts and on every read; the server, whose clock may be another, is told a lifetime with a margin
 * and so frees what nobody comes back for.
 */
import { type Clock, type NautilusError, untilAborted } from '../../core/index.ts';
import type {
  RegistryStorage,
  ScanOptions,
  StorageCapabilities,
  StorageEntry,
  StorageOptions,
  StorageSize,
  StoredEntry,
  StoreIfOperation,
  StoreIfOutcome,
} from '../storage.ts';
import { assertStorageKey } from '../storage-key.ts';
import { RedisBatcher } from './redis-batcher.ts';
import type { RedisConnection } from './redis-connection.ts';
import { decodeRedisEntry, decodeRedisHead, encodeRedisEntry, REDIS_HEAD_BYTES } from './redis-entry.ts';
import { damaged, toCallError } from './redis-errors.ts';
import type { RedisKeys, RedisSession } from './redis-greeting.ts';
import { type RedisArgument, RedisReplyError } from './redis-link.ts';
import { EXPECT, REDIS_SCRIPTS, type RedisScript } from './redis-scripts.ts';

export interface RedisStorageComponents {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly clock: Clock;
  /** For messages. */
  readonly address: string;
  readonly release: (session: RedisSession) => Promise<void>;
}

interface Write {
  readonly key: Buffer;
  /** `expected f64 ‖ lifetime f64 ‖ entry`, as the script wants it. */
  readonly operation: Buffer;
}

/** What the server does with one operation; an Error in place of it fails that operation. */
type WriteReply = 'done' | 'nothing' | 'full' | { readonly current: StorageEntry | undefined };

/** Beyond the deadline: our clock may be set back, or the server's forward, by that much without losing an entry early. */
const LIFETIME_MARGIN_MS = 3_600_000;
const OPERATION_HEAD_BYTES = 16;
/** BOUNDED: what one script of a scan looks at and hands out, 512 entries or 1 MiB and one value. */
const SCAN_LOOK = 512;
const SCAN_LOOK_SPARE = 16;
const SCAN_BYTES = 1024 * 1024;
const SIZE_SAMPLE = 64;

export class RedisStorage implements RegistryStorage {
  readonly name = 'redis';

  readonly #components: RedisStorageComponents;
  readonly #entryLead: Buffer;
  readonly #reads: RedisBatcher<Buffer, StorageEntry | undefined>;
  readonly #writes: RedisBatcher<Write, WriteReply>;
  #capabilities: StorageCapabilities = { persistent: true, durable: false, expires: false, shared: false };
  #closing: Promise<void> | undefined;

  constructor(components: RedisStorageComponents) {
    this.#components = components;
    this.#entryLead = Buffer.from(components.keys.entry);
    this.#reads = new RedisBatcher({ sizeOf: (key) => key.length, run: (keys) => this.#readEach(keys) });
    this.#writes = new RedisBatcher({
      sizeOf: ({ key, operation }) => key.length + operation.length,
      run: (writes) => this.#writeEach(writes),
    });
  }

  /** `durable` is what the server said when it was last connected to. */
  get capabilities(): StorageCapabilities {
    return this.#capabilities;
  }

  setDurable(durable: boolean): void {
    this.#capabilities = { ...this.#capabilities, durable };
  }

  async retrieve(key: Uint8Array, options?: StorageOptions): Promise<StorageEntry | undefined> {
    const [entry] = await this.retrieveBatch([key], options);
    return entry;
  }

  async retrieveBatch(
    keys: readonly Uint8Array[],
    options?: StorageOptions,
  ): Promise<readonly (StorageEntry | undefined)[]> {
    const entryKeys = keys.map((key) => this.#entryKey(key));
    const entries = await this.#call(entryKeys.length, 0, options, (signal) => this.#reads.add(entryKeys, signal));
    return entries.map((entry) => this.#unexpired(entry));
  }

  async storeIf(operation: StoreIfOperation, options?: StorageOptions): Promise<StoreIfOutcome> {
    const [outcome] = await this.storeIfBatch([operation], options);
    return outcome!;
  }

  async storeIfBatch(
    operations: readonly StoreIfOperation[],
    options?: StorageOptions,
  ): Promise<readonly StoreIfOutcome[]> {
    const writes = operations.map(({ key, expected, entry }) =>
      this.#toWrite(key, expected === 'absent' ? EXPECT.absent : expected, entry),
    );
    const replies = await this.#write(writes, options);
    return replies.map((reply): StoreIfOutcome => {
      if (typeof reply === 'object') return { kind: 'mismatch', current: this.#unexpired(reply.current) };
      return { kind: reply === 'full' ? 'full' : 'stored' };
    });
  }

  async store(key: Uint8Array, entry: StorageEntry, options?: StorageOptions): Promise<'stored' | 'full'> {
    const [reply] = await this.#write([this.#toWrite(key, EXPECT.anything, entry)], options);
    return reply === 'full' ? 'full' : 'stored';
  }

  async remove(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    const [reply] = await this.#write([this.#toWrite(key, EXPECT.remove, NO_ENTRY)], options);
    return reply === 'done';
  }

  async contains(key: Uint8Array, options?: StorageOptions): Promise<boolean> {
    const args = [this.#entryKey(key), '0', String(REDIS_HEAD_BYTES - 1)];
    const head = await this.#call(1, 0, options, () =>
      this.#components.connection.run(({ link }) => link.call('GETRANGE', args)),
    );
    if (!(head instanceof Buffer) || head.length === 0) return false;
    const { expiresAt } = decodeRedisHead(head) ?? this.#throwDamaged();
    return expiresAt > this.#components.clock.now();
  }

  async scan({ prefix = new Uint8Array(0), after, limit, signal }: ScanOptions): Promise<readonly StoredEntry[]> {
    const isAfterPrefix = after !== undefined && Buffer.compare(after, prefix) >= 0;
    const highest = lexBelowNext(prefix);
    return this.#call(1, 0, { signal }, async () => {
      const found: StoredEntry[] = [];
      let lowest = isAfterPrefix ? lex('(', after) : prefix.length === 0 ? '-' : lex('[', prefix);
      while (found.length < limit) {
        signal?.throwIfAborted();
        const page = await this.#scanPage(lowest, highest, limit - found.length);
        found.push(...page.entries);
        if (page.last === undefined || !page.hasMore) break;
        lowest = lex('(', page.last);
      }
      return found;
    });
  }

  async size(options?: StorageOptions): Promise<StorageSize> {
    const { index, entry } = this.#components.keys;
    const reply = await this.#call(1, 0, options, () =>
      this.#script('size', [index], () => [entry, String(SIZE_SAMPLE)]),
    );
    const [entries = 0, indexBytes = 0, sampled = 0, sampleBytes = 0] = (reply as readonly unknown[]).map(Number);
    return { entries, bytes: indexBytes + (sampled === 0 ? 0 : Math.round((sampleBytes / sampled) * entries)) };
  }

  close(): Promise<void> {
    this.#closing ??= this.#components.connection.close(this.#components.release);
    return this.#closing;
  }

  /** Reserves room, watches the signal, and gives the room back when the work itself is over. */
  async #call<T>(
    operations: number,
    bytes: number,
    options: StorageOptions | undefined,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    const signal = options?.signal;
    signal?.throwIfAborted();
    const release = this.#components.connection.reserve(operations, bytes);
    const guarded = async () => {
      try {
        return await work(signal);
      } finally {
        release();
      }
    };
    return untilAborted(guarded(), signal);
  }

  #write(writes: readonly Write[], options: StorageOptions | undefined): Promise<readonly WriteReply[]> {
    const bytes = writes.reduce((sum, { key, operation }) => sum + key.length + operation.length, 0);
    return this.#call(writes.length, bytes, options, (signal) => this.#writes.add(writes, signal));
  }

  /** Copies everything: the caller may use its buffers again. */
  #toWrite(key: Uint8Array, expected: number, entry: StorageEntry): Write {
    const operation = encodeRedisEntry(entry, OPERATION_HEAD_BYTES);
    const livesForMs = Math.max(0, Math.ceil(entry.expiresAt - this.#components.clock.now()));
    operation.writeDoubleBE(expected, 0);
    operation.writeDoubleBE(livesForMs + LIFETIME_MARGIN_MS, 8);
    return { key: this.#entryKey(key), operation };
  }

  #entryKey(key: Uint8Array): Buffer {
    assertStorageKey(key);
    return Buffer.concat([this.#entryLead, key]);
  }

  async #writeEach(writes: readonly Write[]): Promise<readonly (WriteReply | Error)[]> {
    const { keys, clock } = this.#components;
    const scriptKeys = [keys.owner, keys.index, ...writes.map(({ key }) => key)];
    const lead = String(this.#entryLead.length);
    const operations = writes.map(({ operation }) => operation);
    const now = String(clock.now());
    const replies = await this.#script('write', scriptKeys, ({ token }) => [token, now, lead, ...operations]);
    return (replies as readonly unknown[]).map((reply): WriteReply | Error => {
      if (reply === 1) return 'done';
      if (reply === 0) return 'nothing';
      if (reply === null) return { current: undefined };
      const current = this.#toEntry(reply);
      if (current instanceof Error) return isOutOfMemory(reply) ? 'full' : current;
      return { current };
    });
  }

  async #readEach(keys: readonly Buffer[]): Promise<readonly (StorageEntry | undefined | Error)[]> {
    const [first] = keys;
    const replies =
      keys.length === 1 && first !== undefined
        ? [await this.#components.connection.run(({ link }) => link.call('GET', [first]))]
        : ((await this.#script('read', keys, () => [])) as readonly unknown[]);
    return replies.map((reply) => (reply === null ? undefined : this.#toEntry(reply)));
  }

  async #scanPage(lowest: RedisArgument, highest: RedisArgument, wanted: number) {
    const { keys, clock } = this.#components;
    const look = Math.min(wanted + SCAN_LOOK_SPARE, SCAN_LOOK);
    const now = String(clock.now());
    const limits = [String(wanted), String(look), String(SCAN_BYTES)];
    const reply = await this.#script('scan', [keys.owner, keys.index], ({ token }) => [
      token,
      now,
      keys.entry,
      lowest,
      highest,
      ...limits,
    ]);
    const [hasMore, last, ...parts] = reply as readonly [number, Buffer | null, ...Buffer[]];
    const entries: StoredEntry[] = [];
    for (let at = 0; at + 1 < parts.length; at += 2) {
      const entry = this.#unexpired(decodeRedisEntry(parts[at + 1]!) ?? this.#throwDamaged());
      if (entry !== undefined) entries.push({ key: new Uint8Array(parts[at]!), ...entry });
    }
    return { hasMore: hasMore === 1, last: last === null ? undefined : Buffer.from(last), entries };
  }

  /** Once more with its text when the server has forgotten it (SCRIPT FLUSH). */
  #script(
    name: RedisScript,
    keys: readonly RedisArgument[],
    toArguments: (session: RedisSession) => readonly RedisArgument[],
  ): Promise<unknown> {
    return this.#components.connection.run(async (session) => {
      const args = [String(keys.length), ...keys, ...toArguments(session)];
      try {
        return await session.link.call('EVALSHA', [session.hashes[name], ...args]);
      } catch (error) {
        if (!(error instanceof RedisReplyError) || error.code !== 'NOSCRIPT') throw error;
        return session.link.call('EVAL', [REDIS_SCRIPTS[name], ...args]);
      }
    });
  }

  #unexpired(entry: StorageEntry | undefined): StorageEntry | undefined {
    return entry !== undefined && entry.expiresAt > this.#components.clock.now() ? entry : undefined;
  }

  /** An entry, or why there is none: a script hands an error on as `[text]`. */
  #toEntry(reply: unknown): StorageEntry | NautilusError {
    const { address } = this.#components;
    if (reply instanceof Buffer)
      return decodeRedisEntry(reply) ?? damaged(address, 'an entry is not what a node wrote');
    return toCallError(address, new RedisReplyError(Array.isArray(reply) ? String(reply[0]) : String(reply)));
  }

  #throwDamaged(): never {
    throw damaged(this.#components.address, 'an entry is not what a node wrote');
  }
}

const NO_ENTRY: StorageEntry = { value: new Uint8Array(0), version: 1, expiresAt: 0 };

function isOutOfMemory(reply: unknown): boolean {
  return Array.isArray(reply) && new RedisReplyError(String(reply[0])).code === 'OOM';
}

function lex(bound: '(' | '[', key: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(bound), key]);
}

/** Below the first key behind all that begin with `prefix`. */
function lexBelowNext(prefix: Uint8Array): RedisArgument {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return '+';
  const next = Buffer.from(prefix.subarray(0, length));
  next[length - 1] = next[length - 1]! + 1;
  return lex('(', next);
}
