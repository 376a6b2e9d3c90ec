/**
 * Turns the rooms' events into log lines. Lines at info and above are rationed per kind, so that a hostile peer cannot fill the disk or bury the
 * line that matters; whoever turns on debug or trace has asked for everything. Not here: counters (counting-observer.ts).
 */
import { type Clock, type NodeEvent, type Observer, unreachable } from '../core/index.ts';
import type { LogLevel } from './log-level.ts';
import type { Logger } from './logger.ts';

const WINDOW_MS = 10_000;
const LINES_PER_WINDOW = 10;
/** Kinds are told apart by reason, and reasons come from our own code; if they ever did not, this holds. */
const MAX_KINDS = 256;

interface Line {
  readonly level: Exclude<LogLevel, 'silent'>;
  readonly message: string;
  /** What of the event makes it another kind than others of its type. */
  readonly kind?: string;
}

interface Ration {
  lines: number;
  suppressed: number;
}

export function createLogObserver(logger: Logger, clock: Clock): Observer {
  // BOUNDED: by MAX_KINDS; each entry goes when its window ends.
  const rations = new Map<string, Ration>();

  const isWithinRation = ({ level, message, kind = '' }: Line, type: string): boolean => {
    if (level === 'debug' || level === 'trace') return true;
    const wanted = `${type} ${kind}`;
    const key = rations.has(wanted) || rations.size < MAX_KINDS ? wanted : '';
    let ration = rations.get(key);
    if (ration === undefined) {
      const opened: Ration = { lines: 0, suppressed: 0 };
      ration = opened;
      rations.set(key, opened);
      clock.setTimer(WINDOW_MS, () => {
        rations.delete(key);
        if (opened.suppressed > 0) {
          logger.log(level, `${message}: ${opened.suppressed} more like it in ${WINDOW_MS / 1_000} s`);
        }
      });
    }
    if (ration.lines < LINES_PER_WINDOW) {
      ration.lines++;
      return true;
    }
    ration.suppressed++;
    return false;
  };

  return {
    notify(event) {
      const line = describe(event);
      if (!logger.isEnabled(line.level) || !isWithinRation(line, event.type)) return;
      const { type: _, ...fields } = event;
      const { message: __, ...rest } = fields as typeof fields & { message?: string };
      logger.log(line.level, line.message, rest);
    },
  };
}

function describe(event: NodeEvent): Line {
  switch (event.type) {
    case 'warning':
      return { level: 'warn', message: event.message, kind: event.code };
    case 'bootstrap-progress':
      return { level: 'info', message: event.message, kind: event.source };
    case 'peer-misbehaved':
      return { level: 'warn', message: 'a peer broke the protocol', kind: event.reason };
    case 'peer-connected':
      return { level: 'debug', message: 'peer connected' };
    case 'peer-disconnected':
      return { level: 'debug', message: 'peer disconnected' };
    case 'contact-added':
      return { level: 'debug', message: 'contact added' };
    case 'contact-removed':
      return { level: 'debug', message: 'contact removed' };
    case 'lookup-finished':
      return { level: 'debug', message: 'lookup finished' };
    case 'record-stored':
      return { level: 'debug', message: 'record stored' };
    case 'record-refused':
      return { level: 'debug', message: 'record refused' };
    case 'record-expired':
      return { level: 'debug', message: 'record expired' };
    case 'records-repaired':
      return { level: 'debug', message: 'records repaired' };
    case 'shard-opened':
      return { level: 'info', message: 'storage opened', kind: event.shard };
    case 'shard-circuit':
      return event.state === 'open'
        ? { level: 'warn', message: 'storage down', kind: event.shard }
        : {
            level: 'info',
            message: event.state === 'closed' ? 'storage back' : 'storage tried again',
            kind: `${event.shard} ${event.state}`,
          };
    case 'shard-job-failed':
      return { level: 'debug', message: 'storage call failed' };
    case 'hint-stored':
      return { level: 'debug', message: 'hint stored' };
    case 'hint-home':
      return { level: 'debug', message: 'hint brought home' };
    case 'shard-drained':
      return { level: 'info', message: 'storage drained', kind: event.shard };
    case 'request-failed':
      return { level: 'debug', message: 'request failed' };
    case 'request-sent':
      return { level: 'trace', message: 'request sent' };
    case 'request-served':
      return { level: 'trace', message: 'request served' };
    default:
      return unreachable(event);
  }
}
