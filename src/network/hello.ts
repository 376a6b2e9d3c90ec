/** Whether the peer at the other end belongs to this network. Two nodes that disagree about K or the longest TTL would break each other's promises. */
import { NautilusError } from '../core/index.ts';
import { type Hello, PROTOCOL_VERSION } from '../kademlia/index.ts';

export type NetworkConstants = Hello['constants'];

/** One protocol id per network: a peer of another network does not even know ours. */
export function protocolId(network: string): string {
  return `/nautilus/${network}/${PROTOCOL_VERSION}`;
}

/** Why this peer cannot be talked to, if it cannot. */
export function helloMismatch(own: NetworkConstants, hello: Hello): NautilusError | undefined {
  if (hello.protocolVersion !== PROTOCOL_VERSION) {
    return new NautilusError(
      'NETWORK_MISMATCH',
      `the peer speaks protocol version ${hello.protocolVersion}, this node ${PROTOCOL_VERSION}: update the older one`,
    );
  }
  const names = Object.keys(own) as (keyof NetworkConstants)[];
  const different = names.filter((name) => own[name] !== hello.constants[name]);
  if (different.length === 0) return undefined;
  const list = different.map((name) => `${name} is ${hello.constants[name]} there and ${own[name]} here`).join(', ');
  return new NautilusError('NETWORK_MISMATCH', `the peer belongs to a network with other constants: ${list}`, {
    details: { different },
  });
}

export function otherNetwork(network: string, where: string): NautilusError {
  return new NautilusError(
    'NETWORK_MISMATCH',
    `${where} is no node of the network "${network}": start both with the same --network`,
  );
}
