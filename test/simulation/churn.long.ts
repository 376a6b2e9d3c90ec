/**
 * A day of a thousand nodes that come and go as they do in measured networks, ten thousand records: about an hour and a half of one core.
 * CHURN_SEED runs another seed; what was seen of it is printed each simulated hour.
 */
import { it } from 'vitest';
import { loadScenario, resizeScenario } from '../../testnet/scenarios/index.ts';
import { simulate } from '../../testnet/simulator/index.ts';
import { expectWhole, wholeFigures } from '../support/expect-whole.ts';
import { recordFigure } from '../support/figures.ts';

const NODES = 1_000;
const HOURS = 24;
const HOUR_MS = 3_600_000;
const SEED = process.env.CHURN_SEED ?? '7';

it(`keeps ${NODES * 10} records whole for ${HOURS} hours of churn among ${NODES} nodes`, {
  timeout: 86_400_000,
}, async () => {
  const commands = resizeScenario(loadScenario('churn').commands, { nodes: NODES, forMs: HOURS * HOUR_MS });
  let hours = 0;
  const report = await simulate(
    { seed: SEED, commands },
    {
      onResult: ({ text }, atMs, result) => progress(atMs, `${text}: ${result}`),
      onProgress: (elapsedMs) => {
        if (elapsedMs < (hours + 1) * HOUR_MS) return;
        hours++;
        progress(elapsedMs, 'goes on');
      },
    },
  );
  recordFigure(
    `churn: ${NODES} nodes, ${HOURS} h, sessions Weibull 0.5 with a median of 2 h, ${NODES * 10} records, seed ${SEED}`,
    `${wholeFigures(report)}, ${(process.cpuUsage().user / 6e7).toFixed(0)} min of CPU`,
  );
  expectWhole(report);
});

function progress(atMs: number, text: string): void {
  const { rss } = process.memoryUsage();
  const minutes = process.cpuUsage().user / 6e7;
  process.stderr.write(
    `${(atMs / HOUR_MS).toFixed(2)} h: ${text} · ${minutes.toFixed(1)} min of CPU, ${Math.round(rss / 2 ** 20)} MiB\n`,
  );
}
