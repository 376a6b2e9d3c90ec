/** What a ring tells of itself, for people and programs. */
import type { HotKey } from './hot-keys.ts';

export interface ShardStatus {
  readonly name: string;
  /** `returning`: up, while writes for it still wait elsewhere or copies are missing; `draining`, `drained`: up, without a share. */
  readonly state: 'up' | 'down' | 'probing' | 'returning' | 'draining' | 'drained';
  /** Of a shard that is down, when last looked at. */
  readonly records: number;
  readonly bytes: number;
  /** Writes for it that wait on other shards. */
  readonly hints: number;
  readonly queueDepth: number;
  readonly lastError: string | null;
  /** ms since the epoch */
  readonly lastErrorAt: number | null;
  readonly weight: number;
  /** Of all keys, 0 to 1; over all shards it adds up to the number of copies. */
  readonly share: number;
}

export interface RingStatus {
  readonly copies: number;
  /** Keys are on their way to other shards. */
  readonly isMoving: boolean;
  readonly shards: readonly ShardStatus[];
  readonly hotKeys: readonly HotKey[];
}
