/**
 * Which process, once and for all: a pid is reused, a pid with the kernel's start time and boot id is not. Elsewhere than on Linux
 * only the pid is known. Not here: what a lock does with it.
 */
import { randomUUID } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the start (proc(5), stat field 22); null where /proc is missing. */
  readonly startTime: string | null;
  readonly bootId: string | null;
  /** A pid means something only in its namespace (containers). */
  readonly pidNamespace: string | null;
  readonly host: string;
  /** Tells two uses by one process apart. */
  readonly nonce: string;
}

/** `foreign`: of another machine or container, so that this kernel or /proc cannot say. */
export type Liveness = 'alive' | 'dead' | 'foreign';

export async function identifyProcess(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    startTime: (await readStat(process.pid))?.startTime ?? null,
    bootId: await readBootId(),
    pidNamespace: await readPidNamespace(),
    host: hostname(),
    nonce: randomUUID(),
  };
}

/** @returns undefined for text that no identifyProcess() wrote, such as a file that lost its content with the power */
export function parseProcessIdentity(text: string): ProcessIdentity | undefined {
  let fields: Partial<Record<keyof ProcessIdentity, unknown>> | null;
  try {
    fields = JSON.parse(text) as typeof fields;
  } catch {
    return undefined; // no JSON: the caller treats it as damaged
  }
  const textOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string';
  if (fields === null || typeof fields !== 'object') return undefined;
  const { pid, startTime, bootId, pidNamespace, host, nonce } = fields;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return undefined;
  if (!textOrNull(startTime) || !textOrNull(bootId) || !textOrNull(pidNamespace)) return undefined;
  if (typeof host !== 'string' || typeof nonce !== 'string') return undefined;
  return { pid, startTime, bootId, pidNamespace, host, nonce };
}

export async function checkLiveness(identity: ProcessIdentity): Promise<Liveness> {
  const bootId = await readBootId();
  if (identity.bootId !== bootId) return identity.host === hostname() ? 'dead' : 'foreign'; // dead: this machine was booted since
  if (bootId === null && identity.host !== hostname()) return 'foreign';
  if (identity.pidNamespace !== (await readPidNamespace())) return 'foreign';
  const stat = await readStat(identity.pid);
  if (stat === undefined) return canBeSignalled(identity.pid) ? 'alive' : 'dead'; // no /proc, or one that hides others' processes
  if (stat.state === 'Z' || stat.state === 'X') return 'dead'; // killed, and only waiting for its parent to notice
  return identity.startTime === null || identity.startTime === stat.startTime ? 'alive' : 'dead';
}

async function readStat(pid: number): Promise<{ readonly state: string; readonly startTime: string } | undefined> {
  const text = await readOptional(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets and may hold blanks and brackets itself.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  const startTime = fields?.[19];
  return state === undefined || startTime === undefined ? undefined : { state, startTime };
}

async function readBootId(): Promise<string | null> {
  return (await readOptional('/proc/sys/kernel/random/boot_id'))?.trim() ?? null;
}

function readPidNamespace(): Promise<string | null> {
  return readlink('/proc/self/ns/pid').catch(() => null); // no such thing here
}

function readOptional(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined); // no such thing here, or gone: both are answers
}

function canBeSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it exists and is somebody else's
  }
}
