/**
 * A log file of bounded size: beyond the limit it becomes `<path>.1`, replacing the one before. Writing never blocks the caller and never
 * throws; lines lost to a full disk or a slow one are counted, and told in the file once it can be written again.
 */
import { type FileHandle, open, rename } from 'node:fs/promises';

const MAX_QUEUED_CHARACTERS = 1024 * 1024;

export interface RotatingFileOptions {
  /** @default 10_000_000 */
  readonly maxBytes?: number;
  /** The line that tells of lost ones, newline included. */
  readonly describeLoss: (lines: number) => string;
}

export class RotatingFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #describeLoss: (lines: number) => string;
  // BOUNDED: by MAX_QUEUED_CHARACTERS; further lines are lost, and counted.
  #queue: string[] = [];
  #queuedCharacters = 0;
  #lostLines = 0;
  #writing: Promise<void> | undefined;
  #file: FileHandle | undefined;
  #size = 0;

  constructor(path: string, { maxBytes = 10_000_000, describeLoss }: RotatingFileOptions) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#describeLoss = describeLoss;
  }

  /** @param line with its newline */
  write(line: string): void {
    if (this.#queuedCharacters + line.length > MAX_QUEUED_CHARACTERS) {
      this.#lostLines++;
      return;
    }
    this.#queue.push(line);
    this.#queuedCharacters += line.length;
    this.#writing ??= this.#writeQueue();
  }

  /** Writes what is queued and closes the file. A later write opens it again. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#closeFile();
  }

  async #writeQueue(): Promise<void> {
    await Promise.resolve(); // the lines of one turn are one write
    while (this.#queue.length > 0) {
      const lines = this.#queue;
      this.#queue = [];
      this.#queuedCharacters = 0;
      const lost = this.#lostLines;
      try {
        await this.#append(Buffer.from((lost > 0 ? this.#describeLoss(lost) : '') + lines.join('')));
        this.#lostLines -= lost;
      } catch {
        // A log that cannot be written must not stop a node; the loss is told with the next line that can be.
        this.#lostLines += lines.length;
        await this.#closeFile();
      }
    }
    this.#writing = undefined;
  }

  async #append(bytes: Buffer): Promise<void> {
    if (this.#file === undefined) await this.#openFile();
    if (this.#size > 0 && this.#size + bytes.length > this.#maxBytes) {
      await this.#closeFile();
      await rename(this.#path, `${this.#path}.1`);
      await this.#openFile();
    }
    await this.#file?.appendFile(bytes);
    this.#size += bytes.length;
  }

  async #openFile(): Promise<void> {
    this.#file = await open(this.#path, 'a', 0o600);
    this.#size = (await this.#file.stat()).size;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined); // closing reports a write that failed before: that one is counted already
  }
}
