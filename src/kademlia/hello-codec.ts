/** HELLO: `[0, protocolVersion, constants, mode, addresses, features, time]`. Judging it (other network, other version) is the transport's. */
import { encodeCbor, type NetworkConstants } from '../records/index.ts';
import { addressesFromFields, addressesToFields } from './contact-list.ts';
import type { Hello, NodeMode } from './messages.ts';
import { type InvalidFrame, invalid, isNatural, KIND_HELLO, MAX_FEATURE_LENGTH, MAX_FEATURES } from './wire-format.ts';

const MODE_NUMBERS = { server: 0, client: 1, bootstrap: 2 } as const satisfies Record<NodeMode, number>;
const MODES: readonly NodeMode[] = ['server', 'client', 'bootstrap'];
const MAX_NETWORK_LENGTH = 63;

export function encodeHello(hello: Hello): Uint8Array {
  const { protocolVersion, constants, mode, addresses, features, time } = hello;
  return encodeCbor([
    KIND_HELLO,
    protocolVersion,
    constantsToFields(constants),
    MODE_NUMBERS[mode],
    addressesToFields(addresses),
    features,
    time,
  ]);
}

export type DecodedHello = { readonly kind: 'hello'; readonly hello: Hello } | InvalidFrame;

export function helloFromFields(fields: readonly unknown[]): DecodedHello {
  const [, protocolVersion, constantsFields, modeNumber, addressFields, features, time] = fields;
  if (!isNatural(protocolVersion)) return invalid('hello version');
  const constants = constantsFromFields(constantsFields);
  if (constants === undefined) return invalid('hello constants');
  const mode = isNatural(modeNumber) ? MODES[modeNumber] : undefined;
  if (mode === undefined) return invalid('hello mode');
  const addresses = addressesFromFields(addressFields);
  if (addresses === undefined) return invalid('hello addresses');
  if (!isFeatures(features)) return invalid('hello features');
  if (!isNatural(time)) return invalid('hello time');
  return { kind: 'hello', hello: { protocolVersion, constants, mode, addresses, features, time } };
}

function constantsToFields(constants: NetworkConstants): unknown[] {
  const { network, k, maxTtlMs, maxKeyBytes, maxValueBytes, maxPublishersPerKey, maxClockSkewMs, suspicionTimeMs } =
    constants;
  return [network, k, maxTtlMs, maxKeyBytes, maxValueBytes, maxPublishersPerKey, maxClockSkewMs, suspicionTimeMs];
}

function constantsFromFields(fields: unknown): NetworkConstants | undefined {
  if (!Array.isArray(fields) || fields.length < 8) return undefined;
  const [network, ...numbers] = fields as unknown[];
  if (typeof network !== 'string' || network.length > MAX_NETWORK_LENGTH || !numbers.slice(0, 7).every(isNatural)) {
    return undefined;
  }
  const [k, maxTtlMs, maxKeyBytes, maxValueBytes, maxPublishersPerKey, maxClockSkewMs, suspicionTimeMs] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { network, k, maxTtlMs, maxKeyBytes, maxValueBytes, maxPublishersPerKey, maxClockSkewMs, suspicionTimeMs };
}

function isFeatures(value: unknown): value is string[] {
  if (!Array.isArray(value) || value.length > MAX_FEATURES) return false;
  return value.every((feature) => typeof feature === 'string' && feature.length <= MAX_FEATURE_LENGTH);
}
