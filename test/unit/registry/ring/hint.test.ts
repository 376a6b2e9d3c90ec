import { describe, expect, test } from 'vitest';
import {
  DOCUMENT_KEY,
  decodeHint,
  encodeHint,
  HINT_PREFIX,
  type HintContent,
  hintKey,
  isReserved,
  removal,
  shardTag,
  tagOfHintKey,
} from '../../../../src/registry/ring/hint.ts';

const entry = { value: Uint8Array.of(1, 2, 3), version: 2 ** 53 - 1, expiresAt: 1_700_000_000_000 };

describe('a hint', () => {
  test.each<HintContent>([
    { kind: 'joined', key: Uint8Array.of(9), entry },
    { kind: 'replaced', key: new Uint8Array(512).fill(7), entry: { ...entry, value: new Uint8Array(0) } },
    removal(Uint8Array.of(0, 255)),
  ])('comes back as it was written: $kind', (content) => {
    const stored = encodeHint(content);
    expect(stored.expiresAt).toBe(Number.MAX_SAFE_INTEGER);
    expect(decodeHint(stored)).toEqual(content);
  });

  test('cut anywhere, it is none, or one with a shorter value', () => {
    const whole = encodeHint({ kind: 'joined', key: Uint8Array.of(1, 2), entry });
    for (let length = 0; length < whole.value.length; length++) {
      const cut = decodeHint({ ...whole, value: whole.value.slice(0, length) });
      if (cut !== undefined) expect(cut.entry.value.length).toBeLessThan(3);
    }
  });

  test('of an unknown kind, or without a key, is none', () => {
    const { value, ...rest } = encodeHint({ kind: 'joined', key: Uint8Array.of(1), entry });
    expect(decodeHint({ ...rest, value: value.with(0, 9) })).toBeUndefined();
    expect(decodeHint({ ...rest, value: value.with(18, 0) })).toBeUndefined();
  });

  test('has a key that names its shard, fits every storage, and can be no cell', () => {
    const tag = shardTag('redis://a');
    const key = hintKey(tag, new Uint8Array(512));
    expect(tagOfHintKey(key)).toEqual(tag);
    expect(key.length).toBeLessThan(64);
    expect(hintKey(shardTag('redis://b'), new Uint8Array(512))).not.toEqual(key);
    for (const reserved of [key, DOCUMENT_KEY, HINT_PREFIX]) expect(isReserved(reserved)).toBe(true);
    expect(isReserved(new Uint8Array(64).fill(255))).toBe(false);
  });
});
