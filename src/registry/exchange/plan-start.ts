/** Which storage a start has to open: what `--storage` says against what the exchanges of earlier processes came to. Pure. */
import { NautilusError } from '../../core/index.ts';
import type { ExchangeDocument } from './exchange-document.ts';

export interface StartPlan {
  readonly urls: readonly string[];
  /** An exchange that was under way when the process ended. */
  readonly target: readonly string[] | undefined;
  /** For the operator; undefined: nothing to say. */
  readonly advice: string | undefined;
}

/**
 * @param name what storages are known by: the same for the same ones, without passwords
 * @throws NautilusError `CONFIG_INVALID` when both cannot be true
 */
export function planStart(
  given: readonly string[],
  document: ExchangeDocument | undefined,
  name: (urls: readonly string[]) => string,
): StartPlan {
  if (document === undefined) return { urls: given, target: undefined, advice: undefined };
  const { home, former, target } = document;
  const [givenName, homeName] = [name(given), name(home)];
  const targetUrls = target?.urls;
  // As given now: a password may have changed.
  if (givenName === homeName) return { urls: given, target: targetUrls, advice: undefined };
  if (former.includes(givenName)) {
    const advice = `the records were moved from ${givenName} to ${homeName}, which is used: change --storage to it`;
    return { urls: home, target: targetUrls, advice };
  }
  const why =
    target !== null && name(target.urls) === givenName
      ? `the migration to ${givenName} was not finished`
      : `the records of this node are in ${homeName}, and nothing was moved to ${givenName}`;
  throw new NautilusError(
    'CONFIG_INVALID',
    `${why}: start with --storage ${homeName}, then "nautilus storage migrate --to ${givenName}"`,
    { details: { field: 'storage' } },
  );
}
