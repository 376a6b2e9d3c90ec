import { describe, expect, it } from 'vitest';
import { combineObservers, createCountingObserver } from '../../../src/platform/index.ts';

describe('the counting observer', () => {
  it('counts by type, request, reason and code', () => {
    const counting = createCountingObserver();
    counting.notify({ type: 'request-sent', request: 'PING' });
    counting.notify({ type: 'request-sent', request: 'PING' });
    counting.notify({ type: 'request-failed', request: 'PING', code: 'TIMEOUT' });
    counting.notify({ type: 'record-refused', key: 'svc/web', reason: 'STORE_FULL' });
    counting.notify({ type: 'warning', code: 'CLOCK', message: 'the clock is off' });
    counting.notify({ type: 'contact-added', nodeId: 'ab' });
    expect(counting.counts()).toEqual({
      'request-sent/PING': 2,
      'request-failed/PING/TIMEOUT': 1,
      'record-refused/STORE_FULL': 1,
      'warning/CLOCK': 1,
      'contact-added': 1,
    });
  });

  it('counts reasons beyond its bound together, and loses none', () => {
    const counting = createCountingObserver();
    for (let i = 0; i < 2_000; i++) {
      counting.notify({ type: 'peer-misbehaved', nodeId: 'ab', reason: `reason ${i}` });
    }
    const counts = counting.counts();
    expect(Object.keys(counts).length).toBe(513);
    expect(counts['peer-misbehaved/other']).toBe(1_488);
  });

  it('hears every event beside others, in order', () => {
    const heard: string[] = [];
    const both = combineObservers(
      { notify: (event) => heard.push(`first ${event.type}`) },
      { notify: (event) => heard.push(`second ${event.type}`) },
    );
    both.notify({ type: 'contact-added', nodeId: 'ab' });
    expect(heard).toEqual(['first contact-added', 'second contact-added']);
  });
});
