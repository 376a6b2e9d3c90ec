/** The churn that ships as a scenario, at a size for every run: two hours of a hundred nodes that come and go. A day of a thousand: churn.long.ts. */
import { it } from 'vitest';
import { loadScenario } from '../../testnet/scenarios/index.ts';
import { simulate } from '../../testnet/simulator/index.ts';
import { expectWhole } from '../support/expect-whole.ts';

it('keeps every record whole while nodes come and go, for a twentieth of what re-storing would cost', {
  timeout: 1_200_000,
}, async () => {
  const { commands } = loadScenario('churn');
  expectWhole(await simulate({ seed: '7', commands }, { onResult: () => undefined }));
});
