/**
 * The rules of merging, row for row, through a registry over the storage: what a record that arrives makes of the one that is held, and what is
 * read afterwards. The rules themselves are in `records`; here it is the storage that must carry them. Signatures are not looked at below a node.
 */
import assert from 'node:assert/strict';
import { isNautilusError } from '../../core/index.ts';
import {
  DEFAULT_NETWORK_CONSTANTS,
  EMPTY_VALUE_HASH,
  type HeldRecord,
  hashValue,
  type MergeOutcome,
  parseKey,
  type SignedRecord,
  utf8Encode,
} from '../../records/index.ts';
import { openRegistry } from '../open-registry.ts';
import type { Registry } from '../registry.ts';
import type { RegistryStorage } from '../storage.ts';
import { type ConformanceCase, LIFE_MS, noise, type SuiteClock } from './conformance-case.ts';
import { type Draft, HIGHER, KEY, LOWER, MERGE_ROWS, type MergeRow } from './merge-rows.ts';

/** With `draft` at the time `begunAt`, ms since the epoch. */
function record(draft: Draft, begunAt: number): SignedRecord {
  const { publisher = 1, seq, value = HIGHER, livesForMs = LIFE_MS, isDeleted: deleted = false } = draft;
  const key = parseKey(draft.key ?? KEY);
  const bytes = deleted ? new Uint8Array(0) : typeof value === 'string' ? utf8Encode(value) : value;
  const header = {
    key,
    publisher: new Uint8Array(32).fill(publisher),
    // Microseconds.
    seq: key.class === 'immutable' ? 0 : begunAt * 1_000 + seq,
    expiresAt: begunAt + livesForMs,
    deleted,
    valueHash: deleted ? EMPTY_VALUE_HASH : hashValue(bytes),
    signature: new Uint8Array(64).fill(publisher),
  };
  return { header, value: bytes };
}

function asSent(draft: Draft, whole: SignedRecord): HeldRecord {
  return draft.isHeaderOnly === true ? floor(whole) : whole;
}

function floor({ header }: HeldRecord): HeldRecord {
  return { header, value: undefined };
}

function expectedLeft({ left }: MergeRow, held: SignedRecord | undefined, incoming: SignedRecord): HeldRecord[] {
  switch (left) {
    case 'held':
      return [held!];
    case 'held floor':
      return [floor(held!)];
    case 'incoming':
      return [incoming];
    case 'floor':
      return [floor(incoming)];
    case 'renewed':
      return [{ header: incoming.header, value: held!.value }];
    case 'both':
      return [held!, incoming];
    case 'nothing':
      return [];
  }
}

function expectedOutcome(row: MergeRow, left: readonly HeldRecord[], heldSeq: number, newSeq: number): MergeOutcome {
  if (row.outcome !== 'stored') return { kind: 'refused', reason: row.outcome, newestSeq: heldSeq };
  return { kind: 'stored', until: left.at(-1)!.header.expiresAt, newestSeq: Math.max(heldSeq, newSeq) };
}

/** Compares contents: a storage may hand out any kind of Uint8Array. */
function equalRecords(actual: readonly HeldRecord[], expected: readonly HeldRecord[]): void {
  assert.deepEqual(actual.map(plain), expected.map(plain));
}

function plain({ header, value }: HeldRecord) {
  const { key, seq, expiresAt, deleted, publisher } = header;
  return { key: key.text, publisher: publisher[0], seq, expiresAt, deleted, value: value && Uint8Array.from(value) };
}

async function withRegistry(
  { storage, clock }: { readonly storage: RegistryStorage; readonly clock: SuiteClock },
  work: (registry: Registry) => Promise<void>,
): Promise<void> {
  const registry = await openRegistry({ storage, clock, constants: DEFAULT_NETWORK_CONSTANTS });
  try {
    await work(registry);
  } finally {
    await registry.close();
  }
}

function caseOf(row: MergeRow): ConformanceCase {
  return {
    name: `merging ${row.name}: ${row.outcome}, and ${row.left} is read`,
    run: (context) =>
      withRegistry(context, async (registry) => {
        const { storage, clock } = context;
        const begunAt = clock.now();
        const held = row.held && record(row.held, begunAt);
        const incoming = record(row.incoming, begunAt);
        if (held !== undefined) assert.equal((await registry.merge(held)).kind, 'stored');
        clock.advance(row.laterMs ?? 0);
        const before = await storage.scan({ prefix: incoming.header.key.id, limit: 10 });

        const outcome = await registry.merge(asSent(row.incoming, incoming));

        const left = expectedLeft(row, held, incoming);
        assert.deepEqual(outcome, expectedOutcome(row, left, held?.header.seq ?? 0, incoming.header.seq));
        equalRecords(await registry.read(incoming.header.key.id), left);
        // What changed nothing wrote nothing.
        if (row.left === 'held') {
          const after = await storage.scan({ prefix: incoming.header.key.id, limit: 10 });
          assert.deepEqual(
            after.map(({ version }) => version),
            before.map(({ version }) => version),
          );
        }
      }),
  };
}

