/**
 * Public key → contact, remembered. Contact lists dominate the wire and name the same peers at the same addresses again and again; to hash each
 * key and check each address again would cost several times the rest of the decoding. Everybody who is told the same shares one object, so a
 * table of known contacts takes no memory but its own. A pure function's memo: it changes no result.
 */
import { copyBytes, PUBLIC_KEY_BYTES } from '../records/index.ts';
import { NodeId } from './node-id.ts';

/** An identity and where it is said to be: what `Contact` describes. Never changed once it is shared. */
export interface Identity {
  readonly id: NodeId;
  /** Own copy, shared by every contact of this peer. */
  readonly publicKey: Uint8Array;
  readonly addresses: readonly string[];
}

const SLOT_BITS = 14;
/** As many bits as the bytes give that choose the slot. */
const MAX_SLOT_BITS = 24;
/** So many slots per expected identity leave one in some hundred without a place. */
const SLOTS_PER_IDENTITY = 4;

// BOUNDED: 2^14 slots, some 400 bytes each when filled, unless `expectIdentities` asked for more. Sets of two; a newcomer drives the older one out.
let slots: (Identity | undefined)[] = [];
// BOUNDED: as the slots: 1 when the addresses were found fit for the wire.
let soundness = new Uint8Array(1 << SLOT_BITS);

/** For a process that plays many nodes: makes room for all of them. */
export function expectIdentities(count: number): void {
  if (count * SLOTS_PER_IDENTITY <= soundness.length || soundness.length >= 1 << MAX_SLOT_BITS) return;
  const [formerSlots, formerSoundness] = [slots, soundness];
  slots = [];
  soundness = new Uint8Array(formerSoundness.length * 2);
  for (let slot = 0; slot < formerSlots.length; slot++) {
    const identity = formerSlots[slot];
    if (identity !== undefined) keep(identity, formerSoundness[slot] === 1);
  }
  expectIdentities(count);
}

/** The contact already known by this key (32 bytes at `offset`) and these addresses, if they were found sound before; else undefined. */
export function soundIdentity(
  publicKeys: Uint8Array,
  offset: number,
  addresses: readonly unknown[],
): Identity | undefined {
  const slot = findSlot(publicKeys, offset);
  if (slot === -1 || soundness[slot] !== 1) return undefined;
  const known = slots[slot]!;
  return sameTexts(known.addresses, addresses) ? known : undefined;
}

/**
 * The one object for this key (32 bytes at `offset`; it may be a view of a receive buffer: what is kept is a copy) and these addresses.
 * @param areSound the addresses are fit for the wire
 */
export function sharedIdentity(
  publicKeys: Uint8Array,
  offset: number,
  addresses: readonly string[],
  areSound: boolean,
): Identity {
  const slot = findSlot(publicKeys, offset);
  if (slot === -1) {
    const publicKey = copyBytes(publicKeys.subarray(offset, offset + PUBLIC_KEY_BYTES));
    const identity = { id: NodeId.fromPublicKey(publicKey), publicKey, addresses };
    keep(identity, areSound);
    return identity;
  }
  const known = slots[slot]!;
  if (sameTexts(known.addresses, addresses)) {
    if (areSound) soundness[slot] = 1;
    return known;
  }
  const moved = { id: known.id, publicKey: known.publicKey, addresses };
  slots[slot] = moved;
  soundness[slot] = areSound ? 1 : 0;
  return moved;
}

/** Whether this very list of addresses was found fit for the wire before. */
export function hasSoundAddresses({ publicKey, addresses }: Identity): boolean {
  const slot = findSlot(publicKey, 0);
  return slot !== -1 && soundness[slot] === 1 && slots[slot]!.addresses === addresses;
}

/** Remembers that they are. */
export function noteSoundAddresses({ publicKey, addresses }: Identity): void {
  const slot = findSlot(publicKey, 0);
  if (slot !== -1 && slots[slot]!.addresses === addresses) soundness[slot] = 1;
}

/** The newcomer takes the first place of its set, whoever had it moves to the second. */
function keep(identity: Identity, areSound: boolean): void {
  const first = setOf(identity.publicKey, 0);
  slots[first + 1] = slots[first];
  soundness[first + 1] = soundness[first]!;
  slots[first] = identity;
  soundness[first] = areSound ? 1 : 0;
}

function findSlot(publicKeys: Uint8Array, offset: number): number {
  const first = setOf(publicKeys, offset);
  if (isKeyOf(slots[first], publicKeys, offset)) return first;
  return isKeyOf(slots[first + 1], publicKeys, offset) ? first + 1 : -1;
}

function isKeyOf(identity: Identity | undefined, publicKeys: Uint8Array, offset: number): boolean {
  if (identity === undefined) return false;
  const { publicKey } = identity;
  if (publicKey === publicKeys) return true;
  for (let i = 0; i < PUBLIC_KEY_BYTES; i++) if (publicKey[i] !== publicKeys[offset + i]) return false;
  return true;
}

function sameTexts(a: readonly string[], b: readonly unknown[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** First slot of the key's set. Public keys are uniform; who crafts collisions slows down only the lists that name them. */
function setOf(publicKeys: Uint8Array, offset: number): number {
  const word = publicKeys[offset]! | (publicKeys[offset + 1]! << 8) | (publicKeys[offset + 2]! << 16);
  return word & (soundness.length - 2);
}
