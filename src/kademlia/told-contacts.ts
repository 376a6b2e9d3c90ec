/**
 * What an asker is told about others. Loopback and private addresses mean somebody else, or nobody, to whoever is outside their scope, so they
 * stay inside it. The asker's scope is where its connection comes from; if the transport cannot say, the narrowest it
 * announced an address in.
 */
import { type AddressScope, addressScope } from './address.ts';
import type { Contact } from './contact.ts';
import type { Peer } from './transport.ts';

const REACH = { loopback: 0, private: 1, public: 2 } as const satisfies Record<AddressScope, number>;

// BOUNDED: lives as long as the contacts. An address list never changes, and the table names the same ones in every answer.
const narrowestReaches = new WeakMap<readonly string[], number>();

/** Contacts with the addresses this asker can use, without those it has no way to reach. */
export function toldContacts(asker: Peer, contacts: readonly Contact[]): readonly Contact[] {
  const reach = reachOf(asker);
  if (reach === REACH.loopback) return contacts;
  const told: Contact[] = [];
  for (const contact of contacts) {
    if (narrowestReach(contact.addresses) >= reach) {
      told.push(contact);
      continue;
    }
    const addresses = contact.addresses.filter((address) => REACH[addressScope(address)] >= reach);
    if (addresses.length > 0) told.push({ ...contact, addresses });
  }
  return told;
}

/** The narrowest scope the asker is inside of. One without any address may be anywhere, so also here. */
function reachOf({ remoteAddress, contact }: Peer): number {
  if (remoteAddress !== undefined) return REACH[addressScope(remoteAddress)];
  return contact.addresses.length === 0 ? REACH.loopback : narrowestReach(contact.addresses);
}

/** Of any address in the list; public when there is none. */
function narrowestReach(addresses: readonly string[]): number {
  let narrowest = narrowestReaches.get(addresses);
  if (narrowest === undefined) {
    narrowest = Math.min(REACH.public, ...addresses.map((address) => REACH[addressScope(address)]));
    narrowestReaches.set(addresses, narrowest);
  }
  return narrowest;
}
