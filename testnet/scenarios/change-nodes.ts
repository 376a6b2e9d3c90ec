/** The commands that stop nodes, start them, and set their clocks. */
import type { CommandOf, NodeSet } from './scenario-command.ts';
import type { ScenarioRun } from './scenario-run.ts';
import type { NodeState } from './scenario-target.ts';

type NodeCommand = CommandOf<'join' | 'leave' | 'kill' | 'pause' | 'resume' | 'restart' | 'skew'>;

/** @returns what came of it. A node that is not in a state for it is passed over, and said. */
export async function changeNodes(run: ScenarioRun, command: NodeCommand): Promise<string> {
  const { target } = run;
  switch (command.verb) {
    case 'join':
      await target.join(command.count);
      return `${command.count} have joined`;
    case 'leave':
      return change(run, command.nodes, ['running'], 'left', (node) => target.leave(node));
    case 'kill': {
      const { isSilent } = command;
      return change(run, command.nodes, ['running', 'paused'], 'killed', (node) => target.kill(node, { isSilent }));
    }
    case 'pause':
      return change(run, command.nodes, ['running'], 'paused', (node) => target.pause(node));
    case 'resume':
      return change(run, command.nodes, ['paused'], 'resumed', (node) => target.resume(node));
    case 'restart': {
      const { isWiped } = command;
      return change(run, command.nodes, ['down'], 'back', (node) => target.restart(node, { isWiped }));
    }
    case 'skew':
      return change(run, command.nodes, ['running'], 'set', (node) =>
        Promise.resolve(target.skew(node, command.skewMs)),
      );
  }
}

async function change(
  run: ScenarioRun,
  set: NodeSet,
  states: readonly NodeState[],
  done: string,
  work: (node: number) => Promise<void>,
): Promise<string> {
  const nodes = run.choose(set, ...states);
  await run.change(nodes, work);
  const passedOver = set.kind === 'numbers' ? set.numbers.filter((number) => !nodes.includes(number)) : [];
  const shown = nodes.length <= 8 ? nodes.join(', ') : String(nodes.length);
  const text = nodes.length === 0 ? `nobody ${done}` : `${done}: ${shown}`;
  return passedOver.length === 0 ? text : `${text} (not ${states.join(' or ')}: ${passedOver.join(', ')})`;
}
