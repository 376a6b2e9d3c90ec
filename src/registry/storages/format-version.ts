/**
 * The version of how a storage keeps its entries, as it stands beside them: whoever does not know it must not read or write them. Each storage keeps
 * it its own way; what has no mark was written before there were any, and has version 1. Not here: PostgreSQL, whose tables change by migrations
 * (postgres-schema.ts).
 */
import type { NautilusError } from '../../core/index.ts';
import { misconfigured } from '../misconfigured.ts';

/** The one there is. A later one is marked before the first entry of its kind is written. */
export const FORMAT_VERSION = '1';

/**
 * @param where what has the version @param instead what else to do than to update, in an imperative
 * @returns `CONFIG_INVALID`
 */
export function unknownFormat(where: string, found: string, instead: string): NautilusError {
  const version = found.length > 0 && found.length <= 16 && /^[\x21-\x7e]+$/.test(found) ? found : 'unknown';
  return misconfigured(
    `${where} has format version ${version}, this Nautilus knows up to ${FORMAT_VERSION}: update Nautilus, or ${instead}`,
    { details: { found: version, known: FORMAT_VERSION } },
  );
}
