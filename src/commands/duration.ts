/** Durations as people write them: a number and its unit. */
import { NautilusError } from '../core/index.ts';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION_PATTERN = /^(\d{1,12})(ms|s|m|h|d)$/;

/** Milliseconds of `250ms 30s 15m 24h 7d`; undefined for anything else. Zero is a duration: whether it makes sense is the caller's rule. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = DURATION_PATTERN.exec(text) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  return Number(count) * (UNITS_MS[unit] as number);
}

/**
 * A time to live, ms. How long is too long is the network's to say.
 * @throws NautilusError `TTL_INVALID`
 */
export function parseTtl(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  const problem = milliseconds === 0 ? 'would be over at once' : 'is not a duration';
  throw new NautilusError('TTL_INVALID', `the ttl ${shown} ${problem}: use 30s, 15m, 24h or 7d (at most 30d)`);
}
