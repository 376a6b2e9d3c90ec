import { describe, expect, test } from 'vitest';
import { DEFAULT_NETWORK_CONSTANTS, parseKey } from '../../../src/records/index.ts';
import { createStateStore, MemoryStorage } from '../../../src/registry/index.ts';
import { type Publication, Publications } from '../../../src/replication/publications.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { identity, signed } from '../../support/signed-records.ts';

const RECEIPT = { k: 1, wanted: 1, acked: 1, holders: [] };

function createPublications() {
  const clock = new ManualClock();
  const state = createStateStore(new MemoryStorage({ clock }));
  return { clock, publications: new Publications({ state, clock, constants: DEFAULT_NETWORK_CONSTANTS }) };
}

async function publication(text: string, seqMs: number): Promise<Publication> {
  const key = parseKey(text);
  const { header, value } = await signed(identity(1), { key, seq: seqMs * 1000, expiresAt: seqMs + 60_000 });
  return { header, sizeBytes: value.length, receipt: RECEIPT };
}

async function textsOf(publications: Publications): Promise<string[]> {
  const texts: string[] = [];
  for await (const { header } of publications.entries()) texts.push(header.key.text);
  return texts.sort();
}

describe('Publications', () => {
  test.each(['k', 'k'.repeat(512), 'ü'.repeat(256)])(
    'remember the newest put of a key of any length (%#)',
    async (text) => {
      const { clock, publications } = createPublications();
      expect(await publications.get(parseKey(text))).toBeUndefined();
      await publications.set(await publication(text, clock.now() - 1));
      const newer = await publication(text, clock.now());
      await publications.set(newer);
      expect(await publications.get(parseKey(text))).toEqual(newer);
      expect(await textsOf(publications)).toEqual([text]);
    },
  );

  test('forget those whose seq no clock can come back to', async () => {
    const { clock, publications } = createPublications();
    await publications.set(await publication('old', clock.now()));
    await clock.advance(DEFAULT_NETWORK_CONSTANTS.maxTtlMs / 2);
    await publications.set(await publication('new', clock.now()));
    expect(await textsOf(publications)).toEqual(['new', 'old']);
    await clock.advance(DEFAULT_NETWORK_CONSTANTS.maxTtlMs / 2 + 3_600_000);
    expect(await textsOf(publications)).toEqual(['new']);
    expect(await publications.get(parseKey('old'))).toBeUndefined();
  });
});
