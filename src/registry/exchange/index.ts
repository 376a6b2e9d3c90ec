/** Door of `registry/exchange`: a node's storage, exchanged while it serves. */
export { openExchangeable } from './open-exchangeable.ts';
export type { ExchangeProgress, StorageExchanger } from './storage-exchanger.ts';
export { absoluteUrls, type StorageNaming, storageNaming } from './storage-naming.ts';
