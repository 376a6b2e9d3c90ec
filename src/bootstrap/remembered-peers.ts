/**
 * Peers of better days. Kademlia's table forgets whom it cannot reach, which is right for lookups and wrong for a network that was cut in two:
 * somebody must knock on the other half's doors now and then. Kept in the state store, so that a node that was restarted alone still knows them.
 */
import { isNautilusError, type Random, type StateStore } from '../core/index.ts';
import { isPeerAddress } from './peer-address.ts';
import type { PeerSource } from './peer-source.ts';
import { sample } from './sample.ts';

export interface RememberedPeersInit {
  readonly state: StateStore;
  /** Addresses, with `/p2p/…`, of the peers that are in the table now. */
  readonly current: () => readonly string[];
  readonly random: Random;
}

const STATE_KEY = 'bootstrap/remembered';
const MAX_REMEMBERED = 256;
const PEERS_PER_ROUND = 16;

export class RememberedPeers implements PeerSource {
  readonly name = 'remembered peers';
  readonly #state: StateStore;
  readonly #current: () => readonly string[];
  readonly #random: Random;
  // BOUNDED: MAX_REMEMBERED addresses; whom the table has not held for longest is forgotten first.
  readonly #addresses = new Set<string>();
  #loading: Promise<void> | undefined;
  /** What is on disk, in sorted order: the order of use changes all the time and is not worth a write. */
  #saved = '';

  constructor({ state, current, random }: RememberedPeersInit) {
    this.#state = state;
    this.#current = current;
    this.#random = random;
  }

  /** Those the table has lost: a random few, so that a long memory does not cost many dials at once. */
  async *peers(): AsyncGenerator<string> {
    await this.refresh();
    const present = new Set(this.#current());
    const lost = [...this.#addresses].filter((address) => !present.has(address));
    yield* sample(lost, PEERS_PER_ROUND, this.#random);
  }

  /** Takes over whom the table holds now, and saves when that changed anything. */
  async refresh(): Promise<void> {
    this.#loading ??= this.#load();
    await this.#loading;
    for (const address of this.#current()) this.#add(address);
    const sorted = [...this.#addresses].sort().join();
    if (sorted === this.#saved) return;
    this.#saved = sorted;
    try {
      await this.#state.set(STATE_KEY, new TextEncoder().encode(JSON.stringify([...this.#addresses])));
    } catch (error) {
      // A full disk is reported where records are stored. Here it only means that the next change tries again.
      if (!isNautilusError(error)) throw error;
      this.#saved = '';
    }
  }

  #add(address: string): void {
    this.#addresses.delete(address);
    this.#addresses.add(address);
    for (const oldest of this.#addresses) {
      if (this.#addresses.size <= MAX_REMEMBERED) break;
      this.#addresses.delete(oldest);
    }
  }

  async #load(): Promise<void> {
    const bytes = await this.#state.get(STATE_KEY);
    if (bytes === undefined) return;
    for (const address of parseSaved(new TextDecoder().decode(bytes))) this.#add(address);
    this.#saved = [...this.#addresses].sort().join();
  }
}

/** What another build, or a damaged file, left: whatever is not an address is dropped. */
function parseSaved(text: string): string[] {
  try {
    const saved: unknown = JSON.parse(text);
    if (!Array.isArray(saved)) return [];
    return saved.filter((entry): entry is string => typeof entry === 'string' && isPeerAddress(entry));
  } catch {
    return []; // memory is a help, not a promise: a node without it starts like a new one
  }
}
