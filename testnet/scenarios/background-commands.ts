/** The commands that go on while others run: load, churn, and nodes that are replaced or come and go. */
import type { ChurnSettings, CommandOf } from './scenario-command.ts';
import type { ScenarioRun } from './scenario-run.ts';
import { weibullResidual, weibullSession } from './weibull.ts';

/** Operations of a load under way at once; beyond that the load waits, as callers with a limit do. */
const MAX_IN_FLIGHT = 1_000;
/** Of the numbered records: how many a put of the load looks at to find one whose publisher is running. */
const WRITER_ATTEMPTS = 8;

/** Gets of random records through random nodes and new values of them through their publishers, at random moments (Poisson). */
export async function runLoad(run: ScenarioRun, load: CommandOf<'load'>): Promise<void> {
  await Promise.all([
    runAtRandom(run, load.getsPerSecond, load.forMs, async () => {
      const record = run.pick(run.written);
      const node = run.pick(run.nodesThatAre('running'));
      if (record !== undefined && node !== undefined) await run.get(node, record.key);
    }),
    runAtRandom(run, load.putsPerSecond, load.forMs, async () => {
      const running = new Set(run.nodesThatAre('running'));
      const candidates = Array.from({ length: WRITER_ATTEMPTS }, () => run.pick(run.written));
      const record = candidates.find((candidate) => candidate !== undefined && running.has(candidate.node));
      if (record === undefined) return;
      await run.put(record.node, { ...record, value: numberedValue(run, record.sizeBytes) });
    }),
  ]);
}

async function runAtRandom(
  run: ScenarioRun,
  perSecond: number,
  forMs: number,
  operation: () => Promise<void>,
): Promise<void> {
  if (perSecond === 0) return run.sleep(forMs);
  const until = run.elapsedMs + forMs;
  // BOUNDED: MAX_IN_FLIGHT.
  const inFlight = new Set<Promise<void>>();
  for (;;) {
    const gapMs = (-Math.log(1 - run.target.random()) * 1_000) / perSecond;
    if (run.elapsedMs + gapMs >= until) break;
    await run.sleep(gapMs);
    if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight);
    const running = operation().finally(() => inFlight.delete(running));
    inFlight.add(running);
  }
  await run.sleep(Math.max(0, until - run.elapsedMs));
  await Promise.all(inFlight);
}

/** Of the given size, different each time. */
export function numberedValue(run: ScenarioRun, sizeBytes: number): string {
  const digits = run.target.random().toString(36).slice(2, 14);
  return digits.repeat(Math.ceil(sizeBytes / digits.length)).slice(0, sizeBytes);
}

/**
 * Every running node leaves when its session is over, and comes back after a while; who is away in the end stays away. The churn begins in the
 * middle of sessions, as in a network that has been there for long: what is left of them is longer than a session that begins, but as many end
 * in an hour as in any other. Only that nobody is away yet is kinder than a network later on.
 */
export async function runChurn(run: ScenarioRun, churn: ChurnSettings): Promise<void> {
  const until = run.elapsedMs + churn.forMs;
  await Promise.all(run.nodesThatAre('running').map((node) => churnNode(run, churn, node, until)));
}

async function churnNode(run: ScenarioRun, churn: ChurnSettings, node: number, until: number): Promise<void> {
  const { target } = run;
  const uniform = () => target.random();
  const { medianMs: median, shape } = churn;
  /** False when the churn is over before. */
  const pass = async (ms: number) => {
    await run.sleep(Math.max(0, Math.min(ms, until - run.elapsedMs)));
    return run.elapsedMs < until;
  };
  let stays = weibullResidual({ median, shape }, uniform);
  while (await pass(stays)) {
    // Somebody has to be left to come back to.
    if (run.nodesThatAre('running').length > 1 && target.states().get(node) === 'running') {
      const how = target.random();
      const isSilent = how < churn.graceful + churn.silent;
      await run.change([node], () => (how < churn.graceful ? target.leave(node) : target.kill(node, { isSilent })));
      run.figures.sessions.ended++;
    }
    if (!(await pass(weibullSession({ median: churn.awayMs, shape }, uniform)))) return;
    const isWiped = target.random() < churn.wiped;
    if (run.nodesThatAre('down').includes(node)) {
      await run.change([node], () => target.restart(node, { isWiped }));
      run.figures.sessions.begun++;
    }
    stays = weibullSession({ median, shape }, uniform);
  }
}

/** One after the other is killed and comes back at once. */
export async function runRoll(run: ScenarioRun, { nodes, everyMs, isWiped }: CommandOf<'roll'>): Promise<void> {
  for (const node of run.choose(nodes, 'running')) {
    await run.change([node], async () => {
      if (run.target.states().get(node) === 'running') await run.target.kill(node, { isSilent: false });
      if (run.target.states().get(node) === 'down') await run.target.restart(node, { isWiped });
    });
    await run.sleep(everyMs);
  }
}

/** Each goes at the beginning of a turn and comes back in the middle of it. */
export async function runFlap(run: ScenarioRun, flap: CommandOf<'flap'>): Promise<void> {
  const until = run.elapsedMs + flap.forMs;
  const flapNode = async (node: number) => {
    while (run.elapsedMs < until) {
      if (run.target.states().get(node) === 'running') {
        await run.change([node], () => run.target.kill(node, { isSilent: false }));
      }
      await run.sleep(flap.everyMs / 2);
      if (run.nodesThatAre('down').includes(node)) {
        await run.change([node], () => run.target.restart(node, { isWiped: false }));
      }
      await run.sleep(flap.everyMs / 2);
    }
  };
  await Promise.all(run.choose(flap.nodes, 'running').map(flapNode));
}
