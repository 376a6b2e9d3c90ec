import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { absoluteUrls, storageNames } from '../../../../src/registry/exchange/index.ts';

test('one storage has one name, however it is written, and no password', () => {
  const names = (...urls: string[]) => storageNames(urls, '/data');
  expect(names('lmdb:/data/records')).toBe(names('lmdb:'));
  expect(names('lmdb:there')).toBe(`lmdb:${resolve('there')}`);
  expect(names('redis://me:secret@host:1/0')).toBe('redis://me@host:1/0');
  expect(names('memory:', 'lmdb:/x')).toBe(names('lmdb:/x?weight=2', 'memory:'));
});

test('relative paths are made absolute, and what the ring is told stays', () => {
  expect(absoluteUrls(['lmdb:there?weight=2', 'lmdb:', 'memory:?maxRecords=5'], '/data')).toEqual([
    `lmdb:${resolve('there')}?weight=2`,
    'lmdb:',
    'memory:?maxRecords=5',
  ]);
});
