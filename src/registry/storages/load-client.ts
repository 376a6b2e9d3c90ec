/**
 * Loads the client package of a storage when that storage is opened, and not before: a node without it neither needs nor loads it. The
 * `import()` stays with its storage, so that the layer rules see it; here is what to tell who has not installed it.
 */
import { misconfigured } from '../misconfigured.ts';

/**
 * @param packageName as in `npm install …`: an optional peer
 * @param load `() => import('…')` of that package
 * @throws NautilusError `CONFIG_INVALID` with the command that installs it
 */
export async function loadClient<T>(packageName: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const problem = isMissing(packageName, cause) ? 'is not installed' : `cannot be loaded (${reasonOf(cause)})`;
    throw misconfigured(`this storage needs the package ${packageName}, which ${problem}: npm install ${packageName}`, {
      cause,
      details: { package: packageName },
    });
  }
}

/** Node names what it could not find; a package that misses one of its own parts is broken, not missing. */
function isMissing(packageName: string, cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ERR_MODULE_NOT_FOUND' && reasonOf(cause).includes(`'${packageName}'`);
}

function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return reason.split('\n', 1)[0]!;
}
