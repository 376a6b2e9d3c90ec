/** Which nodes a scenario takes. */
import type { ScenarioCommand } from './scenario-command.ts';

/** Nodes there are in the end, down ones too. */
export function nodesNeeded(commands: readonly ScenarioCommand[]): number {
  return commands.reduce((sum, command) => {
    return command.verb === 'nodes' || command.verb === 'join' ? sum + command.count : sum;
  }, 0);
}

/** None of them keeps records. */
export function isRecordless(commands: readonly ScenarioCommand[]): boolean {
  return commands.some((command) => command.verb === 'nodes' && command.isRecordless);
}
