import type { Contact } from './contact.ts';
import { unlessBug } from './unless-bug.ts';

interface Pinger {
  ping(contact: Contact, options?: CallOptions): Promise<number>;
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Did it answer? Then it is in the table, if there is a place for it. */
export async function isThere(kademlia: Pinger, contact: Contact, options: CallOptions): Promise<boolean> {
  try {
    await kademlia.ping(contact, options);
    return true;
  } catch (error) {
    unlessBug(error);
    return false;
  }
}
