import { describe, expect, test } from 'vitest';
import { SILENT_OBSERVER } from '../../../src/core/index.ts';
import { createContact, NodeId, type Peer } from '../../../src/kademlia/index.ts';
import {
  DEFAULT_NETWORK_CONSTANTS,
  type HeldRecord,
  hashValue,
  parseKey,
  type RecordStore,
  type Signer,
  toHex,
  type Verifier,
} from '../../../src/records/index.ts';
import { MemoryStorage, openRegistry } from '../../../src/registry/index.ts';
import { Holder, type HolderInit } from '../../../src/replication/holder.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { identity, signed, verifier } from '../../support/signed-records.ts';

const alice = identity(1);

interface Options {
  readonly init?: Partial<HolderInit>;
  readonly rank?: number;
  readonly stores?: boolean;
}

async function createHolder({ init = {}, rank = 1, stores = true }: Options = {}) {
  const clock = new ManualClock();
  const constants = DEFAULT_NETWORK_CONSTANTS;
  let verified = 0;
  const counting: Verifier = {
    verify: (...words) => {
      verified += 1;
      return verifier.verify(...words);
    },
  };
  const store: RecordStore | undefined = stores
    ? await openRegistry({ storage: new MemoryStorage({ clock }), clock, constants })
    : undefined;
  const kademlia = { closest: () => [], rank: () => rank };
  const holder = new Holder({ kademlia, store, verifier: counting, clock, observer: SILENT_OBSERVER, constants }, init);
  return { clock, holder, verified: () => verified };
}

function peer(signer: Signer): Peer {
  return { contact: createContact(signer.publicKey, []), mode: 'server', direction: 'inbound' };
}

async function outcomeOf(holder: Holder, from: Signer, record: HeldRecord): Promise<string> {
  const { outcome } = await holder.store(peer(from), { type: 'STORE', record });
  return outcome.kind === 'stored' ? 'stored' : outcome.reason;
}

const forged = ({ header, value }: HeldRecord): HeldRecord => ({
  header: { ...header, signature: header.signature.map((byte) => byte ^ 1) },
  value,
});

describe('a holder', () => {
  test('keeps what is signed, and answers for it', async () => {
    const { holder } = await createHolder();
    const record = await signed(alice, { seq: 5 });
    expect(await outcomeOf(holder, identity(9), record)).toBe('stored');
    const { key } = record.header;
    const answer = await holder.findValue(peer(identity(9)), { type: 'FIND_VALUE', keyId: key.id, value: 'newest' });
    expect(answer.headers).toEqual([record.header]);
    expect(answer.value).toEqual({ valueIndex: 0, bytes: record.value });
  });

  test('sends no value when only headers were asked for, and one publisher its own', async () => {
    const { holder } = await createHolder();
    const bob = identity(2);
    await outcomeOf(holder, alice, await signed(alice, { seq: 5 }));
    await outcomeOf(holder, bob, await signed(bob, { seq: 6 }));
    const { id: keyId } = parseKey('svc/web');
    const ask = (value: 'none' | { publisher: Uint8Array }) =>
      holder.findValue(peer(identity(9)), { type: 'FIND_VALUE', keyId, value });
    expect((await ask('none')).value).toBeUndefined();
    const answer = await ask({ publisher: alice.publicKey });
    expect(toHex(hashValue(answer.value!.bytes))).toBe(toHex(answer.headers[answer.value!.valueIndex]!.valueHash));
    expect(answer.headers[answer.value!.valueIndex]?.publisher).toEqual(alice.publicKey);
  });

  test('refuses what it is not near to, and everything when it keeps no records', async () => {
    const record = await signed(alice, { seq: 5 });
    const far = await createHolder({ rank: 2 * DEFAULT_NETWORK_CONSTANTS.k + 1 });
    expect(await outcomeOf(far.holder, alice, record)).toBe('TOO_FAR');
    const client = await createHolder({ stores: false });
    expect(await outcomeOf(client.holder, alice, record)).toBe('NOT_STORING');
    expect(far.verified() + client.verified()).toBe(0);
  });

  test('looks at nothing more of a peer that sends forgeries, and still serves the others', async () => {
    const { clock, holder, verified } = await createHolder({ init: { forgeriesPerPeer: { perSecond: 1, burst: 3 } } });
    const liar = identity(66);
    const record = await signed(alice, { seq: 5 });
    for (let i = 0; i < 3; i++) expect(await outcomeOf(holder, liar, forged(record))).toBe('BAD_SIGNATURE');
    expect(await outcomeOf(holder, liar, forged(record))).toBe('QUOTA_EXCEEDED');
    expect(verified()).toBe(3);
    expect(await outcomeOf(holder, identity(7), record)).toBe('stored');
    await clock.advance(1_000);
    expect(await outcomeOf(holder, liar, record)).toBe('stored');
  });

  test('bounds how much one peer, and one publisher over any peers, may store', async () => {
    const quota = { perSecond: 1, burst: 2 };
    const byPeer = await createHolder({ init: { storesPerPeer: quota } });
    const byPublisher = await createHolder({ init: { storesPerPublisher: quota } });
    const outcomes = { peer: [] as string[], publisher: [] as string[] };
    for (const number of [1, 2, 3]) {
      const key = parseKey(`svc/${number}`);
      outcomes.peer.push(await outcomeOf(byPeer.holder, alice, await signed(identity(number), { key, seq: 5 })));
      outcomes.publisher.push(
        await outcomeOf(byPublisher.holder, identity(number), await signed(alice, { key, seq: 5 })),
      );
    }
    expect(outcomes.peer).toEqual(['stored', 'stored', 'QUOTA_EXCEEDED']);
    expect(outcomes.publisher).toEqual(['stored', 'stored', 'QUOTA_EXCEEDED']);
  });

  test('asks for its rank by the place of the key', async () => {
    const asked: NodeId[] = [];
    const { clock } = await createHolder();
    const kademlia = {
      closest: () => [],
      rank: (target: NodeId) => {
        asked.push(target);
        return 1;
      },
    };
    const constants = DEFAULT_NETWORK_CONSTANTS;
    const store = await openRegistry({ storage: new MemoryStorage({ clock }), clock, constants });
    const holder = new Holder({ kademlia, store, verifier, clock, observer: SILENT_OBSERVER, constants });
    await outcomeOf(holder, alice, await signed(alice, { seq: 5 }));
    expect(asked.map((id) => id.hex)).toEqual([NodeId.fromBytes(parseKey('svc/web').id).hex]);
  });
});
