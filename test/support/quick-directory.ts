/**
 * Where tests put what must outlive a process and not the machine: in memory, where there is room. Killing a process shows the same there, and a
 * disk that others keep busy makes no test wait (here an fsync took up to a second at times). Not for tests of full or damaged disks.
 */
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const IN_MEMORY = '/dev/shm';
/** Containers may have as little as 64 MiB of it. */
const MIN_FREE_BYTES = 512 * 1024 * 1024;

export const QUICK_DIRECTORY = hasRoom() ? IN_MEMORY : tmpdir();

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    return bavail * bsize >= MIN_FREE_BYTES;
  } catch {
    return false; // this system has no such thing
  }
}
