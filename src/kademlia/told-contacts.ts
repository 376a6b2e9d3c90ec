/**
 * What an asker is told about others. Loopback and private addresses mean somebody else, or nobody, to whoever is outside their scope, so they
 * stay inside it. The asker's scope is where its connection comes from; if the transport cannot say, the narrowest it
 * announced an address in.
 */
import { type AddressScope, addressScope } from './address.ts';
import type { Contact } from './contact.ts';
import type { Peer } from './transport.ts';

const REACH = { loopback: 0, private: 1, public: 2 } as const satisfies Record<AddressScope, number>;

/** Contacts with the addresses this asker can use, without those it has no way to reach. */
export function toldContacts(asker: Peer, contacts: readonly Contact[]): readonly Contact[] {
  const reach = reachOf(asker);
  if (reach === REACH.loopback) return contacts;
  const told: Contact[] = [];
  for (const contact of contacts) {
    const addresses = contact.addresses.filter((address) => REACH[addressScope(address)] >= reach);
    if (addresses.length === contact.addresses.length) told.push(contact);
    else if (addresses.length > 0) told.push({ ...contact, addresses });
  }
  return told;
}

/** The narrowest scope the asker is inside of. One without any address may be anywhere, so also here. */
function reachOf({ remoteAddress, contact }: Peer): number {
  if (remoteAddress !== undefined) return REACH[addressScope(remoteAddress)];
  if (contact.addresses.length === 0) return REACH.loopback;
  return contact.addresses.reduce<number>(
    (least, address) => Math.min(least, REACH[addressScope(address)]),
    REACH.public,
  );
}
