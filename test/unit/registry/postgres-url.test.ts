import { describe, expect, test } from 'vitest';
import { parseStorageUrl } from '../../../src/registry/index.ts';

const DEFAULTS = { kind: 'postgres', schema: 'nautilus', poolSize: 5, timeoutMs: 5_000 };

describe('PostgreSQL URLs', () => {
  test.each([
    ['postgres://host/db', { url: 'postgres://host/db' }],
    ['postgresql://user:p%40ss@host:5433/db', { url: 'postgresql://user:p%40ss@host:5433/db' }],
    ['POSTGRES://host/db', { url: 'POSTGRES://host/db' }],
    ['postgres://[::1]:5432/db', { url: 'postgres://[::1]:5432/db' }],
    ['postgres:///db?host=/var/run&port=5433', { url: 'postgres:///db?host=%2Fvar%2Frun&port=5433' }],
    ['postgres://user:pass@/db?host=/run', { url: 'postgres://user:pass@/db?host=%2Frun' }],
    [
      'postgres://host/db?schema=mine&poolSize=3&timeoutMs=100',
      { url: 'postgres://host/db', schema: 'mine', poolSize: 3, timeoutMs: 100 },
    ],
    ['postgres://host/db?sslmode=disable', { url: 'postgres://host/db?sslmode=disable' }],
    [
      'postgres://host/db?sslmode=no-verify&application_name=n1',
      { url: 'postgres://host/db?sslmode=no-verify&application_name=n1' },
    ],
    // What pg 8 makes of them anyway, with a warning, and pg 9 no longer will.
    ['postgres://host/db?sslmode=require&schema=s', { url: 'postgres://host/db?sslmode=verify-full', schema: 's' }],
    ['postgres://host/db?sslmode=prefer', { url: 'postgres://host/db?sslmode=verify-full' }],
  ])('%s is understood', (url, expected) => {
    expect(parseStorageUrl(url)).toEqual({ ...DEFAULTS, ...expected });
  });

  test.each([
    ['postgres:', 'not of the form postgres://'],
    ['postgres:host/db', 'not of the form postgres://'],
    ['postgres://host:port/db', 'not of the form postgres://'],
    ['postgres://host/db#1', 'it has a "#"'],
    ['postgres://host/db?pool=3', '"pool" is unknown; known are schema, poolSize, timeoutMs, sslmode'],
    ['postgres://host/db?password=hidden', '"password" is unknown'],
    ['postgres://host/db?toString=1', '"toString" is unknown'],
    ['postgres://host/db?schema=a&schema=b', '"schema" is given more than once'],
    ['postgres://host/db?schema=', '"schema" must be a name'],
    ['postgres://host/db?schema=Mine', '"schema" must be a name'],
    ['postgres://host/db?schema=pg_mine', '"schema" must be a name'],
    ['postgres://host/db?schema=a"b', '"schema" must be a name'],
    [`postgres://host/db?schema=${'s'.repeat(64)}`, '"schema" must be a name'],
    ['postgres://host/db?poolSize=2', '"poolSize" must be a whole number from 3 to 1000'],
    ['postgres://host/db?poolSize=1e3', '"poolSize" must be a whole number'],
    ['postgres://host/db?timeoutMs=99', '"timeoutMs" must be a whole number from 100 to 600000'],
    ['postgres://host/db?timeoutMs=never', '"timeoutMs" must be a whole number'],
    ['postgres:///db?host=/run&port=0', '"port" must be a whole number from 1 to 65535'],
    ['postgres://host/db?sslmode=allow', '"sslmode" must be one of disable, no-verify'],
  ])('%s is refused, naming what is wrong', (url, problem) => {
    expect(() => parseStorageUrl(url)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(problem) }),
    );
  });
});
