/** CPU time and memory of whole process trees, read from /proc (Linux only). */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: the kernel's unit in /proc/<pid>/stat, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  readonly parent: number;
  /**
   * User and system time of all its threads, and of children that it has waited for, in seconds.
   */
  readonly cpuSeconds: number;
}

/**
 * Reads one line of /proc/<pid>/stat. The name stands in parentheses and may hold any character.
 */
export function parseStat(line: string): ProcessStat | null {
  const nameEnd = line.lastIndexOf(')');
  const nameStart = line.indexOf('(');
  if (nameStart < 0 || nameEnd < nameStart) return null;
  const fields = line.slice(nameEnd + 2).split(' ');
  // From the third field on: state, ppid at 1, utime stime cutime cstime at 11 to 14 (proc(5)).
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return {
    pid: Number(line.slice(0, nameStart).trim()),
    name: line.slice(nameStart + 1, nameEnd),
    parent: Number(fields[1]),
    cpuSeconds: ticks / TICKS_PER_SECOND,
  };
}

/** Null when the process has ended meanwhile. */
function readStat(pid: string): ProcessStat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return null;
  }
}

export function readAllProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(readStat)
    .filter((stat) => stat !== null);
}

/** The process and all that descend from it, of those given. */
export function treeOf(root: number, processes: readonly ProcessStat[]): ProcessStat[] {
  const children = Map.groupBy(processes, (stat) => stat.parent);
  const found = processes.filter((stat) => stat.pid === root);
  // The list grows while it is walked: each process found adds its children.
  for (const stat of found) found.push(...(children.get(stat.pid) ?? []));
  return found;
}

export function sumCpuSeconds(processes: readonly ProcessStat[]): number {
  return processes.reduce((sum, stat) => sum + stat.cpuSeconds, 0);
}

export interface Memory {
  readonly nowMiB: number;
  readonly peakMiB: number;
}

/** Resident memory of one process. Zeros when it has ended. */
export function readMemory(pid: number): Memory {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mib = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
    return { nowMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
  } catch {
    return { nowMiB: 0, peakMiB: 0 };
  }
}
