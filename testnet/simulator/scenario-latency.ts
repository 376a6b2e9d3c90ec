import type { ScenarioLatency } from '../scenarios/index.ts';
import { constantLatency, type LatencyModel, normalLatency } from './latency.ts';
import { wideAreaLatency } from './wide-area-latency.ts';

/** The latency of a scenario as a model. @param seed where the nodes are in the world follows from it */
export function scenarioLatency(latency: ScenarioLatency, seed: string): LatencyModel {
  switch (latency.kind) {
    case 'wide-area':
      return wideAreaLatency({ seed });
    case 'constant':
      return constantLatency(latency.ms);
    case 'normal':
      return normalLatency(latency.meanMs, latency.deviationMs);
  }
}
