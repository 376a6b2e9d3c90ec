/** What put and get are asked for besides keys and values. */

export interface PutFlags {
  readonly file?: string | undefined;
  readonly batch?: string | undefined;
  readonly ttl?: string | undefined;
  readonly quorum?: string | undefined;
  readonly strict?: boolean | undefined;
}

export interface GetFlags {
  readonly all?: boolean | undefined;
  readonly raw?: boolean | undefined;
  readonly batch?: string | undefined;
  readonly quorum?: string | undefined;
  readonly stable?: boolean | undefined;
}
