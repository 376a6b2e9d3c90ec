/** Opens the storage of a node where it is by now, and goes on with an exchange that was under way when the node ended, or says that it does not. */
import type { RegistryStorage } from '../storage.ts';
import { checkWhole } from './copy-mark.ts';
import { DEFAULT_EXCHANGE_INIT, type ExchangeInit } from './exchange.ts';
import { type ExchangeDocument, readDocument, writeDocument } from './exchange-document.ts';
import { planStart } from './plan-start.ts';
import { type ExchangerComponents, StorageExchanger } from './storage-exchanger.ts';
import { listed } from './storage-naming.ts';

export type OpenExchangeableOptions<Opened extends { readonly storage: RegistryStorage }> = Omit<
  ExchangerComponents<Opened>,
  'init'
> & {
  /** As given at this start. */
  readonly urls: readonly string[];
  /** Of this start. */
  readonly signal?: AbortSignal | undefined;
  readonly init?: Partial<ExchangeInit> | undefined;
};

/** @throws NautilusError `CONFIG_INVALID` when what was given contradicts what is noted; what opening a storage throws */
export async function openExchangeable<Opened extends { readonly storage: RegistryStorage }>(
  options: OpenExchangeableOptions<Opened>,
): Promise<StorageExchanger<Opened>> {
  const { urls: given, state, observer, open, naming, signal } = options;
  const noted = await readDocument(state);
  const { urls, target, advice } = planStart(given, noted, naming);
  const name = (some: readonly string[]) => listed(naming.names(some));
  if (advice !== undefined) observer.notify({ type: 'warning', code: 'STORAGE_MOVED', message: advice });
  const opened = await open(urls, signal ?? new AbortController().signal);
  try {
    const { persistent } = opened.storage.capabilities;
    await checkWhole(opened.storage, name(urls), { signal });
    const isCutShort = target !== undefined && !persistent;
    const former = (noted?.former ?? []).filter((each) => each !== name(urls));
    const document: ExchangeDocument = { home: urls, former, target: isCutShort ? null : (noted?.target ?? null) };
    // Once it is the note that decides, it has to know who has joined and who has left.
    const isChanged = noted !== undefined && JSON.stringify(noted) !== JSON.stringify(document);
    if (isChanged) await writeDocument(state, document);
    if (isCutShort) {
      const message = `the migration to ${name(target)} is given up: ${name(urls)} did not outlive the process`;
      observer.notify({ type: 'warning', code: 'MIGRATION_ROLLED_BACK', message });
    }
    const exchanger = new StorageExchanger(
      { ...options, init: { ...DEFAULT_EXCHANGE_INIT, ...options.init } },
      opened,
      document,
    );
    if (document.target !== null) {
      const message = `the migration from ${name(urls)} to ${name(document.target.urls)} goes on where it was interrupted`;
      observer.notify({ type: 'warning', code: 'MIGRATION_RESUMED', message });
      exchanger.resume();
    }
    return exchanger;
  } catch (error) {
    await opened.storage.close();
    throw error;
  }
}
