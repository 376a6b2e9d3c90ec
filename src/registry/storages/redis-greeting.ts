/**
 * What happens on a new connection before the storage uses it, the first one and every one after: log in, see that the server will keep what
 * it is given, load the scripts, claim the prefix unless a newer version wrote it.
 *
 * The claim keeps two nodes out of one prefix. The owner's token lies in the server and every write shows it, so whoever lost it cannot write.
 * A node that opens looks whether a connection with the owner's name is still there and only then takes over: no lease to renew, and after a
 * `kill -9` the next start is free at once. Each new connection of one storage claims anew, which shuts out what the one before left behind.
 */
import { randomBytes } from 'node:crypto';
import { type Clock, sleep } from '../../core/index.ts';
import { misconfigured } from '../misconfigured.ts';
import { FORMAT_VERSION, unknownFormat } from './format-version.ts';
import { failed, inUse } from './redis-errors.ts';
import { type RedisLink, RedisReplyError } from './redis-link.ts';
import { ALLOW_OOM, REDIS_SCRIPTS, type RedisScript } from './redis-scripts.ts';
import { type RedisAddress, redisAddressText } from './redis-url.ts';

export interface RedisSession {
  readonly link: RedisLink;
  /** What a write has to show. */
  readonly token: string;
  readonly hashes: Readonly<Record<RedisScript, string>>;
  /** An answered write is on the server's disk. Undefined: the server does not say. */
  readonly isDurable: boolean | undefined;
  /** What its owner should know. */
  readonly warnings: readonly string[];
}

export interface RedisKeys {
  readonly owner: string;
  readonly format: string;
  readonly index: string;
  /** In front of the caller's key. */
  readonly entry: string;
}

const LOADING_POLL_MS = 100;
/** How long a connection of a process that is gone may still be listed. */
const LINGER_MS = 500;
const LINGER_POLL_MS = 50;
/** ZRANDMEMBER came with it. */
const OLDEST_VERSION = [6, 2] as const;

export class RedisGreeting {
  readonly #address: RedisAddress;
  readonly #keys: RedisKeys;
  readonly #clock: Clock;
  /** Of this storage, for as long as it is open. */
  readonly #name = `nautilus-${randomBytes(8).toString('hex')}`;
  #connections = 0;

  constructor(address: RedisAddress, keys: RedisKeys, clock: Clock) {
    this.#address = address;
    this.#keys = keys;
    this.#clock = clock;
  }

