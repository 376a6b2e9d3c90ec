/**
 * One connection to a Redis server, as the storage sees it: commands out, replies in the same order. redis.ts makes it of ioredis, which is
 * thus known in one file. Not here: reconnecting, deadlines, queues (redis-connection.ts).
 */
export type RedisArgument = string | Buffer;

export interface RedisLink {
  /**
   * Strings of the reply come as Buffers, which are views of the receive buffer.
   * Rejects with `RedisReplyError` when the server answered with an error; with anything else when the connection is lost.
   */
  call(name: string, args: readonly RedisArgument[]): Promise<unknown>;
  /** Told once, when the connection has ended. */
  onEnd(listener: (reason: Error) => void): void;
  /** Ends it at once: calls without an answer reject. Idempotent. */
  destroy(): void;
}

/** An error the server answered with. Carries nothing of the command, which may hold a password or a value. */
export class RedisReplyError extends Error {
  override readonly name = 'RedisReplyError';
  /** Its first word: `NOAUTH`, `WRONGTYPE`, `OOM`, … */
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.code = /^-?([A-Z]+)\b/.exec(message)?.[1] ?? 'ERR';
  }
}
