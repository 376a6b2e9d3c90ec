/**
 * What the holders of a key say: one iterative lookup whose requests are FIND_VALUE, so finding the holders and asking them is one pass. Every
 * holder sends headers; the value comes from one of them. Nothing here is believed yet: see cells.ts.
 */
import { type Clock, isNautilusError } from '../core/index.ts';
import {
  type Contact,
  type FindValueRequest,
  type FindValueResponse,
  type LookupMembers,
  type LookupOptions,
  type LookupOutcome,
  NodeId,
  type NodeMode,
  type RequestOptions,
} from '../kademlia/index.ts';
import {
  bytesEqual,
  type HeldRecord,
  hashValue,
  isLive,
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
      options?: LookupOptions,
    ): Promise<LookupOutcome>;
    request(to: Contact, request: FindValueRequest, options?: Partial<RequestOptions>): Promise<FindValueResponse>;
    isConnected(id: NodeId): boolean;
    hedgeAfterMs(id: NodeId): number;
  };
  readonly holder: {
    /** Undefined: it cannot be read. */
    readHeld(keyId: Uint8Array): Promise<readonly HeldRecord[] | undefined>;
    isSettled(keyId: Uint8Array): boolean;
  };
  readonly clock: Clock;
  readonly constants: NetworkConstants;
}

export interface HolderAnswer {
  readonly holder: Contact;
  readonly headers: readonly RecordHeader[];
  readonly settled: boolean;
  /** What it took to answer, ms. */
  readonly elapsedMs: number;
  /** This node's own store: everything in it was verified when it came. */
  readonly isOwn: boolean;
}

/** Somebody was asked to send the value. */
export interface ComingValue {
  readonly holder: Contact;
  /** When it should have come, monotonic ms: until then nobody else need be asked. */
  readonly dueAt: number;
  /** Settles when it answered, with the value or without, or failed. */
  readonly answer: Promise<unknown>;
}

export interface KeyReading {
  readonly key: Key;
  /** K' and who they are. */
  readonly holders: HolderSet;
  /** Of members of `holders` only. */
  readonly answers: readonly HolderAnswer[];
  /** Values that came along, by the hex of their own hash: a value is what its hash says, whoever sent it. Late ones are added. */
  readonly values: ReadonlyMap<string, Uint8Array>;
  /** While no value has come: who is to send it. */
  readonly coming: ComingValue | undefined;
  /** It did not end at the quorum: every holder was heard that could be. */
  readonly isWhole: boolean;
  readonly hops: number;
  readonly requests: number;
}

export interface KeyReadingOptions {
  readonly withValue: boolean;
  /**
   * So many answers of settled holders are enough, of a key that can have so many holders, once one of them names a live record. Where they
   * cannot be had, it is enough that whoever has not answered is overdue. @default every holder is heard
   */
  readonly quorumOf?: ((kEffective: number) => number) | undefined;
  /** Holders to ask: more than K when those nearest may have missed what others still have. @default K */
  readonly k?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export function readKey(components: KeyReadingComponents, key: Key, options: KeyReadingOptions): Promise<KeyReading> {
  return new Reader(components, key, options).read();
}

class Reader {
  readonly #components: KeyReadingComponents;
  readonly #key: Key;
  readonly #options: KeyReadingOptions;
  readonly #target: NodeId;
  // BOUNDED: by the requests of the lookup.
  readonly #answers = new Map<string, HolderAnswer>();
  // BOUNDED: one or two, and those of this node's own store.
  readonly #values = new Map<string, Uint8Array>();
  #coming: ComingValue | undefined;
  #settled = 0;
  #hasLive = false;
  #isEnded = false;
  #valueRequests = 0;

  constructor(components: KeyReadingComponents, key: Key, options: KeyReadingOptions) {
    this.#components = components;
    this.#key = key;
    this.#options = options;
    this.#target = NodeId.fromBytes(key.id);
  }

  async read(): Promise<KeyReading> {
    const { kademlia } = this.#components;
    const { k, signal, quorumOf } = this.#options;
    if (this.#selfHolds) await this.#readOwn();
    const outcome = await kademlia.search(this.#target, (contact, upTo) => this.#ask(contact, upTo), {
      k,
      signal,
      isEnough: quorumOf && ((members) => this.#isEnough(members, quorumOf)),
    });
    const holders = this.#holdersAmong(outcome);
    return {
      key: this.#key,
      holders,
      answers: this.#answersOf(holders),
      values: this.#values,
      coming: this.#coming,
      isWhole: !this.#isEnded,
      hops: outcome.hops,
      requests: outcome.requests + this.#valueRequests,
    };
  }

  get #selfHolds(): boolean {
    return this.#components.kademlia.mode === 'server';
  }

