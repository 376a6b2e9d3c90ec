/**
 * The public API: a node in this process (`createNode`), or a client of one that runs already (`connectControl`). Both take commands as
 * they come, so a program can begin with the second and move to the first.
 */
import './platform/node20.ts';

export {
  type BatchOptions,
  type ConnectControlOptions,
  type ControlClient,
  connectControl,
  streamBatch,
} from './client/index.ts';
export {
  type CallOptions,
  type CommandCaller,
  type CommandInput,
  type CommandName,
  type CommandOutput,
  createLocalCaller,
  type DeleteOptions,
  decodeValue,
  type ErrorObject,
  encodeValue,
  type FailedRecord,
  type GetOptions,
  type GetOutput,
  type HeldSummary,
  type ListOptions,
  type LookupSummary,
  type NodeApi,
  type NodeStatus,
  type PeerSummary,
  type PutOptions,
  type PutOutput,
  parseDuration,
  parseTtl,
  type ValueEncoding,
} from './commands/index.ts';
export {
  type Clock,
  ERROR_CATALOGUE,
  type ErrorCode,
  isNautilusError,
  NautilusError,
  type NodeEvent,
  type Observer,
  type Timer,
} from './core/index.ts';
export {
  type ConfigFlags,
  type CreateNodeOptions,
  createNode,
  type NautilusNode,
  type NodeConfig,
  type ReadyInfo,
  resolveConfig,
} from './node/index.ts';
export { systemClock } from './platform/index.ts';
export { DEFAULT_NETWORK_CONSTANTS, type Key, type KeyClass, parseKey } from './records/index.ts';
export type {
  RegistryStorage,
  ScanOptions,
  StorageCapabilities,
  StorageEntry,
  StorageOptions,
  StorageParts,
  StorageSize,
  StoredEntry,
  StoreIfOperation,
  StoreIfOutcome,
} from './registry/index.ts';
export type {
  FoundRecord,
  GetResult,
  HolderStatus,
  PutResult,
  QuorumChoice,
  Receipt,
  ReceiptHolder,
} from './replication/index.ts';
