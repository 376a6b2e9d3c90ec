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

/** @throws NautilusError `QUORUM_INVALID` */
export function parseQuorum(text: string, k: number): QuorumChoice {
  if (text === 'majority' || text === 'one' || text === 'all') return text;
  const count = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 1 && count <= k) return count;
  throw new NautilusError(
    'QUORUM_INVALID',
    `--quorum ${text} is none of: majority, one, all, or a number from 1 to ${k}`,
  );
}
