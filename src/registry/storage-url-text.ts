/**
 * What all `--storage` URLs have in common, before anybody knows what one means: a base, fields behind a "?", and for servers a user and a password,
 * of which nothing may show in a message, a name or a log. Not here: what the schemes take (storage-url.ts), what a ring does (ring/shard-url.ts).
 */
import type { NautilusError } from '../core/index.ts';
import { misconfigured } from './misconfigured.ts';

/** These alone can have no password, and anything else in its place. */
const WITHOUT_PASSWORD = /^(?:lmdb|memory):/i;
const SERVER_FORM = /^[a-z][a-z0-9+.-]*:\/\//i;

export class StorageUrlText {
  /** What stands before the fields. */
  readonly base: string;
  readonly fields: URLSearchParams;
  /** The fields as they were given, "?" included. */
  readonly #query: string;
  readonly #parts: PublicParts | undefined;

  /** @throws NautilusError `CONFIG_INVALID` when nobody could say where the password ends */
  constructor(text: string) {
    const at = text.indexOf('?');
    this.base = at === -1 ? text : text.slice(0, at);
    this.#query = at === -1 ? '' : text.slice(at);
    this.fields = new URLSearchParams(this.#query);
    this.#parts = WITHOUT_PASSWORD.test(text) ? undefined : publicPartsOf(text);
    if (this.#parts?.isAmbiguous) {
      throw this.refusal(
        'it has an "@" behind a "/", "?" or "#": in a user or password these three are written %2F, %3F and %23, and an "@" elsewhere is %40',
      );
    }
  }

  /** The base without the password, for people, logs and names: `redis://user:secret@host` → `redis://user@host`. */
  get publicBase(): string {
    return this.#shown(({ user }) => `${user}@`, '');
  }

  /** All of it but the password, for whoever has to write it again: `redis://user:PASSWORD@host?prefix=mine`. */
  get shown(): string {
    const base = this.#shown(({ user, hasPassword }) => `${user}${hasPassword ? ':PASSWORD' : ''}@`, '');
    const open = [...this.fields].filter(([name]) => !isSecret(name));
    if (open.length === this.fields.size) return base + this.#query;
    return open.length === 0 ? base : `${base}?${new URLSearchParams(open)}`;
  }

  refusal(problem: string): NautilusError {
    // Without the user: where something is wrong, the password may have got there.
    const shown = this.#shown(() => '…@', ':…');
    return misconfigured(`--storage "${shown}" cannot be used: ${problem}`);
  }

  /**
   * The base as the address of a server.
   * @param form what it should look like, the scheme in front
   * @param base with what a URL has to have and this one need not
   * @throws NautilusError `CONFIG_INVALID`
   */
  toServer(form: string, base = this.base): URL {
    if (!SERVER_FORM.test(base) || !URL.canParse(base)) throw this.refusal(`it is not of the form ${form}`);
    const url = new URL(base);
    if (url.hash !== '') throw this.refusal('it has a "#": in a password that is written %23');
    return url;
  }

  /** @throws NautilusError `CONFIG_INVALID` for a field that is none of these, or is given twice */
  checkFields(known: readonly string[]): void {
    for (const name of this.fields.keys()) {
      if (!known.includes(name)) {
        const allowed = known.length === 0 ? 'it takes none' : `known are ${known.join(', ')}`;
        throw this.refusal(`the field "${name}" is unknown; ${allowed}`);
      }
      this.checkOnce(name);
    }
  }

  checkOnce(name: string): void {
    if (this.fields.getAll(name).length > 1) throw this.refusal(`the field "${name}" is given more than once`);
  }

  /** @returns undefined: it is not given @throws NautilusError `CONFIG_INVALID` */
  wholeNumber(name: string, least: number, most: number): number | undefined {
    const text = this.fields.get(name);
    if (text === null) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw this.refusal(`the field "${name}" must be a whole number from ${least} to ${most}, not "${text}"`);
  }

  #shown(userInfo: (parts: PublicParts) => string, hidden: string): string {
    const parts = this.#parts;
    if (parts === undefined) return this.base;
    const { scheme, user, host, behind = hidden } = parts;
    return scheme + (user === undefined ? '' : userInfo(parts)) + host + behind;
  }
}

/** A field whose value nobody else may see. */
export function isSecret(field: string): boolean {
  return /pass|secret|token/i.test(field);
}

/** What may be read by anybody, however wrong the rest is: nothing before the last "@", no fields, and no port that is no number. */
interface PublicParts {
  readonly scheme: string;
  /** What stands before the password, or would; undefined: there is no "@". */
  readonly user: string | undefined;
  readonly hasPassword: boolean;
  readonly host: string;
  /** Port and path; undefined: they may be something else. */
  readonly behind: string | undefined;
  /** The last "@" may be one of the password, or behind it. */
  readonly isAmbiguous: boolean;
}

function publicPartsOf(text: string): PublicParts {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:(?:\/\/)?)?(.*)$/is.exec(text) ?? [];
  const at = rest.lastIndexOf('@');
  const before = rest.slice(0, Math.max(at, 0));
  const [address = ''] = rest.slice(at + 1).split(/[?#]/, 1);
  const [, host = '', behind = ''] = /^(\[[^\]]*\]|[^:/]*)(.*)$/s.exec(address) ?? [];
  const isSeen = host === '' ? !behind.startsWith(':') : /^(?::\d{1,5})?(?:\/|$)/.test(behind);
  const user = before.replace(/[:@].*$/s, '');
  return {
    scheme,
    user: at === -1 ? undefined : user,
    hasPassword: user !== before,
    host,
    behind: isSeen ? behind : undefined,
    isAmbiguous: /[/?#]/.test(before),
  };
}
