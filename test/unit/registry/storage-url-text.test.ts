/** Whatever a password has in it, and whatever is wrong with the URL around it: nobody gets to read it. */
import { describe, expect, test } from 'vitest';
import { absoluteUrls, checkStorageUrl, parseShardUrls, storageNaming } from '../../../src/registry/index.ts';

const ODD = [
  '@',
  '#',
  '/',
  '?',
  ':',
  '%',
  '%zz',
  '&',
  '=',
  '\\',
  ' ',
  '[',
  ']',
  '?timeoutMs=',
  '?weight=1&name=',
  '//',
  '1',
  '',
];
const PASSWORDS = ODD.flatMap((odd) => [`s3cret${odd}s3cret`, `12${odd}s3cret`, `${odd}s3cret`, `s3cret${odd}`]);
/** Right and wrong places around a user and a password. */
const PLACES: readonly ((userInfo: string) => string)[] = [
  (userInfo) => `redis://${userInfo}@host/0`,
  (userInfo) => `rediss://${userInfo}@[::1]:7000?timeoutMs=1`,
  (userInfo) => `redis://${userInfo}@host:port`,
  (userInfo) => `redis:${userInfo}@host`,
  (userInfo) => `redis://${userInfo}@`,
  (userInfo) => `postgres://${userInfo}@host/db?schema=mine`,
  (userInfo) => `postgresql://${userInfo}@/db?host=/run&port=0`,
  (userInfo) => `postgres://${userInfo}@host/db?unknown=1&weight=-1`,
  (userInfo) => `POSTGRES://${userInfo}@host:port/db#x`,
  (userInfo) => `redsi://${userInfo}@host`,
  (userInfo) => `://${userInfo}@host`,
];

/** Everything that is said of a storage: its name and every complaint. */
function saidOf(url: string): string {
  const said: string[] = [];
  const attempts = [
    () => checkStorageUrl(url),
    () => parseShardUrls([url]).shards[0]?.name,
    () => parseShardUrls([url, url]),
    () => storageNaming('/data').names([url]).join(),
    () => storageNaming('/data').shown([url]).join(),
    () => void absoluteUrls([url], '/data'),
  ];
  for (const attempt of attempts) {
    try {
      said.push(attempt() ?? '');
    } catch (error) {
      said.push(JSON.stringify(error, ['message', 'details']), String(error));
    }
  }
  return said.join('\n');
}

describe('what a storage URL says in public', () => {
  test.each(PASSWORDS)('has no word of the password %j', (password) => {
    for (const place of PLACES) {
      for (const written of [password, encodeURIComponent(password)]) {
        const url = place(`user:${written}`);
        expect(saidOf(url), url).not.toMatch(/s3cret/);
        expect(saidOf(place(`:${written}`)), url).not.toMatch(/s3cret/);
      }
    }
  });

  test('has no word of a password without a host', () => {
    for (const url of ['redis://user:s3cret', 'redis://:s3cret', 'redis:user:s3cret', 'postgres://user:s3cret/db'])
      expect(saidOf(url), url).not.toMatch(/s3cret/);
  });

  test.each([
    ['redis://user:s3cret', 'is not of the form redis://'],
    ['redis://:s3cret', 'is not of the form redis://'],
    ['postgres://host:port/db', 'is not of the form postgres://'],
  ])('%s is refused for what is wrong with it', (url, problem) => {
    expect(() => checkStorageUrl(url)).toThrow(problem);
  });

  test.each([
    ['redis://u:12/34@host', 'a user or password these three are written %2F, %3F and %23'],
    ['redis://u:12?34@host', '%2F, %3F and %23'],
    ['postgres://u:12#34@host/db', '%2F, %3F and %23'],
    ['redis://host?name=a@b', 'an "@" elsewhere is %40'],
  ])('%s is refused, because the password may end in two places', (url, problem) => {
    expect(() => checkStorageUrl(url)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(problem) }),
    );
  });

  test.each([
    ['redis://u:p@host:6379/x?prefix=a', 'redis://…@host:6379/x'],
    ['redis://[::1]:7000/x', 'redis://[::1]:7000/x'],
    ['rediss://host:port/0', 'rediss://host:…'],
    ['lmdb:/home/me@work?x=1', 'lmdb:/home/me@work'],
    ['memory:?x=1', 'memory:'],
    ['', ''],
  ])('%j is shown as %j when it is refused', (url, shown) => {
    expect(() => checkStorageUrl(url)).toThrow(`--storage "${shown}" cannot be used: `);
  });

  test('keeps what tells two storages apart', () => {
    const urls = ['redis://u:p@host/0?prefix=a', 'redis://u:p@host/0?prefix=b', 'redis://v:p@host/0?prefix=a'];
    expect(parseShardUrls(urls).shards.map(({ name }) => name)).toEqual([
      'redis://u@host/0?prefix=a',
      'redis://u@host/0?prefix=b',
      'redis://v@host/0?prefix=a',
    ]);
  });
});
