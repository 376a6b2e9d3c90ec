import { describe, expect, test } from 'vitest';
import { parseStorageUrl } from '../../../src/registry/index.ts';

describe('storage URLs', () => {
  test.each([
    ['memory:', { kind: 'memory', maxRecords: undefined, maxBytes: undefined }],
    ['memory:?maxRecords=10', { kind: 'memory', maxRecords: 10, maxBytes: undefined }],
    ['memory:?maxBytes=64000000&maxRecords=1', { kind: 'memory', maxRecords: 1, maxBytes: 64_000_000 }],
    ['MEMORY:', { kind: 'memory', maxRecords: undefined, maxBytes: undefined }],
    ['lmdb:', { kind: 'lmdb', path: undefined }],
    ['lmdb:/var/lib/nautilus', { kind: 'lmdb', path: '/var/lib/nautilus' }],
    ['lmdb:relative/with space', { kind: 'lmdb', path: 'relative/with space' }],
    ['redis://localhost', expect.objectContaining({ kind: 'redis', tls: false })],
    ['rediss://localhost', expect.objectContaining({ kind: 'redis', tls: true })],
  ])('%s is understood', (url, expected) => {
    expect(parseStorageUrl(url)).toEqual(expected);
  });

  test.each([
    ['', 'no scheme'],
    ['memory', 'no scheme'],
    ['/var/lib', 'no scheme'],
    ['sqlite:file', 'the scheme "sqlite:" is unknown; known are memory:'],
    ['memory:path', 'no path'],
    ['memory:?maxRecord=1', '"maxRecord" is unknown'],
    ['memory:?maxRecords=0', '"maxRecords" must be a whole number'],
    ['memory:?maxRecords=1e6', '"maxRecords" must be a whole number'],
    ['memory:?maxBytes=-1', '"maxBytes" must be a whole number'],
    ['memory:?maxBytes=9999999999999999', '"maxBytes" must be a whole number'],
    ['memory:?maxBytes=1&maxBytes=2', '"maxBytes" is given more than once'],
    ['lmdb:?maxBytes=1', '"maxBytes" is unknown'],
    ['lmdb:a\0b', 'NUL'],
  ])('%j is refused, naming what is wrong', (url, problem) => {
    expect(() => parseStorageUrl(url)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(problem) }),
    );
  });
});
