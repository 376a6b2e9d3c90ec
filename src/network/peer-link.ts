/**
 * One connected peer: the streams to it, and which of them is used. Two nodes that dial each other at once have two; the one opened by the smaller
 * id wins, on both sides, and the other ends when nothing is under way on it.
 */
import type { Hello, NodeId, Peer } from '../kademlia/index.ts';
import type { PeerAccount } from './fair-share.ts';
import type { RpcStream } from './rpc-stream.ts';

/** More at a time only a confused peer opens; the oldest loses. */
const MAX_STREAMS = 4;

export class PeerLink {
  readonly account: PeerAccount;
  #peer: Peer;
  // BOUNDED: MAX_STREAMS, after HELLO and open, in the order of HELLO.
  #streams: RpcStream[] = [];
  #current: RpcStream | undefined;
  readonly #oursWins: boolean;

  constructor(self: NodeId, peer: Peer, account: PeerAccount) {
    this.#oursWins = self.hex < peer.contact.id.hex;
    this.#peer = peer;
    this.account = account;
  }

  get peer(): Peer {
    return this.#peer;
  }

  /** Where calls go; undefined when the last stream ended. */
  get current(): RpcStream | undefined {
    return this.#current;
  }

  get isIdle(): boolean {
    return this.#streams.every((stream) => stream.isIdle);
  }

  get streams(): readonly RpcStream[] {
    return this.#streams;
  }

  add(stream: RpcStream): void {
    this.#streams.push(stream);
    this.#choose();
    if (this.#streams.length > MAX_STREAMS) this.#streams[0]!.abort('too many streams');
  }

  remove(stream: RpcStream): void {
    const at = this.#streams.indexOf(stream);
    if (at === -1) return;
    this.#streams.splice(at, 1);
    if (stream === this.#current) this.#choose();
  }

  /** @returns whether the addresses or the mode are news */
  update(hello: Hello, addresses: readonly string[]): boolean {
    const { contact, mode } = this.#peer;
    if (mode === hello.mode && contact.addresses.join() === addresses.join()) return false;
    this.#peer = { ...this.#peer, mode: hello.mode, contact: { ...contact, addresses } };
    for (const stream of this.#streams) stream.peer = this.#peer;
    return true;
  }

  retire(): void {
    this.#current = undefined;
    for (const stream of [...this.#streams]) stream.retire();
  }

  /** The winner's opener first, then the newest: an older one of the same opener is one it has given up. */
  #choose(): void {
    let best: RpcStream | undefined;
    for (const stream of this.#streams) {
      if (best === undefined || stream.isOurs === this.#oursWins || best.isOurs !== this.#oursWins) best = stream;
    }
    this.#current = best;
    for (const stream of [...this.#streams]) if (stream !== best) stream.retire();
  }
}