  async #readOwn(): Promise<void> {
    const { kademlia, holder } = this.#components;
    const wasSettled = holder.isSettled(this.#key.id);
    const held = await holder.readHeld(this.#key.id);
    // As a holder that does not answer.
    if (held === undefined) return;
    const headers = held.map(({ header }) => header);
    const settled = wasSettled && holder.isSettled(this.#key.id);
    this.#note({ holder: kademlia.self, headers, settled, elapsedMs: 0, isOwn: true });
    for (const { header, value } of held) if (value !== undefined) this.#values.set(toHex(header.valueHash), value);
  }

  /** The value is asked of the first one that is connected, so most likely there and quick, or else of the first that answers and has it. */
  async #ask(
    contact: Contact,
    signal: AbortSignal,
  ): Promise<{ readonly closer: readonly Contact[]; readonly holder: boolean }> {
    const { clock, kademlia } = this.#components;
    const startedAt = clock.monotonic();
    const isSender = this.#needsValue() && kademlia.isConnected(contact.id);
    const answer = this.#request(contact, isSender ? 'newest' : 'none', signal);
    if (isSender) this.#expectValue(contact, answer, signal);
    const response = await answer;
    const headers = response.headers.filter((header) => bytesEqual(header.key.id, this.#key.id));
    const elapsedMs = clock.monotonic() - startedAt;
    this.#note({ holder: contact, headers, settled: response.settled, elapsedMs, isOwn: false });
    if (this.#hasLive && headers.some((header) => this.#isLive(header)) && this.#needsValue()) {
      this.#valueRequests++;
      this.#expectValue(contact, this.#request(contact, 'newest', signal), signal);
    }
    return response;
  }

  async #request(contact: Contact, value: 'newest' | 'none', signal: AbortSignal): Promise<FindValueResponse> {
    const keyId = this.#key.id;
    const response = await this.#components.kademlia.request(contact, { type: 'FIND_VALUE', keyId, value }, { signal });
    if (response.value !== undefined) this.#values.set(toHex(hashValue(response.value.bytes)), response.value.bytes);
    return response;
  }

  #needsValue(): boolean {
    if (!this.#options.withValue || this.#values.size > 0) return false;
    return this.#coming === undefined || this.#coming.dueAt <= this.#components.clock.monotonic();
  }

  #expectValue(holder: Contact, response: Promise<FindValueResponse>, signal: AbortSignal): void {
    const { clock, kademlia } = this.#components;
    const forget = () => {
      if (this.#coming?.holder === holder) this.#coming = undefined;
    };
    const answer = response.then(forget, (error) => {
      forget();
      if (!isNautilusError(error) && !signal.aborted) throw error;
    });
    this.#coming = { holder, dueAt: clock.monotonic() + kademlia.hedgeAfterMs(holder.id), answer };
  }

  #note(answer: HolderAnswer): void {
    this.#answers.set(answer.holder.id.hex, answer);
    if (answer.settled) this.#settled++;
    this.#hasLive ||= answer.headers.some((header) => this.#isLive(header));
  }

  #isLive(header: RecordHeader): boolean {
    return isLive(header, this.#components.clock.now());
  }

  #isEnough(members: LookupMembers, quorumOf: (kEffective: number) => number): boolean {
    if (!this.#hasLive) return false;
    this.#isEnded = members.pending.length === 0 || this.#hasQuorum(members, quorumOf);
    return this.#isEnded;
  }

  #hasQuorum(members: LookupMembers, quorumOf: (kEffective: number) => number): boolean {
    // Cheap, and mostly false: the exact count is made when it may succeed.
    if (this.#settled < quorumOf(members.closest.length)) return false;
    const holders = this.#holdersAmong(members);
    return this.#answersOf(holders).filter(({ settled }) => settled).length >= quorumOf(holders.kEffective);
  }

  #holdersAmong({ closest: found, pending, silent }: LookupMembers): HolderSet {
    const { kademlia, constants } = this.#components;
    const { k = constants.k } = this.#options;
    const { self } = kademlia;
    return createHolderSet({ target: this.#target, k, found, pending, silent, self, selfHolds: this.#selfHolds });
  }

  #answersOf({ members }: HolderSet): readonly HolderAnswer[] {
    const ids = new Set(members.map(({ id }) => id.hex));
    return [...this.#answers.values()].filter(({ holder }) => ids.has(holder.id.hex));
  }
}