export const MERGE_CASES: readonly ConformanceCase[] = [
  ...MERGE_ROWS.map(caseOf),
  {
    name: 'two copies that meet leave the same, whichever was there first',
    run: (context) =>
      withRegistry(context, async (registry) => {
        const begunAt = context.clock.now();
        const pairs = MERGE_ROWS.filter(({ held, incoming, laterMs }) => {
          return held !== undefined && laterMs === undefined && incoming.isHeaderOnly !== true;
        });
        for (const [n, { held, incoming }] of pairs.entries()) {
          const copies = [held!, incoming].map((draft) => ({ ...draft, key: draft.key ?? `${KEY}/${n}` }));
          const [first, second] = copies.map((draft) => record(draft, begunAt));
          const { id } = first!.header.key;
          await registry.merge(first!);
          await registry.merge(second!);
          const left = await registry.read(id);
          await registry.drop(id);
          await registry.merge(second!);
          await registry.merge(first!);
          equalRecords(await registry.read(id), left);
          await registry.drop(id);
        }
      }),
  },
  {
    name: 'fifty versions of a record at once leave the newest, and a deletion among them deletes nothing newer',
    run: (context) =>
      withRegistry(context, async (registry) => {
        const begunAt = context.clock.now();
        const versions = Array.from({ length: 50 }, (_, n) => {
          return record({ seq: (n * 37) % 50, value: `version ${n}`, isDeleted: n % 10 === 1 }, begunAt);
        });
        await Promise.all(versions.map((version) => registry.merge(version)));
        const newest = versions.find(({ header }) => header.seq === begunAt * 1_000 + 49)!;
        equalRecords(await registry.read(newest.header.key.id), [newest]);
      }),
  },
  {
    name: 'a record of 64 KiB under a key of 512 bytes is merged and read back byte for byte',
    run: (context) =>
      withRegistry(context, async (registry) => {
        const large = record({ key: 'k'.repeat(512), seq: 1, value: noise(65_536) }, context.clock.now());
        assert.equal((await registry.merge(large)).kind, 'stored');
        equalRecords(await registry.read(large.header.key.id), [large]);
      }),
  },
  {
    name: 'a storage that fails is never taken for one that has nothing',
    run: (context) =>
      withRegistry(context, async (registry) => {
        const held = record({ seq: 2 }, context.clock.now());
        const older = record({ seq: 1, value: LOWER }, context.clock.now());
        await registry.merge(held);
        await context.storage.close();
        await assert.rejects(registry.read(held.header.key.id), (error) => isNautilusError(error, 'STORAGE_FAILED'));
        await assert.rejects(registry.merge(older), (error) => isNautilusError(error, 'STORAGE_FAILED'));
      }),
  },
  {
    name: 'a full storage refuses new records, and takes newer versions of what it holds',
    needs: ['bounds'],
    async run({ clock, subject }) {
      // One place may go to the registry's own time mark.
      const { storage, dispose } = await subject.openBounded!(clock, 3);
      try {
        await withRegistry({ storage, clock }, async (registry) => {
          const begunAt = clock.now();
          const numbered = (n: number, seq: number) => record({ key: `${KEY}/${n}`, seq }, begunAt);
          const outcomes = [];
          for (let n = 0; n < 4; n++) outcomes.push(await registry.merge(numbered(n, 1)));
          assert.equal(outcomes[0]?.kind, 'stored');
          assert.deepEqual(outcomes[3], { kind: 'refused', reason: 'STORE_FULL', newestSeq: 0 });
          assert.equal((await registry.merge(numbered(0, 2))).kind, 'stored');
          equalRecords(await registry.read(parseKey(`${KEY}/3`).id), []);
        });
      } finally {
        await storage.close();
        await dispose?.();
      }
    },
  },
  {
    name: 'after a restart what was merged is read as before, and still refuses what is older',
    needs: ['persistence'],
    async run(context) {
      const { storage, clock, reopen } = context;
      const begunAt = clock.now();
      const live = record({ key: `${KEY}/live`, seq: 2 }, begunAt);
      const deleted = record({ key: `${KEY}/deleted`, seq: 2, isDeleted: true }, begunAt);
      const expired = record({ key: `${KEY}/expired`, seq: 2, livesForMs: -1 }, begunAt);
      await withRegistry(context, async (registry) => {
        for (const each of [live, deleted, expired]) assert.equal((await registry.merge(each)).kind, 'stored');
      });
      await storage.close();
      assert.ok(reopen, 'a persistent storage comes with reopen()');
      const again = await reopen();
      try {
        await withRegistry({ storage: again, clock }, async (registry) => {
          for (const [held, left] of [
            [live, live],
            [deleted, floor(deleted)],
            [expired, floor(expired)],
          ] as const) {
            const { key } = held.header;
            equalRecords(await registry.read(key.id), [left]);
            const older = await registry.merge(record({ key: key.text, seq: 1 }, begunAt));
            assert.deepEqual(older, { kind: 'refused', reason: 'STALE', newestSeq: held.header.seq });
          }
        });
      } finally {
        await again.close();
      }
    },
  },
];
