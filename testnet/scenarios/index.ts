/** Door of the scenarios: what happens to a network, as text that the simulator and the process testnet both run. */
export { loadScenario, scenarioNames } from './load-scenario.ts';
export { isRecordless, nodesNeeded } from './nodes-needed.ts';
export { failedOutcome, writtenOutcome } from './operation-outcome.ts';
export { parseCommand, parseScenario } from './parse-scenario.ts';
export { percentile } from './percentile.ts';
export { plannedMs } from './planned-ms.ts';
export { resizeScenario } from './resize-scenario.ts';
export { runScenario, type ScenarioOutput, type ScenarioReport } from './run-scenario.ts';
export type { ScenarioCommand, ScenarioLatency } from './scenario-command.ts';
export type {
  LookupFigures,
  NodeState,
  OperationFailure,
  PurposeTraffic,
  ReadOutcome,
  ScenarioTarget,
  WriteOutcome,
} from './scenario-target.ts';
export { weibullResidual, weibullSession } from './weibull.ts';