  /**
   * The caller destroys the link when `signal` aborts, which ends whatever is waited for here.
   * @throws RedisReplyError, NautilusError
   */
  async greet(link: RedisLink, signal: AbortSignal): Promise<RedisSession> {
    await this.#logIn(link);
    const warnings: string[] = [];
    const isNamed = await permitted(link.call('CLIENT', ['SETNAME', this.#name]));
    if (isNamed === undefined)
      warnings.push('the user may not name its connection: a second node on this prefix would take it over');
    const version = await this.#inspect(link, signal, warnings);
    const [isDurable, hashes] = await Promise.all([
      this.#durability(link, warnings),
      loadScripts(link),
      this.#typesOf(link),
    ]);
    const token = await this.#claim(link, version, signal);
    return { link, token, hashes, isDurable, warnings };
  }

  /** Gives the prefix back, so that the next one need not ask whether we are still there. */
  async release({ link, token, hashes }: RedisSession): Promise<void> {
    const { owner, format } = this.#keys;
    await link.call('EVALSHA', [hashes.claim, '2', owner, format, token, '', FORMAT_VERSION]);
  }

  get #text(): string {
    return redisAddressText(this.#address);
  }

  async #logIn(link: RedisLink): Promise<void> {
    const { username, password, db } = this.#address;
    if (password !== undefined) {
      try {
        await link.call('AUTH', username === undefined ? [password] : [username, password]);
      } catch (error) {
        // In the words of versions 5 to 7.
        if (error instanceof RedisReplyError && /without any password|no password is set/.test(error.message))
          throw misconfigured(
            `${this.#text} has no password, but the URL gives one: correct the URL, or set requirepass`,
          );
        if (error instanceof RedisReplyError && error.code === 'ERR')
          throw misconfigured(`${this.#text} refuses the user name or password: correct the URL`);
        throw error;
      }
    }
    if (db === 0) return;
    try {
      await link.call('SELECT', [String(db)]);
    } catch (error) {
      if (!(error instanceof RedisReplyError) || error.code !== 'ERR') throw error;
      throw misconfigured(`${this.#text} has no database ${db}: correct the number at the end of the URL`);
    }
  }

  /** @returns its major version, 0 where it does not say */
  async #inspect(link: RedisLink, signal: AbortSignal, warnings: string[]): Promise<number> {
    const info = await this.#loadedInfo(link, signal);
    if (info === undefined) {
      warnings.push('the user may not call INFO: nobody checked that the server is a primary and evicts nothing');
      return 0;
    }
    const version = info('redis_version') ?? '';
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1]))
      throw misconfigured(
        `${this.#text} is version ${version || 'unknown'}: it takes Redis ${OLDEST_VERSION.join('.')} or later`,
      );
    const mode = info('redis_mode') ?? 'standalone';
    if (mode !== 'standalone')
      throw misconfigured(
        `${this.#text} is a ${mode}: name a plain server; several of them make a ring, one --storage each`,
      );
    if (info('role') === 'slave')
      throw misconfigured(
        `${this.#text} is a replica: name its primary, ${info('master_host')}:${info('master_port')}`,
      );
    const policy = info('maxmemory_policy') ?? 'noeviction';
    if (policy !== 'noeviction')
      throw misconfigured(`${this.#text} may evict records (${policy}): set its maxmemory-policy to noeviction`);
    return major;
  }

  /** Waits while the server reads its files; whoever waits too long aborts. Undefined where INFO is forbidden. */
  async #loadedInfo(
    link: RedisLink,
    signal: AbortSignal,
  ): Promise<((field: string) => string | undefined) | undefined> {
    let done: string | undefined;
    try {
      for (;;) {
        const text = await permitted(link.call('INFO', []));
        if (text === undefined) return undefined;
        const fields = new Map(
          String(text)
            .split('\r\n')
            .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
        );
        if (fields.get('loading') !== '1') return (field) => fields.get(field);
        done = fields.get('loading_loaded_perc') ?? '?';
        await sleep(this.#clock, LOADING_POLL_MS, signal);
      }
    } catch (error) {
      // Out of time: say what it was spent on.
      if (signal.aborted && done !== undefined)
        throw failed(`${this.#text} is still loading its data (${done} %): try again later`);
      throw error;
    }
  }

  async #durability(link: RedisLink, warnings: string[]): Promise<boolean | undefined> {
    const reply = await permitted(link.call('CONFIG', ['GET', '*append*']));
    if (!Array.isArray(reply)) {
      warnings.push('the server does not tell whether it flushes writes (CONFIG GET): taken as not durable');
      return undefined;
    }
    const texts = reply.map(String);
    const setting = (name: string) => texts[texts.indexOf(name) + 1];
    const isDurable =
      setting('appendonly') === 'yes' &&
      setting('appendfsync') === 'always' &&
      setting('no-appendfsync-on-rewrite') !== 'yes';
    if (!isDurable)
      warnings.push('the server may lose its last writes in a crash: set appendonly yes and appendfsync always');
    return isDurable;
  }

  async #typesOf(link: RedisLink): Promise<void> {
    const { owner, format, index } = this.#keys;
    for (const [key, wanted] of [
      [owner, 'string'],
      [format, 'string'],
      [index, 'zset'],
    ] as const) {
      const type = String(await link.call('TYPE', [key]));
      if (type !== 'none' && type !== wanted)
        throw misconfigured(
          `${this.#text} has something else under the key ${key} (a ${type}): choose another ?prefix=`,
        );
    }
  }

  async #claim(link: RedisLink, version: number, signal: AbortSignal): Promise<string> {
    const isFirst = this.#connections === 0;
    const token = `${this.#name}.${this.#connections++}`;
    const lingerUntil = this.#clock.monotonic() + LINGER_MS;
    const { owner, format } = this.#keys;
    const script = (version >= 7 ? ALLOW_OOM : '') + REDIS_SCRIPTS.claim;
    for (;;) {
      const reply = await link.call('GET', [owner]);
      const current = reply === null ? '' : String(reply);
      if (current !== '' && !current.startsWith(`${this.#name}.`)) {
        if (!isFirst) throw inUse(this.#text);
        const client = await clientNamed(link, current.slice(0, current.lastIndexOf('.')));
        if (client !== undefined) {
          if (this.#clock.monotonic() >= lingerUntil) throw inUse(this.#text, ` (from ${client})`);
          await sleep(this.#clock, LINGER_POLL_MS, signal);
          continue;
        }
      }
      const outcome = await link.call('EVAL', [script, '2', owner, format, current, token, FORMAT_VERSION]);
      if (outcome === 1) return token;
      if (outcome !== 0) throw unknownFormat(`${owner} in ${this.#text}`, String(outcome), 'choose another ?prefix=');
    }
  }
}

async function loadScripts(link: RedisLink): Promise<Readonly<Record<RedisScript, string>>> {
  const entries = Object.entries(REDIS_SCRIPTS).map(async ([name, script]) => [
    name,
    String(await link.call('SCRIPT', ['LOAD', script])),
  ]);
  return Object.fromEntries(await Promise.all(entries)) as Record<RedisScript, string>;
}

/** The address of a connection with that name, if there is one. Where nobody may look, there is none: the claim shuts it out. */
async function clientNamed(link: RedisLink, name: string): Promise<string | undefined> {
  const list = await permitted(link.call('CLIENT', ['LIST']));
  const line = String(list ?? '')
    .split('\n')
    .find((each) => each.includes(` name=${name} `));
  return line && (/ addr=(\S+)/.exec(line)?.[1] ?? 'elsewhere');
}

/** Undefined when the user may not, or when the server (a managed one, say) does not know the command. */
async function permitted(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof RedisReplyError && (error.code === 'NOPERM' || /unknown (sub)?command/i.test(error.message)))
      return undefined;
    throw error;
  }
}
