/** Door of `platform`: the machine under a node. It loads nothing from npm until something asks for it. */
export {
  type DataDirectory,
  type OpenDataDirectoryOptions,
  openDataDirectory,
  resolveDataDirectory,
} from './data-directory.ts';
export { toDataDirectoryError } from './data-directory-error.ts';
export { createSigner, createVerifier, publicKeyOf, type VerifierOptions } from './ed25519.ts';
export { IDENTITY_FILE, type Identity, loadOrCreateIdentity } from './identity.ts';
export { systemClock } from './system-clock.ts';
export { systemRandom } from './system-random.ts';
