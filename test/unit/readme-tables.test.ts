/** The tables of the README against the code they describe. Its commands are run in test/e2e/readme.test.ts. */
import { describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/cli/exit-code.ts';
import { CONFIG_FIELDS } from '../../src/node/config-fields.ts';
import { readReadme, tableUnder } from '../support/readme.ts';

describe('the README', () => {
  it('lists every configuration field as the code has it', () => {
    const documented = CONFIG_FIELDS.map(({ flag = '', env, inFile, name, default: value, description }) => [
      flag,
      env,
      inFile ? name : '',
      value,
      description,
    ]);
    expect(tableUnder(readReadme(), 'Configuration')).toEqual(documented);
  });

  it('lists every exit code', () => {
    const documented = tableUnder(readReadme(), 'Exit codes').map(([code]) => Number(code));
    expect(documented).toEqual([...new Set([0, ...Object.values(EXIT_CODES)])].sort((a, b) => a - b));
  });
});
