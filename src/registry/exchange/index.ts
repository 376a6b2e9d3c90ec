/** Door of `registry/exchange`: a node's storage, exchanged while it serves. */
export type { ExchangeProgress } from './exchange.ts';
export { openExchangeable } from './open-exchangeable.ts';
export type { StorageExchanger } from './storage-exchanger.ts';
export { absoluteUrls, storageNames } from './storage-names.ts';
