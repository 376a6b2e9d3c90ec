/** Door of `launcher`: a testnet of real nodes on this machine, as the `testnet` verbs of the CLI. Its own errors are NautilusErrors. */
export { ProgressBar } from './progress-bar.ts';
export { testnetDown } from './testnet-down.ts';
export { testnetKill } from './testnet-kill.ts';
export type {
  TestnetIo,
  TestnetNodeOptions,
  TestnetNodeReport,
  TestnetNodeState,
  TestnetOutput,
  TestnetPlace,
  TestnetReport,
  TestnetUpOptions,
} from './testnet-options.ts';
export { testnetRestart } from './testnet-restart.ts';
export { type TestnetRunOptions, type TestnetRunReport, testnetRun } from './testnet-run.ts';
export { testnetStatus } from './testnet-status.ts';
export { testnetUp } from './testnet-up.ts';
