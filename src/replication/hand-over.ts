/**
 * Gives keys to those who should have them, the largest delivery first. A delivery is a comparison of just these keys, so nothing that the
 * receiver has travels again. Whether to drop them afterwards is the caller's.
 */
import { isNautilusError } from '../core/index.ts';
import type { Contact } from '../kademlia/index.ts';
import { cellRange, compareRanges, KEY_ID_BYTES } from '../records/index.ts';
import type { ReconcileInput, ReconcileOutcome } from './reconciliation.ts';

export interface HandOverInput {
  /** Key ids. */
  readonly keys: readonly Uint8Array[];
  /** Undefined: nobody is known who could have it. */
  receiverOf(key: Uint8Array): Contact | undefined;
  /** Receivers at a time. */
  readonly atOnce: number;
  /** Ends it; what was not handed over in time the others repair. */
  readonly signal: AbortSignal;
  reconcile(input: ReconcileInput): Promise<ReconcileOutcome>;
}

interface Delivery {
  readonly receiver: Contact;
  readonly keys: Uint8Array[];
}

/** Keys handed over in one comparison. */
const KEYS_AT_ONCE = 256;

/** @returns the keys that somebody settled holds now as we do */
export async function handOverKeys(input: HandOverInput): Promise<readonly Uint8Array[]> {
  const deliveries = deliveriesOf(input).values();
  const handedOver: Uint8Array[] = [];
  const work = async () => {
    for (const delivery of deliveries) handedOver.push(...(await deliver(delivery, input)));
  };
  await Promise.all(Array.from({ length: input.atOnce }, work));
  return handedOver;
}

function deliveriesOf({ keys, receiverOf }: HandOverInput): readonly Delivery[] {
  const byReceiver = new Map<string, Delivery>();
  for (const key of keys) {
    const receiver = receiverOf(key);
    if (receiver === undefined) continue;
    const delivery = byReceiver.get(receiver.id.hex);
    if (delivery === undefined) byReceiver.set(receiver.id.hex, { receiver, keys: [key] });
    else delivery.keys.push(key);
  }
  return [...byReceiver.values()].sort((a, b) => b.keys.length - a.keys.length);
}

async function deliver({ receiver, keys }: Delivery, input: HandOverInput): Promise<readonly Uint8Array[]> {
  const { reconcile, signal } = input;
  const delivered: Uint8Array[] = [];
  for (let i = 0; i < keys.length && !signal.aborted; i += KEYS_AT_ONCE) {
    const batch = keys.slice(i, i + KEYS_AT_ONCE);
    const ranges = batch.map((key) => cellRange(key, KEY_ID_BYTES * 8)).sort(compareRanges);
    try {
      const outcome = await reconcile({ partner: receiver, ranges, settled: false, mode: 'push', signal });
      if (outcome.agreed && outcome.partnerSettled) delivered.push(...batch);
    } catch (error) {
      if (!isNautilusError(error) && !signal.aborted) throw error;
      break; // the next receiver
    }
  }
  return delivered;
}
