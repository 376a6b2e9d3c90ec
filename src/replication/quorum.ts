/**
 * Majorities that overlap: W = ⌊K'/2⌋ + 1 acks for a put, R = K' − W + 1 answers for a get, so every get meets every finished put while the
 * membership of the key is stable. K' is how many live servers a finished lookup found, at most K; clients and bootstrap nodes never count.
 */
import { NautilusError } from '../core/index.ts';

/** What the caller asks for instead of the majority rule. A number is a count of holders: with fewer of them it cannot be reached. */
export type QuorumChoice = 'majority' | 'one' | 'all' | number;

export function writeQuorum(kEffective: number, choice: QuorumChoice = 'majority'): number {
  return choice === 'majority' ? Math.floor(kEffective / 2) + 1 : chosen(kEffective, choice);
}

export function readQuorum(kEffective: number, choice: QuorumChoice = 'majority'): number {
  return choice === 'majority' ? kEffective - writeQuorum(kEffective) + 1 : chosen(kEffective, choice);
}

function chosen(kEffective: number, choice: 'one' | 'all' | number): number {
  if (choice === 'one') return Math.min(1, kEffective);
  return choice === 'all' ? kEffective : choice;
}

/** @throws NautilusError `QUORUM_INVALID` for a number no key of this network can have holders for */
export function checkQuorum(choice: QuorumChoice | undefined, k: number): void {
  if (typeof choice !== 'number' || (Number.isInteger(choice) && choice >= 1 && choice <= k)) return;
  throw new NautilusError(
    'QUORUM_INVALID',
    `--quorum ${choice} is none of: majority, one, all, or a number from 1 to ${k}`,
  );
}
