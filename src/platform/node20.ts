/**
 * Node 20 lacks `Promise.withResolvers` (Node 22 has it), which libp2p 3 calls: without it a dial only says ECONNRESET.
 * Import this file first in everything that starts a thread of execution: the bin, workers, the public index, vitest's setupFiles.
 * It imports nothing and does nothing on newer Node versions. Not here: any other shim.
 */
interface Resolvers<T> {
  promise: Promise<T>;
  resolve: (value: T | PromiseLike<T>) => void;
  reject: (reason?: unknown) => void;
}

function withResolvers<T>(this: PromiseConstructor): Resolvers<T> {
  let resolve!: Resolvers<T>['resolve'];
  let reject!: Resolvers<T>['reject'];
  const promise = new this<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

if (!('withResolvers' in Promise)) {
  Object.defineProperty(Promise, 'withResolvers', { value: withResolvers, configurable: true, writable: true });
}

export {};
