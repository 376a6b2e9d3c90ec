/**
 * `identity.key`: who this node is. An unencrypted PKCS #8 PEM (RFC 8410), so that `openssl genpkey -algorithm ed25519` makes one,
 * `openssl pkey -in identity.key -text` shows it, IPFS tools import it (pem-pkcs8-cleartext) and secret scanners know it for what it is; a raw or
 * protobuf key would be none of that. A line before the PEM (RFC 7468 §2 allows text there) names the peer id: for people, and because a
 * flipped bit in a key is a valid key of somebody else. Not here: passphrases.
 */
import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { NautilusError } from '../core/index.ts';
import { toDataDirectoryError } from './data-directory-error.ts';
import { importPrivateKey, publicKeyOf } from './ed25519.ts';
import { createWholeFile } from './whole-file.ts';

export const IDENTITY_FILE = 'identity.key';

/** A PEM of 119 bytes and a line; more is some other file. */
const MAX_FILE_BYTES = 16_384;
const PEER_ID_LINE = /^# Peer id: (\S+)/m;

export interface Identity {
  /** Raw Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The raw seed, 32 bytes. */
  readonly privateKey: Uint8Array;
  /** `12D3Koo…` */
  readonly peerIdText: string;
  /** True when this call made it. */
  readonly created: boolean;
}

/**
 * The identity of an existing data directory; made there if it has none. Safe against another process doing the same.
 * @throws NautilusError `DATA_DIR_UNUSABLE` (unreadable, readable by others, damaged), `DISK_FULL`
 */
export async function loadOrCreateIdentity(dataDir: string): Promise<Identity> {
  const path = join(dataDir, IDENTITY_FILE);
  try {
    const found = await readIdentityFile(path);
    if (found !== undefined) return await parseIdentity(path, found);
    const seed = new Uint8Array(randomBytes(32));
    const identity = await describe(seed, true);
    if (await createWholeFile(path, encodeIdentity(identity))) return identity;
    return await loadOrCreateIdentity(dataDir); // another process was faster: its identity is ours
  } catch (error) {
    throw toDataDirectoryError(path, error);
  }
}

function encodeIdentity({ privateKey, peerIdText }: Identity): string {
  const pem = importPrivateKey(privateKey).export({ type: 'pkcs8', format: 'pem' });
  return `# Peer id: ${peerIdText}\n# Whoever has this key is this peer: keep it secret, and back it up.\n${pem}`;
}

async function readIdentityFile(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { mode, size } = await file.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw unusable(path, `others can read it (mode 0${(mode & 0o777).toString(8)}): run "chmod 600 ${path}"`);
    }
    if (size > MAX_FILE_BYTES) throw damaged(path, 'too large for a key');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function parseIdentity(path: string, text: string): Promise<Identity> {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    throw damaged(path, 'no unencrypted private key in PEM form'); // OpenSSL's own words help nobody
  }
  if (key.asymmetricKeyType !== 'ed25519') throw damaged(path, `an ${key.asymmetricKeyType} key, not Ed25519`);
  const seed = new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  const identity = await describe(seed, false);
  const claimed = PEER_ID_LINE.exec(text)?.[1];
  if (claimed !== undefined && claimed !== identity.peerIdText) {
    throw damaged(path, `it says ${claimed} but its key is that of ${identity.peerIdText}`);
  }
  return identity;
}

async function describe(privateKey: Uint8Array, created: boolean): Promise<Identity> {
  const { toPeerIdText } = await import('../records/index.ts'); // late: verbs that need no identity must not pay for it
  const publicKey = publicKeyOf(privateKey);
  return { publicKey, privateKey, peerIdText: toPeerIdText(publicKey), created };
}

function unusable(path: string, message: string): NautilusError {
  return new NautilusError('DATA_DIR_UNUSABLE', `cannot use ${path}: ${message}`, { details: { path } });
}

function damaged(path: string, what: string): NautilusError {
  return unusable(path, `${what}; restore it from a backup, or remove it to start with a new identity`);
}
