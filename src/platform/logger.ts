/**
 * The log of a node: to stderr, as lines for people on a terminal and as JSON lines otherwise, and as JSON lines to `node.log`. pino is loaded
 * when the first logger is made: most verbs never need one. Not here: what is worth a line (log-observer.ts).
 */
import { formatLogLine } from './format-log-line.ts';
import type { LogLevel } from './log-level.ts';
import { RotatingFile } from './rotating-file.ts';

export interface Logger {
  isEnabled(level: LogLevel): boolean;
  /** @param message one line, as a sentence fragment; what varies goes into `fields` */
  log(level: Exclude<LogLevel, 'silent'>, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Resolves when every line has been written. */
  close(): Promise<void>;
}

export interface LoggerInit {
  readonly level: LogLevel;
  /** JSON lines on stderr even on a terminal. @default false */
  readonly json?: boolean;
  /** @default process.stderr */
  readonly stderr?: { readonly isTTY?: boolean; write(text: string): unknown };
  /** Path of the file; without it there is none. */
  readonly file?: string | undefined;
  /** Size at which the file is set aside as `<file>.1`. @default 10_000_000 */
  readonly maxFileBytes?: number;
}

export async function createLogger(init: LoggerInit): Promise<Logger> {
  const { level, json = false, stderr = process.stderr, file, maxFileBytes = 10_000_000 } = init;
  const { pino, stdTimeFunctions } = await import('pino');
  const describeLoss = (lines: number) =>
    `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), lines, msg: 'lines of this log were lost: the disk was full or too slow' })}\n`;
  const logFile = file === undefined ? undefined : new RotatingFile(file, { maxBytes: maxFileBytes, describeLoss });
  const forPeople = stderr.isTTY === true && !json;
  const destination = {
    write(line: string) {
      stderr.write(forPeople ? formatLogLine(line) : line);
      logFile?.write(line);
    },
  };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    isEnabled: (wanted) => logger.isLevelEnabled(wanted),
    log: (wanted, message, fields = {}) => logger[wanted](fields, message),
    close: async () => logFile?.close(),
  };
}
