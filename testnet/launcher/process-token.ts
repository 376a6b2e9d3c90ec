/**
 * Names a process beyond its pid: pids are used again, and a state file may be days old. The token is when the process started, on which
 * boot; nothing is ever signalled whose token is not the one that was written down.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Undefined when no such process runs (one that ended and only waits for its parent does not run). */
export function processToken(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxToken(pid) : psToken(pid);
}

function linuxToken(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // ENOENT, or ESRCH when it ended while it was read: either way it is gone
  }
  // proc(5): the name in parentheses may hold anything, the last ")" ends it. Then state (3rd field) … start time (22nd).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return undefined;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${startTicks}`;
}

function psToken(pid: number): string | undefined {
  try {
    const [state = '', ...started] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
    })
      .trim()
      .split(/\s+/);
    return state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined; // ps exits 1 when there is no such process
  }
}
