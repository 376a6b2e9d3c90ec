/**
 * What one machine can carry: a link of some bandwidth either way, and a processor that takes its time over each frame. Queues are bounded,
 * and what finds one full is dropped. Not here: links shared by several machines, work that is not about frames.
 */
import { Bottleneck } from './bottleneck.ts';

export interface MachineLimits {
  /** @default unlimited */
  readonly uploadBytesPerSecond?: number | undefined;
  /** @default unlimited */
  readonly downloadBytesPerSecond?: number | undefined;
  /** What may wait for each of the two links. @default 262_144 */
  readonly queueBytes?: number | undefined;
  /** Processor time per frame received, ms. @default 0 */
  readonly serviceMs?: number | undefined;
  /** Frames that may wait for the processor. @default 1_024 */
  readonly queueFrames?: number | undefined;
}

const QUEUE_BYTES = 262_144;
const QUEUE_FRAMES = 1024;

/** The queues of one machine. Every method answers like `Bottleneck.enter`: ms, or undefined for a frame that is dropped. */
export class MachineQueues {
  readonly #upload = new Bottleneck();
  readonly #download = new Bottleneck();
  readonly #processor = new Bottleneck();

  upload(now: number, bytes: number, limits: MachineLimits): number | undefined {
    return transfer(this.#upload, now, bytes, limits.uploadBytesPerSecond, limits);
  }

  download(now: number, bytes: number, limits: MachineLimits): number | undefined {
    return transfer(this.#download, now, bytes, limits.downloadBytesPerSecond, limits);
  }

  /** @param frames 0: only waits for its turn, as the end of a connection does */
  serve(now: number, frames: 0 | 1, { serviceMs = 0, queueFrames = QUEUE_FRAMES }: MachineLimits): number | undefined {
    return this.#processor.enter(
      now,
      frames * serviceMs,
      frames === 0 ? Number.POSITIVE_INFINITY : queueFrames * serviceMs,
    );
  }
}

function transfer(
  link: Bottleneck,
  now: number,
  bytes: number,
  bytesPerSecond = Number.POSITIVE_INFINITY,
  { queueBytes = QUEUE_BYTES }: MachineLimits,
): number | undefined {
  if (bytesPerSecond === Number.POSITIVE_INFINITY) return link.waitMs(now);
  const msPerByte = 1000 / bytesPerSecond;
  return link.enter(now, bytes * msPerByte, bytes === 0 ? Number.POSITIVE_INFINITY : queueBytes * msPerByte);
}
