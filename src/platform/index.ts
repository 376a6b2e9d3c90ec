/** Door of `platform`: the machine under a node. It loads nothing from npm until something asks for it. */
export { combineObservers } from './combine-observers.ts';
export {
  type DataDirectory,
  type OpenDataDirectoryOptions,
  openDataDirectory,
  resolveDataDirectory,
} from './data-directory.ts';
export { toDataDirectoryError } from './data-directory-error.ts';
export { createSigner, createVerifier, publicKeyOf, type VerifierOptions } from './ed25519.ts';
export { IDENTITY_FILE, type Identity, loadOrCreateIdentity } from './identity.ts';
export { LOG_LEVELS, type LogLevel } from './log-level.ts';
export { createLogObserver } from './log-observer.ts';
export { createLogger, type Logger, type LoggerInit } from './logger.ts';
export { systemClock } from './system-clock.ts';
export { systemRandom } from './system-random.ts';
