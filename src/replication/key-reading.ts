/**
 * What the holders of a key say: one iterative lookup whose requests are FIND_VALUE, so finding the holders and asking them is one pass. Every
 * holder sends headers; the value comes from one of them. Nothing here is believed yet: see cells.ts.
 */
import {
  type Contact,
  type FindValueRequest,
  type FindValueResponse,
  type LookupOutcome,
  NodeId,
  type NodeMode,
  type RequestOptions,
} from '../kademlia/index.ts';
import {
  bytesEqual,
  type HeldRecord,
  hashValue,
  type Key,
  type NetworkConstants,
  type RecordHeader,
  toHex,
} from '../records/index.ts';
import { createHolderSet, type HolderSet } from './holder-set.ts';

export interface KeyReadingComponents {
  readonly kademlia: {
    readonly self: Contact;
    readonly mode: NodeMode;
    search(
      target: NodeId,
      query: (
        contact: Contact,
        signal: AbortSignal,
      ) => Promise<{ readonly closer: readonly Contact[]; readonly holder: boolean }>,
      options?: { readonly k?: number | undefined; readonly signal?: AbortSignal | undefined },
    ): Promise<LookupOutcome>;
    request(to: Contact, request: FindValueRequest, options?: Partial<RequestOptions>): Promise<FindValueResponse>;
  };
  readonly holder: {
    readHeld(keyId: Uint8Array): Promise<readonly HeldRecord[]>;
    isSettled(keyId: Uint8Array): boolean;
  };
  readonly constants: NetworkConstants;
}

export interface HolderAnswer {
  readonly holder: Contact;
  readonly headers: readonly RecordHeader[];
  readonly settled: boolean;
  /** This node's own store: everything in it was verified when it came. */
  readonly isOwn: boolean;
}

export interface KeyReading {
  readonly key: Key;
  /** K' and who they are. */
  readonly holders: HolderSet;
  /** Of members of `holders` only. */
  readonly answers: readonly HolderAnswer[];
  /** Values that came along, by the hex of their own hash: a value is what its hash says, whoever sent it. */
  readonly values: Map<string, Uint8Array>;
  readonly hops: number;
  readonly requests: number;
}

export async function readKey(
  components: KeyReadingComponents,
  key: Key,
  options: {
    readonly withValue: boolean;
    /** Holders to ask: more than K when those nearest may have missed what others still have. @default K */
    readonly k?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<KeyReading> {
  const { kademlia, holder, constants } = components;
  const { k = constants.k, signal: callerSignal } = options;
  const target = NodeId.fromBytes(key.id);
  const selfHolds = kademlia.mode === 'server';
  const answers = new Map<string, HolderAnswer>();
  const values = new Map<string, Uint8Array>();

  if (selfHolds) {
    const held = await holder.readHeld(key.id);
    answers.set(kademlia.self.id.hex, {
      holder: kademlia.self,
      headers: held.map((record) => record.header),
      settled: holder.isSettled(key.id),
      isOwn: true,
    });
    for (const { header, value } of held) if (value !== undefined) values.set(toHex(header.valueHash), value);
  }

  // The first one asked is the closest one known, in a settled network a holder: it alone sends the value, unless it is here already.
  let valueWanted = options.withValue && values.size === 0;
  const outcome = await kademlia.search(
    target,
    async (contact, signal) => {
      const value = valueWanted ? 'newest' : 'none';
      valueWanted = false;
      const response = await kademlia.request(contact, { type: 'FIND_VALUE', keyId: key.id, value }, { signal });
      if (response.value !== undefined) values.set(toHex(hashValue(response.value.bytes)), response.value.bytes);
      const headers = response.headers.filter((header) => bytesEqual(header.key.id, key.id));
      answers.set(contact.id.hex, { holder: contact, headers, settled: response.settled, isOwn: false });
      return response;
    },
    { k, signal: callerSignal },
  );

  const { closest: found, silent } = outcome;
  const holders = createHolderSet({ target, k, found, silent, self: kademlia.self, selfHolds });
  return {
    key,
    holders,
    answers: holders.members.flatMap((member) => answers.get(member.id.hex) ?? []),
    values,
    hops: outcome.hops,
    requests: outcome.requests,
  };
}
