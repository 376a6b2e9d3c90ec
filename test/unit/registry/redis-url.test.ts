import { describe, expect, test } from 'vitest';
import { StorageUrlText } from '../../../src/registry/storage-url-text.ts';
import { parseRedisUrl, redisAddressText } from '../../../src/registry/storages/redis-url.ts';

const parse = (url: string) => parseRedisUrl(new StorageUrlText(url));
const DEFAULTS = { kind: 'redis', port: 6379, tls: false, db: 0, prefix: 'nautilus', timeoutMs: 5_000 };

describe('Redis URLs', () => {
  test.each([
    ['redis://localhost', { ...DEFAULTS, host: 'localhost' }],
    ['redis://10.0.0.1:7000/3', { ...DEFAULTS, host: '10.0.0.1', port: 7_000, db: 3 }],
    ['redis://localhost/', { ...DEFAULTS, host: 'localhost' }],
    ['redis://:pass@localhost', { ...DEFAULTS, host: 'localhost', password: 'pass' }],
    ['redis://user:p%40s%2Fs%25@localhost', { ...DEFAULTS, host: 'localhost', username: 'user', password: 'p@s/s%' }],
    ['redis://:a@b@localhost', { ...DEFAULTS, host: 'localhost', password: 'a@b' }],
    ['redis://:a:%2F%3F%23b@localhost', { ...DEFAULTS, host: 'localhost', password: 'a:/?#b' }],
    ['REDISS://[::1]:7000', { ...DEFAULTS, host: '::1', port: 7_000, tls: true }],
    ['rediss://localhost?ca=/etc/ca.pem', { ...DEFAULTS, host: 'localhost', tls: true, ca: '/etc/ca.pem' }],
    [
      'redis://localhost?prefix=team:a.b-c&timeoutMs=250',
      { ...DEFAULTS, host: 'localhost', prefix: 'team:a.b-c', timeoutMs: 250 },
    ],
  ])('%s is understood', (url, expected) => {
    expect(parse(url)).toEqual(expected);
  });

  test.each([
    ['redis:localhost', 'not of the form redis://user:password@host:port/db'],
    ['redis://', 'names no host'],
    ['redis://localhost:99999', 'not of the form'],
    ['redis://localhost:0', 'port 0'],
    ['redis://localhost/data', 'the database must be a number, not "data"'],
    ['redis://localhost/-1', 'the database must be a number'],
    ['redis://localhost/1/2', 'the database must be a number'],
    ['redis://user@localhost', 'a user but no password'],
    ['redis://localhost?ca=/etc/ca.pem', '"ca" is for rediss://'],
    ['redis://localhost?timeout=5', 'the field "timeout" is unknown; known are prefix, timeoutMs, ca'],
    ['redis://localhost?prefix=a&prefix=b', '"prefix" is given more than once'],
    ['redis://localhost?prefix=a?timeoutMs=5', '"prefix" must be'],
    ['redis://:a%zz@localhost', 'a percent sign is written %25'],
    ['redis://localhost#a', 'it has a "#"'],
    ['redis://localhost?prefix=', '"prefix" must be'],
    ['redis://localhost?prefix={a}', '"prefix" must be'],
    ['redis://localhost?prefix=a*', '"prefix" must be'],
    [`redis://localhost?prefix=${'a'.repeat(65)}`, '"prefix" must be'],
    ['redis://localhost?timeoutMs=99', '"timeoutMs" must be a whole number from 100'],
    ['redis://localhost?timeoutMs=1e3', '"timeoutMs" must be a whole number'],
  ])('%s is refused, naming what is wrong', (url, problem) => {
    expect(() => parse(url)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(problem) as string }),
    );
  });

  test('an address is shown without user and password', () => {
    expect(redisAddressText(parse('rediss://user:pass@[::1]:7000/3'))).toBe('rediss://[::1]:7000/3');
    expect(redisAddressText(parse('redis://user:pass@localhost'))).toBe('redis://localhost:6379');
  });
});
