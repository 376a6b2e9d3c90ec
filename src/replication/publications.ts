/**
 * What this node has published: the newest header per key and the receipt it came with. It is the memory of the seq clock (a clock set back
 * must not make the next put older than the last), and later what renewals and audits start from.
 */
import type { Clock, StateStore } from '../core/index.ts';
import {
  decodeCbor,
  encodeCbor,
  floorUntil,
  headerFromFields,
  headerToFields,
  type Key,
  type NetworkConstants,
  type RecordHeader,
  toHex,
} from '../records/index.ts';
import type { Receipt } from './receipt.ts';

export interface Publication {
  readonly header: RecordHeader;
  /** Of the value; the value itself is on its holders. */
  readonly sizeBytes: number;
  readonly receipt: Receipt;
}

const PREFIX = 'publication/';

export class Publications {
  readonly #state: StateStore;
  readonly #clock: Clock;
  readonly #constants: NetworkConstants;

  constructor(components: { readonly state: StateStore; readonly clock: Clock; readonly constants: NetworkConstants }) {
    this.#state = components.state;
    this.#clock = components.clock;
    this.#constants = components.constants;
  }

  async get(key: Key): Promise<Publication | undefined> {
    const bytes = await this.#state.get(stateKeyOf(key));
    return bytes === undefined ? undefined : decodePublication(bytes);
  }

  async set(publication: Publication): Promise<void> {
    await this.#state.set(stateKeyOf(publication.header.key), encodePublication(publication));
  }

  /** In the order of key ids. Forgets on the way those whose seq no clock can come back to. */
  async *entries(): AsyncIterable<Publication> {
    for await (const { key, value } of this.#state.entries(PREFIX)) {
      const publication = decodePublication(value);
      if (publication === undefined || floorUntil(publication.header, this.#constants) <= this.#clock.now())
        await this.#state.delete(key);
      else yield publication;
    }
  }
}

/** By id: a key itself may be as long as a state key, without any prefix. */
function stateKeyOf(key: Key): string {
  return PREFIX + toHex(key.id);
}

/** The receipt goes in as JSON: it is for people, and its shape is the CLI's contract. */
function encodePublication({ header, sizeBytes, receipt }: Publication): Uint8Array {
  return encodeCbor([headerToFields(header), sizeBytes, JSON.stringify(receipt)]);
}

/** Undefined when another build wrote something else: then the publication is unknown, and its key starts from the wall clock. */
function decodePublication(bytes: Uint8Array): Publication | undefined {
  const fields = decodeCbor(bytes)?.value;
  if (!Array.isArray(fields)) return undefined;
  const [headerFields, sizeBytes, receipt] = fields as unknown[];
  const parsed = headerFromFields(headerFields);
  if (parsed.kind === 'invalid' || typeof sizeBytes !== 'number' || typeof receipt !== 'string') return undefined;
  return { header: parsed.header, sizeBytes, receipt: JSON.parse(receipt) as Receipt };
}
