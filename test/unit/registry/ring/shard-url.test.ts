import { describe, expect, test } from 'vitest';
import { parseShardUrl, parseShardUrls } from '../../../../src/registry/ring/shard-url.ts';

describe('a storage URL in a ring', () => {
  test.each([
    ['lmdb:', { url: 'lmdb:', name: 'lmdb:', weight: 1, copies: undefined }],
    ['lmdb:/a?weight=3&copies=2', { url: 'lmdb:/a', name: 'lmdb:/a', weight: 3, copies: 2 }],
    ['memory:?maxRecords=5&name=left', { url: 'memory:?maxRecords=5', name: 'left', weight: 1, copies: undefined }],
    [
      'redis://me:s%40cret@host:6379/0?prefix=x',
      { url: 'redis://me:s%40cret@host:6379/0?prefix=x', name: 'redis://me@host:6379/0?prefix=x', weight: 1 },
    ],
    ['postgres://me:a@b:c@host/db', { name: 'postgres://me@host/db' }],
    ['postgres://me@host/db', { name: 'postgres://me@host/db' }],
    ['lmdb:/home/me@work:1@2/db', { name: 'lmdb:/home/me@work:1@2/db' }],
    ['rediss://:secret@host', { url: 'rediss://:secret@host', name: 'rediss://@host' }],
    ['postgres://host/db?password=x&schema=y', { name: 'postgres://host/db?schema=y' }],
  ])('%s', (url, expected) => {
    expect(parseShardUrl(url)).toMatchObject(expected);
  });

  test('keeps its name when its weight changes, so that nothing but the difference moves', () => {
    expect(parseShardUrl('lmdb:/a?weight=3').name).toBe(parseShardUrl('lmdb:/a?weight=7').name);
  });

  test.each([
    [['lmdb:?weight=x'], /"weight" must be a whole number from 0 to 1000, not "x"/],
    [['lmdb:?copies=3'], /"copies" must be a whole number from 1 to 2/],
    [['lmdb:?weight=1&weight=2'], /"weight" is given more than once/],
    [['lmdb:?name='], /printable characters/],
    [
      ['redis://u:secret@h?weight=-1'],
      /"redis:\/\/…@h" cannot be used: the field "weight" must be a whole number from 0 to 1000, not "-1"/,
    ],
    [['lmdb:/a', 'lmdb:/a?weight=2'], /lmdb:\/a is given twice; tell two apart with \?name=/],
    [['lmdb:/a?copies=1', 'lmdb:/b?copies=2'], /different things about \?copies=/],
    [['lmdb:/a?weight=0', 'lmdb:/b?weight=0'], /weight over 0/],
    [Array.from({ length: 129 }, (_, n) => `lmdb:/${n}`), /at most 128 make a ring/],
  ])('%j is refused', (urls, message) => {
    expect(() => parseShardUrls(urls)).toThrow(message);
  });
});
