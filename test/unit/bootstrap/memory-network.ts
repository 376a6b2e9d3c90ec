/** A network the bootstrapper can join, in a table: who answers at which address, and who gets into the routing table by it. */
import type { NetworkToJoin } from '../../../src/bootstrap/bootstrapper.ts';
import { type ErrorCode, NautilusError } from '../../../src/core/index.ts';
import { createContact, type Peer, type RequestOptions } from '../../../src/kademlia/index.ts';

export class MemoryNetwork implements NetworkToJoin {
  /** Every address dialled, in order. */
  readonly dialled: string[] = [];
  /** How each address fails; all others that are not up are `PEER_UNREACHABLE`. */
  readonly failures = new Map<string, ErrorCode>();
  readonly #up = new Map<string, 'server' | 'bootstrap'>();
  readonly #reached = new Set<string>();
  bootstraps = 0;
  /** Set to hold back the answers of dials until it resolves. */
  gate: Promise<void> | undefined;
  /** Addresses that swallow everything: a dial there ends when the caller gives up. */
  readonly hanging = new Set<string>();
  inFlight = 0;

  /** Contacts of better days: `bootstrap` knocks at their doors while the table is empty. */
  readonly saved: string[] = [];

  get table(): { readonly size: number; missing(): readonly string[] } {
    const answered = [...this.#reached].filter((address) => this.#up.get(address) === 'server');
    return { size: answered.length, missing: () => this.saved.filter((address) => !answered.includes(address)) };
  }

  up(address: string, mode: 'server' | 'bootstrap' = 'server'): void {
    this.#up.set(address, mode);
  }

  down(address: string): void {
    this.#up.delete(address);
  }

  async connect(address: string, { signal }: RequestOptions): Promise<Peer> {
    this.dialled.push(address);
    this.inFlight++;
    await this.gate;
    if (this.hanging.has(address)) {
      await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
    }
    this.inFlight--;
    if (signal?.aborted) throw new NautilusError('ABORTED', 'aborted');
    const mode = this.#up.get(address);
    if (mode === undefined) {
      const code = this.failures.get(address) ?? 'PEER_UNREACHABLE';
      throw new NautilusError(
        code,
        code === 'NETWORK_MISMATCH' ? 'it is in the network "other"' : 'connection refused',
      );
    }
    this.#reached.add(address);
    return { contact: createContact(new Uint8Array(32).fill(1), [address]), mode, direction: 'outbound' };
  }

  async bootstrap(): Promise<void> {
    this.bootstraps++;
    if (this.table.size > 0) return;
    for (const address of this.table.missing()) if (this.#up.has(address)) this.#reached.add(address);
  }
}

/** A promise that a test resolves when it likes. */
export function createGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
