import type { ScenarioCommand } from './scenario-command.ts';

/** How long a scenario will take at least, ms of its own time: for progress. What puts and joins take is not in it. */
export function plannedMs(commands: readonly ScenarioCommand[]): number {
  let now = 0;
  let backgroundUntil = 0;
  for (const command of commands) {
    switch (command.verb) {
      case 'load':
      case 'churn':
      case 'flap':
        backgroundUntil = Math.max(backgroundUntil, now + command.forMs);
        break;
      case 'roll': {
        const { nodes } = command;
        const count = nodes.kind === 'numbers' ? nodes.numbers.length : nodes.kind === 'random' ? nodes.count : 0;
        backgroundUntil = Math.max(backgroundUntil, now + count * command.everyMs);
        break;
      }
      case 'wait':
        now = command.ms === undefined ? Math.max(now, backgroundUntil) : now + command.ms;
        break;
      default:
    }
  }
  return Math.max(now, backgroundUntil);
}
