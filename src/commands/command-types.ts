/**
 * What goes into every command and what comes out, as JSON: the contract of the CLI's `--json`, of the control socket and of later doors.
 * Types only, so that a caller of a running node never loads the schemas. Times are ms since the epoch unless they say otherwise.
 */
import type { ErrorCode } from '../core/index.ts';
import type { FoundRecord, GetResult, PutResult } from '../replication/index.ts';
import type {
  HeldSummary,
  LookupSummary,
  MigrationProgress,
  NodeStatus,
  PeerSummary,
  StorageStatus,
} from './node-api.ts';

/** `utf8` only when the bytes survive the round trip; everything else travels as `base64`. */
export type ValueEncoding = 'utf8' | 'base64';

export interface RecordInput {
  readonly key: string;
  readonly value: string;
  /** @default 'utf8' */
  readonly encoding?: ValueEncoding | undefined;
  /** A duration: `250ms 30s 15m 24h 7d`. @default '24h' */
  readonly ttl?: string | undefined;
}

export interface WriteChoices {
  /** `majority`, `one`, `all` or a count of holders. @default 'majority' */
  readonly quorum?: string | number | undefined;
  /** Refuse rather than store in a network that shrank below half. @default false */
  readonly strict?: boolean | undefined;
}

export interface ReadChoices {
  readonly quorum?: string | number | undefined;
  /** Write the newest back to a majority before it is returned. @default false */
  readonly stable?: boolean | undefined;
}

export type PutOutput = PutResult;

/** One record, with the facts of the whole search. */
export interface GetOutput extends Omit<FoundRecord, 'value'>, Omit<GetResult, 'records'> {
  readonly value: string;
  readonly encoding: ValueEncoding;
}

/** An error as data. */
export interface ErrorObject {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** One record of a batch that failed; the others go on. `key` is null when the record had none. */
export interface FailedRecord {
  readonly key: string | null;
  readonly error: ErrorObject;
}

type Empty = Readonly<Record<string, never>>;

/** Every command: its input, and the object (or each object of the stream) it answers with. */
export interface CommandShapes {
  readonly put: { readonly input: RecordInput & WriteChoices; readonly output: PutOutput };
  /** Records are checked one by one, hence `unknown`: a bad one is a `FailedRecord`. `ttl` is for those that name none. */
  readonly 'put-batch': {
    readonly input: { readonly records: readonly unknown[]; readonly ttl?: string | undefined } & WriteChoices;
    readonly output: PutOutput | FailedRecord;
  };
  readonly get: {
    readonly input: { readonly key: string; readonly all?: boolean | undefined } & ReadChoices;
    readonly output: GetOutput;
  };
  readonly 'get-batch': {
    readonly input: { readonly keys: readonly string[] } & ReadChoices;
    readonly output: GetOutput | FailedRecord;
  };
  readonly delete: { readonly input: { readonly key: string } & WriteChoices; readonly output: PutOutput };
  readonly list: {
    readonly input: { readonly prefix?: string | undefined; readonly own?: boolean | undefined };
    readonly output: HeldSummary;
  };
  readonly peers: { readonly input: Empty; readonly output: PeerSummary };
  readonly ping: {
    readonly input: { readonly peer: string };
    readonly output: { readonly peerId: string; readonly rttMs: number };
  };
  readonly lookup: { readonly input: { readonly target: string }; readonly output: LookupSummary };
  readonly status: { readonly input: Empty; readonly output: NodeStatus };
  readonly 'storage-status': { readonly input: Empty; readonly output: StorageStatus };
  readonly 'storage-drain': {
    readonly input: { readonly name: string };
    readonly output: { readonly draining: string };
  };
  readonly 'storage-migrate': {
    readonly input: { readonly to: readonly string[] };
    readonly output: MigrationProgress;
  };
  readonly id: { readonly input: Empty; readonly output: { readonly peerId: string; readonly nodeId: string } };
  readonly stop: { readonly input: Empty; readonly output: { readonly stopped: true; readonly peerId: string } };
}

export type CommandName = keyof CommandShapes;
export type CommandInput<N extends CommandName> = CommandShapes[N]['input'];
export type CommandOutput<N extends CommandName> = CommandShapes[N]['output'];
