import { describe, expect, test } from 'vitest';
import { NautilusError } from '../../../src/core/index.ts';
import {
  isAnswer,
  PostgresSilence,
  toPostgresCallError,
  toPostgresError,
} from '../../../src/registry/storages/postgres-errors.ts';

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
    [answer('28P01'), 'CONFIG_INVALID', 'password is wrong'],
    [answer('28000'), 'CONFIG_INVALID', 'pg_hba.conf'],
    [answer('3D000'), 'CONFIG_INVALID', 'createdb'],
    [answer('25006'), 'CONFIG_INVALID', 'read-only'],
    [answer('42501'), 'CONFIG_INVALID', 'GRANT'],
    [answer('ZZ999', 'never seen'), 'STORAGE_FAILED', 'see the log of the server (never seen)'],
    [systemError('ECONNREFUSED'), 'STORAGE_FAILED', 'nothing listens there'],
    [systemError('EPIPE'), 'STORAGE_FAILED', 'tried again with the next call'],
    [systemError('DEPTH_ZERO_SELF_SIGNED_CERT'), 'CONFIG_INVALID', 'no TLS connection'],
    [new Error('The server does not support SSL connections'), 'CONFIG_INVALID', 'no TLS connection'],
    [new Error('There was an error establishing an SSL connection'), 'STORAGE_FAILED', 'tried again'],
    [new Error('SASL: client password must be a string'), 'CONFIG_INVALID', 'asks for a password'],
    [answer('57P03'), 'STORAGE_FAILED', 'starting or stopping'],
    [new PostgresSilence('no answer within 5 ms'), 'STORAGE_FAILED', 'no answer within 5 ms: check the server'],
    [new Error('Connection terminated unexpectedly'), 'STORAGE_FAILED', 'tried again with the next call'],
  ])('%s', (error, code, part) => {
    const told = toPostgresError(WHERE, error);
    expect(told).toMatchObject({ code, cause: error, message: expect.stringContaining(part) });
    expect(told.message).toMatch(/^PostgreSQL at host:5432\/db: [^\n]+$/);
  });

  test('a server that worked until now has failed, whatever the reason is', () => {
    for (const state of ['28P01', '28000', '3D000', '42501', '25006']) {
      const { message } = toPostgresError(WHERE, answer(state));
      expect(toPostgresCallError(WHERE, answer(state))).toMatchObject({ code: 'STORAGE_FAILED', message });
    }
    expect(toPostgresCallError(WHERE, answer('53100'))).toMatchObject({ code: 'DISK_FULL' });
    expect(toPostgresCallError(WHERE, answer('XX001'))).toMatchObject({ code: 'STORAGE_DAMAGED' });
    const inUse = new NautilusError('DATA_DIR_IN_USE', 'somebody else has it now');
    expect(toPostgresCallError(WHERE, inUse)).toMatchObject({ code: 'STORAGE_FAILED', message: inUse.message });
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
