/** Door of `registry`: the local store under a node, useful on its own. */
export type * from './storage.ts';
