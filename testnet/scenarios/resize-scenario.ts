import type { ScenarioCommand } from './scenario-command.ts';

export interface ScenarioSize {
  /** Instead of what `nodes` says. */
  readonly nodes?: number | undefined;
  /** How many times faster everything happens: waits, sessions, absences and how long things go on, but neither rates nor latency. @default 1 */
  readonly speed?: number | undefined;
  /** Instead of what `for=` of load, churn and flap says. */
  readonly forMs?: number | undefined;
}

/** The same scenario, larger, faster or longer. */
export function resizeScenario(commands: readonly ScenarioCommand[], size: ScenarioSize): readonly ScenarioCommand[] {
  const { nodes, speed = 1, forMs } = size;
  return commands.map((command) => {
    const resized = command.verb === 'nodes' && nodes !== undefined ? { ...command, count: nodes } : command;
    const faster = speed === 1 ? resized : hasten(resized, speed);
    const sized = forMs !== undefined && isLasting(faster) ? { ...faster, forMs } : faster;
    return sized === command ? command : { ...sized, text: textOf(sized) };
  });
}

type LastingCommand = Extract<ScenarioCommand, { readonly forMs: number }>;

function isLasting(command: ScenarioCommand): command is LastingCommand {
  return 'forMs' in command;
}

function hasten(command: ScenarioCommand, speed: number): ScenarioCommand {
  switch (command.verb) {
    case 'wait':
      return command.ms === undefined ? command : { ...command, ms: command.ms / speed };
    case 'roll':
      return { ...command, everyMs: command.everyMs / speed };
    case 'load':
      return { ...command, forMs: command.forMs / speed };
    case 'flap':
      return { ...command, everyMs: command.everyMs / speed, forMs: command.forMs / speed };
    case 'churn': {
      const { medianMs, awayMs, forMs } = command;
      return { ...command, medianMs: medianMs / speed, awayMs: awayMs / speed, forMs: forMs / speed };
    }
    default:
      return command;
  }
}

/** As it was written, but for what has changed. */
function textOf(command: ScenarioCommand): string {
  const { text } = command;
  switch (command.verb) {
    case 'nodes':
      return text.replace(/\d+/, String(command.count));
    case 'wait':
      return command.ms === undefined ? text : `wait ${durationText(command.ms)}`;
    case 'roll':
      return named(text, 'every', command.everyMs);
    case 'load':
      return named(text, 'for', command.forMs);
    case 'flap':
      return named(named(text, 'every', command.everyMs), 'for', command.forMs);
    case 'churn':
      return named(named(named(text, 'median', command.medianMs), 'away', command.awayMs), 'for', command.forMs);
    default:
      return text;
  }
}

/** With this argument; a default that was not written is written now. */
function named(line: string, name: string, ms: number): string {
  const argument = `${name}=${durationText(ms)}`;
  const written = new RegExp(`\\b${name}=\\S+`);
  return written.test(line) ? line.replace(written, argument) : `${line} ${argument}`;
}

/** In the largest unit that leaves a whole number, milliseconds rounded. */
function durationText(ms: number): string {
  const whole = Math.round(ms);
  if (whole % 3_600_000 === 0) return `${whole / 3_600_000}h`;
  if (whole % 60_000 === 0) return `${whole / 60_000}m`;
  return whole % 1_000 === 0 ? `${whole / 1_000}s` : `${whole}ms`;
}
