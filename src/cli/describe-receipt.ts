/** A put's receipt in words. */
import type { PutOutput } from '../commands/index.ts';
import { moment, shortId } from './text.ts';

/** `stored on 20 of 20 (11 wanted) until …` */
export function describeReceipt({ receipt, expiresAt }: PutOutput, verb: 'stored' | 'deleted', now: number): string {
  const { acked, k, wanted } = receipt;
  const until = verb === 'stored' ? ` until ${moment(expiresAt, now)}` : '';
  return `${verb} on ${acked} of ${k} (${wanted} wanted)${until}`;
}

/** The holders that do not have it, a line each. */
export function describeMissing({ receipt }: PutOutput): string[] {
  return receipt.holders
    .filter(({ status }) => status !== 'stored')
    .map(({ rank, peerId, status, reason }) => {
      return `  #${rank} ${shortId(peerId)} ${status}${reason === null ? '' : `: ${reason}`}`;
    });
}
