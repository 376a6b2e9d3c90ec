import { describe, expect, it } from 'vitest';
import { EXIT_CODES, exitCodeOf, worseExitCode } from '../../../src/cli/exit-code.ts';
import { ERROR_CATALOGUE, NautilusError } from '../../../src/core/index.ts';

describe('exit codes', () => {
  it('exist for every error code and for nothing else', () => {
    expect(Object.keys(EXIT_CODES).sort()).toEqual(Object.keys(ERROR_CATALOGUE).sort());
  });

  it('are those of the contract', () => {
    const byExit = new Map<number, string[]>();
    for (const [code, exit] of Object.entries(EXIT_CODES)) byExit.set(exit, [...(byExit.get(exit) ?? []), code]);
    expect(byExit.get(3)).toEqual(['NOT_FOUND']);
    expect(byExit.get(4)).toEqual(['QUORUM_NOT_REACHED', 'DEGRADED']);
    expect(byExit.get(5)).toEqual(['NOT_OWNER', 'CONFLICT']);
    expect(byExit.get(6)).toEqual(['NO_PEERS', 'PEER_UNREACHABLE', 'NODE_UNREACHABLE']);
    expect(byExit.get(124)).toEqual(['TIMEOUT']);
    for (const code of ['KEY_INVALID', 'VALUE_TOO_LARGE', 'TTL_INVALID', 'QUORUM_INVALID', 'USAGE', 'CONFIG_INVALID']) {
      expect(byExit.get(2)).toContain(code);
    }
    expect([...byExit.keys()].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 124]);
  });

  it('are 1 for whatever is no NautilusError, and 124 for a timeout of the platform', () => {
    expect(exitCodeOf(new TypeError('x'))).toBe(1);
    expect(exitCodeOf(new DOMException('x', 'TimeoutError'))).toBe(124);
    expect(exitCodeOf(new NautilusError('NOT_FOUND', 'x'))).toBe(3);
  });

  it('of a batch are the worst of its records, whatever their order', () => {
    expect([0, 3, 0].reduce(worseExitCode)).toBe(3);
    expect([4, 3].reduce(worseExitCode)).toBe(4);
    expect([3, 4].reduce(worseExitCode)).toBe(4);
    expect([6, 124, 1, 2].reduce(worseExitCode)).toBe(1);
    expect([0, 0].reduce(worseExitCode)).toBe(0);
  });
});
