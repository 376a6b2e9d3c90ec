/** Which storages a start has to open: what `--storage` says against what the exchanges of earlier processes came to. Pure. */
import { misconfigured } from '../misconfigured.ts';
import type { ExchangeDocument } from './exchange-document.ts';
import { listed, type StorageNaming, storageFlags } from './storage-naming.ts';

export interface StartPlan {
  readonly urls: readonly string[];
  /** An exchange that was under way when the process ended. */
  readonly target: readonly string[] | undefined;
  /** For the operator; undefined: nothing to say. */
  readonly advice: string | undefined;
}

/**
 * Whether storages may join those in use or leave them is not decided here: the ring knows.
 * @throws NautilusError `CONFIG_INVALID` when both cannot be true
 */
export function planStart(
  given: readonly string[],
  document: ExchangeDocument | undefined,
  naming: StorageNaming,
): StartPlan {
  if (document === undefined) return { urls: given, target: undefined, advice: undefined };
  const { home, former } = document;
  const target = document.target?.urls;
  const [givenNames, homeNames] = [naming.names(given), naming.names(home)];
  const targetNames = target === undefined ? [] : naming.names(target);
  const isOfTarget = targetNames.some((name) => givenNames.includes(name));
  if (!isOfTarget && knowHome(givenNames, home, naming)) {
    // As given now: a password may have changed, or the weights.
    return { urls: given, target, advice: undefined };
  }
  const [givenText, homeText] = [listed(givenNames), listed(homeNames)];
  const homeFlags = storageFlags(naming.shown(home));
  if (former.includes(givenText)) {
    const advice = `the records were moved from ${givenText} to ${homeText}, which is used: start with ${homeFlags} from now on`;
    return { urls: home, target, advice };
  }
  const why = isOfTarget
    ? `the migration to ${listed(targetNames)} was not finished`
    : `the records of this node are in ${homeText}, and nothing was moved to ${givenText}`;
  const goals = naming.shown(isOfTarget ? target! : given).map((url) => `--to ${url}`);
  const command = `nautilus storage migrate ${goals.join(' ')}`;
  throw misconfigured(`${why}: start with ${homeFlags}, then "${command}"`);
}

/** One of those that were in use is among them, and can say who the others were. Those that never outlive a process cannot, nor need they. */
function knowHome(givenNames: readonly string[], home: readonly string[], naming: StorageNaming): boolean {
  const lasting = naming.lastingNames(home);
  const telling = lasting.length > 0 ? lasting : naming.names(home);
  return telling.some((name) => givenNames.includes(name));
}
