import { expect, test } from 'vitest';
import { combineObservers } from '../../../src/platform/index.ts';

test('every combined observer hears every event, in order', () => {
  const heard: string[] = [];
  const both = combineObservers(
    { notify: (event) => heard.push(`first ${event.type}`) },
    { notify: (event) => heard.push(`second ${event.type}`) },
  );
  both.notify({ type: 'contact-added', nodeId: 'ab' });
  expect(heard).toEqual(['first contact-added', 'second contact-added']);
});
