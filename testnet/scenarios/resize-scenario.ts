import type { ScenarioCommand } from './scenario-command.ts';

export interface ScenarioSize {
  /** Instead of what `nodes` says. */
  readonly nodes?: number | undefined;
  /** Instead of what `for=` of load, churn and flap says. */
  readonly forMs?: number | undefined;
}

/** The same scenario, larger or longer. */
export function resizeScenario(commands: readonly ScenarioCommand[], size: ScenarioSize): readonly ScenarioCommand[] {
  const { nodes, forMs } = size;
  return commands.map((command) => {
    if (command.verb === 'nodes' && nodes !== undefined) {
      return { ...command, count: nodes, text: `nodes ${nodes}` };
    }
    const isLasting = command.verb === 'load' || command.verb === 'churn' || command.verb === 'flap';
    if (!isLasting || forMs === undefined) return command;
    return { ...command, forMs, text: command.text.replace(/\bfor=\S+/, `for=${forMs / 60_000}m`) };
  });
}
