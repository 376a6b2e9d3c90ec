import { describe, expect, test } from 'vitest';
import { NautilusError } from '../../../src/core/index.ts';
import { isAnswer, PostgresSilence, toPostgresError } from '../../../src/registry/storages/postgres-errors.ts';

const WHERE = 'PostgreSQL at host:5432/db';

/** As the client package hands out what the server sent. */
function answer(code: string, message = 'said the server'): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR' });
}

function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

describe('what a failure of PostgreSQL means', () => {
  test.each([
    [answer('53100'), 'DISK_FULL', 'free some space'],
    [answer('XX001', 'invalid page'), 'STORAGE_DAMAGED', 'invalid page'],
    [answer('53300'), 'STORAGE_FAILED', 'max_connections'],
    [answer('28P01'), 'STORAGE_FAILED', 'password is wrong'],
    [answer('25006'), 'STORAGE_FAILED', 'read-only'],
    [answer('42501'), 'STORAGE_FAILED', 'GRANT'],
    [answer('ZZ999', 'never seen'), 'STORAGE_FAILED', 'see the log of the server (never seen)'],
    [systemError('ECONNREFUSED'), 'STORAGE_FAILED', 'nothing listens there'],
    [systemError('EPIPE'), 'STORAGE_FAILED', 'tried again with the next call'],
    [systemError('DEPTH_ZERO_SELF_SIGNED_CERT'), 'STORAGE_FAILED', 'no TLS connection'],
    [new PostgresSilence('no answer within 5 ms'), 'STORAGE_FAILED', 'no answer within 5 ms: check the server'],
    [new Error('Connection terminated unexpectedly'), 'STORAGE_FAILED', 'tried again with the next call'],
  ])('%s', (error, code, part) => {
    const told = toPostgresError(WHERE, error);
    expect(told).toMatchObject({ code, cause: error, message: expect.stringContaining(part) });
    expect(told.message).toMatch(/^PostgreSQL at host:5432\/db: [^\n]+$/);
  });

  test('what was said already stays as it is', () => {
    const said = new NautilusError('STORAGE_FAILED', 'already clear');
    expect(toPostgresError(WHERE, said)).toBe(said);
  });

  test('a connection outlives an answer, unless the answer ends it', () => {
    expect([answer('23505'), answer('57014'), answer('53100')].map(isAnswer)).toEqual([true, true, true]);
    const ends = [answer('57P01'), answer('08006'), systemError('EPIPE'), new PostgresSilence('no answer')];
    expect(ends.map(isAnswer)).toEqual([false, false, false, false]);
  });
});
