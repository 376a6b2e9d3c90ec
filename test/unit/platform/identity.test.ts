import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSigner, createVerifier, IDENTITY_FILE, loadOrCreateIdentity } from '../../../src/platform/index.ts';
import { parsePeerIdText } from '../../../src/records/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const fresh = temporaryDirectory();

async function directory(identity?: string | Uint8Array): Promise<string> {
  const path = await fresh();
  await mkdir(path);
  if (identity !== undefined) await writeFile(join(path, IDENTITY_FILE), identity, { mode: 0o600 });
  return path;
}

describe('an identity', () => {
  it('is made once and found again', async () => {
    const dataDir = await directory();
    const made = await loadOrCreateIdentity(dataDir);
    expect(made.created).toBe(true);
    expect(made.peerIdText).toMatch(/^12D3KooW/);
    expect(parsePeerIdText(made.peerIdText)).toEqual(made.publicKey);
    expect(await loadOrCreateIdentity(dataDir)).toEqual({ ...made, created: false });
    expect(await readdir(dataDir)).toEqual([IDENTITY_FILE]);
    expect((await stat(join(dataDir, IDENTITY_FILE))).mode & 0o777).toBe(0o600);
  });

  it('is the same for all who ask at once', async () => {
    const dataDir = await directory();
    const identities = await Promise.all(Array.from({ length: 10 }, () => loadOrCreateIdentity(dataDir)));
    expect(new Set(identities.map((identity) => identity.peerIdText)).size).toBe(1);
    expect(identities.filter((identity) => identity.created).length).toBe(1);
  });

  it('signs what its public key verifies', async () => {
    const { privateKey, publicKey } = await loadOrCreateIdentity(await directory());
    const message = Uint8Array.of(1, 2, 3);
    expect(await createVerifier().verify(publicKey, message, await createSigner(privateKey).sign(message))).toBe(true);
  });

  it('is a file that OpenSSL reads, comment and all', async () => {
    const dataDir = await directory();
    const { publicKey } = await loadOrCreateIdentity(dataDir);
    const pem = await readFile(join(dataDir, IDENTITY_FILE), 'utf8');
    expect(pem).toMatch(/^# Peer id: 12D3KooW/);
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    expect(new Uint8Array(der.subarray(-32))).toEqual(publicKey);
  });

  it('may be a plain PEM key from elsewhere', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const dataDir = await directory(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const identity = await loadOrCreateIdentity(dataDir);
    expect(identity.created).toBe(false);
    const der = publicKey.export({ type: 'spki', format: 'der' });
    expect(identity.publicKey).toEqual(new Uint8Array(der.subarray(-32)));
  });

  it.each([0o640, 0o604, 0o660])(
    'is refused when others can read it (mode %o), with the command that helps',
    async (mode) => {
      const dataDir = await directory();
      await loadOrCreateIdentity(dataDir);
      const path = join(dataDir, IDENTITY_FILE);
      await chmod(path, mode);
      await expect(loadOrCreateIdentity(dataDir)).rejects.toMatchObject({
        code: 'DATA_DIR_UNUSABLE',
        message: expect.stringContaining(`run "chmod 600 ${path}"`),
      });
      await chmod(path, 0o600);
      expect((await loadOrCreateIdentity(dataDir)).created).toBe(false);
    },
  );
});

describe('a damaged identity is refused by name and never replaced', () => {
  const pem = (type: 'ed25519' | 'x25519') =>
    generateKeyPairSync(type as 'ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

  it.each([
    ['an empty file', ''],
    ['half a file', pem('ed25519').slice(0, 70)],
    ['random bytes', new Uint8Array(64).fill(0xa5)],
    ['a file of 20 kB', 'x'.repeat(20_000)],
    ['a key of another kind', pem('x25519')],
    ['a public key', generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })],
    [
      'an encrypted key',
      generateKeyPairSync('ed25519').privateKey.export({
        type: 'pkcs8',
        format: 'pem',
        cipher: 'aes-256-cbc',
        passphrase: 'secret',
      }),
    ],
  ])('%s', async (_, content) => {
    const dataDir = await directory(content);
    const path = join(dataDir, IDENTITY_FILE);
    const before = await readFile(path);
    await expect(loadOrCreateIdentity(dataDir)).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringMatching(/identity\.key: .*restore it from a backup/),
    });
    expect(await readFile(path)).toEqual(before);
  });

  it('a key with one changed character, which is a valid key of somebody else', async () => {
    const dataDir = await directory();
    const { peerIdText } = await loadOrCreateIdentity(dataDir);
    const path = join(dataDir, IDENTITY_FILE);
    const text = await readFile(path, 'utf8');
    const last = text.indexOf('\n-----END') - 4;
    await writeFile(path, text.slice(0, last) + (text[last] === 'A' ? 'B' : 'A') + text.slice(last + 1));
    await expect(loadOrCreateIdentity(dataDir)).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringContaining(`it says ${peerIdText} but its key is that of 12D3KooW`),
    });
  });

  it('a directory in its place', async () => {
    const dataDir = await directory();
    await mkdir(join(dataDir, IDENTITY_FILE), { mode: 0o700 });
    await expect(loadOrCreateIdentity(dataDir)).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringContaining(join(dataDir, IDENTITY_FILE)),
    });
  });
});
