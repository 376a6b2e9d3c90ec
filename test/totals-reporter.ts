/**
 * Ends a run with one line of its own, `N passed, N failed` (and `, N skipped` when there are any), for scripts and people to read.
 * A file that cannot be loaded and an error outside any test count as failed, as they make the run fail.
 */
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      totals.failed += module.errors().length;
      for (const test of module.children.allTests()) totals[test.result().state] += 1;
    }
    // A test that never got its turn (an aborted run) is not a test that was skipped on purpose.
    totals.failed += totals.pending;
    const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
    process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed${skipped}\n`);
  }
}
