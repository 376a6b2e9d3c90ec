import { describe, expect, it } from 'vitest';
import { fromErrorObject, toErrorObject } from '../../../src/commands/index.ts';
import { assert, ERROR_CATALOGUE, type ErrorCode, NautilusError } from '../../../src/core/index.ts';

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('errors as data', () => {
  it.each(Object.keys(ERROR_CATALOGUE) as ErrorCode[])('keep the code %s, the message and the details', (code) => {
    const error = new NautilusError(code, 'do this next', { details: { n: 1 } });
    const copy = fromErrorObject(JSON.parse(JSON.stringify(toErrorObject(error))));
    expect(copy).toMatchObject({ code, message: 'do this next', details: { n: 1 } });
  });

  it('have the code of a timeout or an abort when that is what happened', () => {
    expect(toErrorObject(new DOMException('x', 'TimeoutError')).code).toBe('TIMEOUT');
    expect(toErrorObject(new DOMException('x', 'AbortError')).code).toBe('ABORTED');
  });

  it('call everything else a bug, in one line', () => {
    for (const bug of [new TypeError('a\nb'), thrownBy(() => assert(false, 'K is 0')), 'text', undefined]) {
      const { code, message } = toErrorObject(bug);
      expect(code).toBe('INTERNAL');
      expect(message).not.toContain('\n');
    }
  });

  it('keep the message of a code this build does not know', () => {
    const unknown = { code: 'FROM_THE_FUTURE', message: 'update first' } as unknown as Parameters<
      typeof fromErrorObject
    >[0];
    expect(fromErrorObject(unknown)).toMatchObject({ code: 'INTERNAL', message: 'update first' });
  });
});
