/**
 * Public key → contact, remembered. Contact lists dominate the wire and name the same peers at the same addresses again and again; to hash each
 * key and check each address again would cost several times the rest of the decoding. Everybody who is told the same shares one object, so a
 * table of known contacts takes no memory but its own. A pure function's memo: it changes no result.
 */
import { copyBytes, PUBLIC_KEY_BYTES } from '../records/index.ts';
import { NodeId } from './node-id.ts';

/** An identity and where it is said to be: a `Contact`. Never changed once it is shared. */
export class Identity {
  readonly id: NodeId;
  /** Own copy, shared by every contact of this peer. */
  readonly publicKey: Uint8Array;
  readonly addresses: readonly string[];
  #wire: Uint8Array | undefined;

  constructor(id: NodeId, publicKey: Uint8Array, addresses: readonly string[]) {
    this.id = id;
    this.publicKey = publicKey;
    this.addresses = addresses;
  }

  /** The public key and, as they are encoded, the addresses. Undefined until somebody has found them fit for the wire. */
  get wire(): Uint8Array | undefined {
    return this.#wire;
  }

  set wire(wire: Uint8Array | undefined) {
    this.#wire = wire;
  }

  /** Whether these 32 bytes at `offset` and the bytes at `start` are it. */
  isWrittenAs(publicKeys: Uint8Array, offset: number, bytes: Uint8Array, start: number): boolean {
    const wire = this.#wire;
    if (wire === undefined || start + wire.length - PUBLIC_KEY_BYTES > bytes.length) return false;
    for (let i = 0; i < PUBLIC_KEY_BYTES; i++) if (wire[i] !== publicKeys[offset + i]) return false;
    const behind = start - PUBLIC_KEY_BYTES;
    for (let i = PUBLIC_KEY_BYTES; i < wire.length; i++) if (wire[i] !== bytes[behind + i]) return false;
    return true;
  }
}

const SLOT_BITS = 14;
/** As many bits as the bytes give that choose the slot. */
const MAX_SLOT_BITS = 24;
/** So many slots per expected identity leave one in some hundred without a place. */
const SLOTS_PER_IDENTITY = 4;

// BOUNDED: 2^14 slots, some 600 bytes each when filled, unless `expectIdentities` asked for more. Sets of two; a newcomer drives the older one out.
let slots: (Identity | undefined)[] = Array<undefined>(1 << SLOT_BITS).fill(undefined);

/** For a process that plays many nodes: makes room for all of them. */
export function expectIdentities(count: number): void {
  let wanted = slots.length;
  while (wanted < count * SLOTS_PER_IDENTITY && wanted < 1 << MAX_SLOT_BITS) wanted *= 2;
  if (wanted === slots.length) return;
  const former = slots;
  slots = Array<undefined>(wanted).fill(undefined);
  for (const identity of former) if (identity !== undefined) keep(identity);
}

/** The one known by this key (32 bytes at `offset`) and by the encoded addresses that begin at `start`, if there is one. */
export function identityOnWire(
  publicKeys: Uint8Array,
  offset: number,
  bytes: Uint8Array,
  start: number,
): Identity | undefined {
  const first = setOf(publicKeys, offset);
  for (let slot = first; slot <= first + 1; slot++) {
    if (slots[slot]?.isWrittenAs(publicKeys, offset, bytes, start)) return slots[slot];
  }
  return undefined;
}

/**
 * The one object for this key (32 bytes at `offset`; it may be a view of a receive buffer: what is kept is a copy) and these addresses.
 */
export function sharedIdentity(publicKeys: Uint8Array, offset: number, addresses: readonly string[]): Identity {
  const slot = findSlot(publicKeys, offset);
  if (slot === -1) {
    const publicKey = copyBytes(publicKeys.subarray(offset, offset + PUBLIC_KEY_BYTES));
    const identity = new Identity(NodeId.fromPublicKey(publicKey), publicKey, addresses);
    keep(identity);
    return identity;
  }
  const known = slots[slot]!;
  if (sameTexts(known.addresses, addresses)) return known;
  const moved = new Identity(known.id, known.publicKey, addresses);
  slots[slot] = moved;
  return moved;
}

/** The newcomer takes the first place of its set, whoever had it moves to the second. */
function keep(identity: Identity): void {
  const first = setOf(identity.publicKey, 0);
  slots[first + 1] = slots[first];
  slots[first] = identity;
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

/** In the same order. */
export function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** First slot of the key's set. Public keys are uniform; who crafts collisions slows down only the lists that name them. */
function setOf(publicKeys: Uint8Array, offset: number): number {
  const word = publicKeys[offset]! | (publicKeys[offset + 1]! << 8) | (publicKeys[offset + 2]! << 16);
  return word & (slots.length - 2);
}
