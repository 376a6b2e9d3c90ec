import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { absoluteUrls, storageNaming } from '../../../../src/registry/exchange/index.ts';

const { names, lastingNames, shown } = storageNaming('/data');

test('one storage has one name, however it is written and whatever its share is, and no password', () => {
  expect(names(['lmdb:/data/records'])).toEqual(names(['lmdb:']));
  expect(names(['lmdb:there'])).toEqual([`lmdb:${resolve('there')}`]);
  expect(names(['redis://me:secret@host:1/0?weight=3'])).toEqual(['redis://me@host:1/0']);
  expect(names(['redis://me:secret@host?name=left'])).toEqual(['left']);
  expect(names(['memory:', 'lmdb:/x'])).toEqual(names(['lmdb:/x?weight=2', 'memory:?copies=2']));
  // A directory is the same one whatever it is called.
  expect(names(['lmdb:/x?name=left'])).toEqual(['lmdb:/x']);
});

test('what is in memory outlives nothing', () => {
  expect(lastingNames(['memory:?name=quick', 'redis://host', 'lmdb:/x'])).toEqual(['lmdb:/x', 'redis://host']);
});

test('what is to be written again says all but the password', () => {
  const urls = [
    'lmdb:there?weight=2',
    'redis://me:secret@host/1?name=left&copies=2',
    'redis://:secret@host',
    'memory:',
  ];
  expect(shown([...urls, 'postgres://me@host/db?schema=mine&sslpassword=secret'])).toEqual([
    `lmdb:${resolve('there')}?weight=2`,
    'redis://me:PASSWORD@host/1?name=left&copies=2',
    'redis://:PASSWORD@host',
    'memory:',
    'postgres://me@host/db?schema=mine',
  ]);
});

test('relative paths are made absolute, and what the ring is told stays', () => {
  expect(absoluteUrls(['lmdb:there?weight=2', 'lmdb:', 'memory:?maxRecords=5'], '/data')).toEqual([
    `lmdb:${resolve('there')}?weight=2`,
    'lmdb:',
    'memory:?maxRecords=5',
  ]);
});
