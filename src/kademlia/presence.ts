/**
 * Who is there: turns connections, answers, silences and goodbyes into places in the table and into what lookups know of their contacts, and
 * tells of every change. Not here: sending anything, and whom to ask again (maintenance).
 */
import type { Clock, Observer } from '../core/index.ts';
import type { Contact } from './contact.ts';
import type { NodeId } from './node-id.ts';
import type { RoundTripTimes } from './round-trip-times.ts';
import type { RoutingTable } from './routing-table.ts';
import type { FailureOutcome } from './table-outcome.ts';
import type { Peer, Transport } from './transport.ts';

export interface PresenceInit {
  readonly transport: Transport;
  readonly table: RoutingTable;
  readonly times: RoundTripTimes;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Who asks contacts whose place is in question. */
  readonly maintenance: {
    challenge(oldest: Contact, seenAt: number): void;
    probe(contact: Contact): void;
    recheck(contact: Contact): void;
  };
}

export class Presence {
  readonly #init: PresenceInit;
  // BOUNDED: by the transport's connections: who said goodbye and has not closed its own yet.
  readonly #left = new Set<string>();
  #onContactsChanged: () => void = () => undefined;
  #revision = 0;

  constructor(init: PresenceInit) {
    this.#init = init;
  }

  /** @param onContactsChanged called at once after a change of the table by which the neighbourhood may be another */
  start(onContactsChanged: () => void): void {
    this.#revision = this.#init.table.revision;
    this.#onContactsChanged = onContactsChanged;
  }

  /** Only what HELLO said counts: a contact list may name anybody. */
  isServer(id: NodeId): boolean {
    const peer = this.#init.transport.peer(id);
    if (peer === undefined) return this.#init.table.get(id) !== undefined;
    return peer.mode === 'server' && !this.#left.has(id.hex);
  }

  /** It said goodbye, and is still connected. */
  hasLeft(id: NodeId): boolean {
    return this.#left.has(id.hex);
  }

  onConnected(peer: Peer): void {
    this.#init.observer.notify({ type: 'peer-connected', nodeId: peer.contact.id.hex, mode: peer.mode });
    this.onChanged(peer);
  }

  onChanged(peer: Peer): void {
    const { id } = peer.contact;
    if (peer.mode !== 'server') this.noteRemoval(peer.contact, this.#init.table.remove(id));
    this.onSignOfLife(peer);
  }

  onDisconnected({ contact }: Peer, cause: 'closed' | 'lost' = 'closed'): void {
    const { table, observer, maintenance } = this.#init;
    const { hex } = contact.id;
    this.#left.delete(hex);
    observer.notify({ type: 'peer-disconnected', nodeId: hex });
    if (cause === 'closed' || table.get(contact.id) === undefined) return;
    this.onSilence(contact);
    maintenance.probe(contact);
  }

  /** A contact answered; its connection may be closed again already. */
  onAnswer(contact: Contact): void {
    const peer = this.#init.transport.peer(contact.id);
    if (peer === undefined) {
      this.#init.times.heardOf(contact.id);
      if (this.#init.table.get(contact.id) !== undefined) this.#offer(contact);
    } else {
      this.onSignOfLife(peer);
    }
  }

  onSignOfLife({ contact, mode }: Peer): void {
    this.#init.times.heardOf(contact.id);
    if (mode === 'server' && !this.#left.has(contact.id.hex)) this.#offer(contact);
  }

  onSilence(contact: Contact): void {
    const { table, times, clock, maintenance } = this.#init;
    times.silent(contact.id, clock.monotonic());
    const outcome = table.failed(contact.id);
    this.noteRemoval(contact, outcome);
    if (outcome.kind === 'kept') maintenance.recheck(contact);
  }

  /** It is going: nobody is to blame, and what it still says does not bring it back. */
  onLeave({ contact }: Peer): void {
    if (this.#init.transport.peer(contact.id) !== undefined) this.#left.add(contact.id.hex);
    this.noteRemoval(contact, this.#init.table.remove(contact.id));
  }

  /** Tells what `table.failed`, `evict` or `remove` did. */
  noteRemoval(contact: Contact, outcome: FailureOutcome): void {
    const { observer } = this.#init;
    if (outcome.kind === 'removed') {
      observer.notify({ type: 'contact-removed', nodeId: contact.id.hex });
      for (const { id } of outcome.promoted) observer.notify({ type: 'contact-added', nodeId: id.hex });
    }
    this.#tellChange();
  }

  #offer(contact: Contact): void {
    const { table, clock, observer, maintenance } = this.#init;
    const outcome = table.insert(contact, clock.now());
    if (outcome.kind === 'inserted') observer.notify({ type: 'contact-added', nodeId: contact.id.hex });
    this.#tellChange();
    if (outcome.kind === 'full') maintenance.challenge(outcome.oldest, outcome.oldestSeenAt);
  }

  #tellChange(): void {
    const { revision } = this.#init.table;
    if (revision === this.#revision) return;
    this.#revision = revision;
    this.#onContactsChanged();
  }
}
