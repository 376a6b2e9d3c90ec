/**
 * The tiers of STYLE as vitest projects, cheapest first. A tier is a folder; `*.long.ts` anywhere is the tier that runs only by `test:long`.
 * Not here: what a test may import (.dependency-cruiser.cjs).
 */
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { TotalsReporter } from './totals-reporter.ts';

interface TierOptions {
  readonly include?: string;
  readonly timeoutMs?: number;
  readonly fileParallelism?: boolean;
}

/** Tiers run one after the other in the order of `groupOrder`: a broken unit is reported before a process is started. */
function tier(name: string, groupOrder: number, options: TierOptions = {}): TestProjectInlineConfiguration {
  const { include = `test/${name}/**/*.test.ts`, timeoutMs = 20_000, fileParallelism = true } = options;
  return {
    extends: true,
    test: {
      name,
      include: [include],
      sequence: { groupOrder },
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      fileParallelism,
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    pool: 'forks',
    // The default leaves a core to whoever watches: of two cores that is half of them.
    maxWorkers: '100%',
    setupFiles: ['src/platform/node20.ts'],
    reporters: ['default', new TotalsReporter()],
    projects: [
      tier('unit', 0),
      tier('property', 1),
      tier('contract', 2),
      tier('simulation', 3, { timeoutMs: 300_000 }),
      // Real processes and sockets: side by side on two cores they would only measure each other.
      tier('e2e', 4, { timeoutMs: 60_000, fileParallelism: false }),
      tier('long', 5, { include: 'test/**/*.long.ts', timeoutMs: 1_800_000, fileParallelism: false }),
    ],
  },
});
