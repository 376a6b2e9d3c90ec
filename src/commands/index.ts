/**
 * Door of `commands`: every operation once, and how it travels. Importing it loads neither the commands nor the schema library: `runCommand`
 * does when it is first called.
 */

export { MAX_BATCH_RECORDS } from './batch.ts';
export type { CommandCaller } from './command-caller.ts';
export type {
  CommandInput,
  CommandName,
  CommandOutput,
  ErrorObject,
  FailedRecord,
  GetOutput,
  PutOutput,
  ReadChoices,
  RecordInput,
  ValueEncoding,
  WriteChoices,
} from './command-types.ts';
export { CONTROL_PATH_FILE, CONTROL_SOCKET_FILE, MAX_SOCKET_PATH_BYTES } from './control-address.ts';
export {
  type CommandMessage,
  encodeMessage,
  MAX_COMMANDS_IN_FLIGHT,
  MAX_MESSAGE_BYTES,
  type NodeMessage,
  parseJsonLine,
} from './control-messages.ts';
export { parseDuration, parseTtl } from './duration.ts';
export { fromErrorObject, toErrorObject } from './error-object.ts';
export { LineSplitter } from './line-splitter.ts';
export { createLocalCaller } from './local-caller.ts';
export type {
  CallOptions,
  DeleteOptions,
  GetOptions,
  HeldSummary,
  HotKey,
  ListOptions,
  LookupSummary,
  MigrationProgress,
  NodeApi,
  NodeStatus,
  PeerSummary,
  PutOptions,
  StorageStatus,
} from './node-api.ts';
export { runCommand } from './run-command.ts';
export { decodeValue, encodeValue } from './value-encoding.ts';
