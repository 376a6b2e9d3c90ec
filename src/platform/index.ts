/** Door of `platform`: the machine under a node. It loads nothing from npm until something asks for it. */
export { createSigner, createVerifier, publicKeyOf, type VerifierOptions } from './ed25519.ts';
export { systemClock } from './system-clock.ts';
export { systemRandom } from './system-random.ts';
