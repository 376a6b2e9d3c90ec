/**
 * The peer list of a bootstrap node over HTTP (`nautilus bootstrap --list HOST:PORT`): newcomers need one stable URL and no multiaddr. Two
 * read-only documents, one request per connection, everything bounded. No TLS: a public list belongs behind a web server that has it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { NautilusError, type Random } from '../core/index.ts';
import { MAX_PEER_LIST_PEERS, type PeerList } from './peer-list.ts';
import { sample } from './sample.ts';

export interface ListAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface BootstrapServiceInit {
  readonly listen: ListAddress;
  readonly network: string;
  /** Where this node can be dialled, with `/p2p/…`. They come first in the list. */
  readonly ownAddresses: () => readonly string[];
  /** Addresses of live servers, with `/p2p/…`; a random part of them is listed. */
  readonly liveAddresses: () => readonly string[];
  readonly random: Random;
}

export interface BootstrapService {
  /** `http://HOST:PORT/` */
  readonly url: string;
  /** Idempotent; cuts whoever is still reading. */
  stop(): Promise<void>;
}

/** Of the live servers per answer: plenty to join with, and the node's own addresses always fit beside them. */
const PEERS_LISTED = 64;
const MAX_CONNECTIONS = 256;
const MAX_HEADERS_BYTES = 8 * 1024;
const REQUEST_TIMEOUT_MS = 5_000;
const EXAMPLE = '127.0.0.1:8480, [::1]:8480 or :8480';

/** @throws NautilusError `CONFIG_INVALID` */
export function parseListAddress(text: string): ListAddress {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  const isBracketed = match?.[1] !== undefined;
  if (match === null || port > 65_535 || (isBracketed && isIP(host) !== 6)) {
    throw new NautilusError('CONFIG_INVALID', `--list: "${text}" is not HOST:PORT; it looks like ${EXAMPLE}`);
  }
  return { host: host === '' ? '0.0.0.0' : host, port };
}

/**
 * Resolves when the list can be read.
 * @throws NautilusError `PORT_TAKEN`, `CONFIG_INVALID` when the address is not this machine's or not allowed
 */
export async function createBootstrapService(init: BootstrapServiceInit): Promise<BootstrapService> {
  const server = createServer(
    { maxHeaderSize: MAX_HEADERS_BYTES, requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => answer(request, response, init),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = 1;
  server.setTimeout(REQUEST_TIMEOUT_MS, (socket) => socket.destroy());
  await listen(server, init.listen);
  const { address, port, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve()); // its error only says that it was closed before
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: ListAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): NautilusError {
  const where = `--list ${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  switch (cause.code) {
    case 'EADDRINUSE':
      return new NautilusError('PORT_TAKEN', `${where}: another program listens there; choose another port`, { cause });
    case 'EACCES':
      return new NautilusError('CONFIG_INVALID', `${where}: not allowed; ports below 1024 need privileges`, { cause });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new NautilusError('CONFIG_INVALID', `${where}: not an address of this machine`, { cause });
    default:
      return new NautilusError('CONFIG_INVALID', `${where}: cannot listen there (${cause.code})`, { cause });
  }
}

function answer(request: IncomingMessage, response: ServerResponse, init: BootstrapServiceInit): void {
  const path = request.url?.split('?', 1)[0];
  const isKnown = path === '/' || path === '/health';
  if (!isKnown) {
    respond(response, 404, { error: 'NOT_FOUND', message: 'there is / (the peer list) and /health' });
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    respond(response, 405, { error: 'METHOD_NOT_ALLOWED', message: 'this list is only read, with GET' });
  } else if (path === '/health') {
    respond(response, 200, { status: 'ok', network: init.network, peers: init.liveAddresses().length });
  } else {
    respond(response, 200, peerList(init));
  }
}

function peerList({ network, ownAddresses, liveAddresses, random }: BootstrapServiceInit): PeerList {
  const own = ownAddresses();
  const others = sample(
    liveAddresses().filter((address) => !own.includes(address)),
    PEERS_LISTED,
    random,
  );
  return { network, peers: [...own, ...others].slice(0, MAX_PEER_LIST_PEERS) };
}

function respond(response: ServerResponse, status: number, document: unknown): void {
  const body = `${JSON.stringify(document)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    // One request per connection: a list is read once, idle connections are only there to be hoarded.
    connection: 'close',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
