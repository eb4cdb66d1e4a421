/** The machine: what it is, for the report, and how its cores are divided. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

export interface Cores {
  /** Where what is measured runs. Null: no taskset or only one core. */
  readonly subject: string | null;
  /** Where load, mock upstream and Postgres run. */
  readonly rest: string | null;
}

/** `0-3,6` as [0, 1, 2, 3, 6]. */
export function parseCpuList(list: string): number[] {
  return list
    .trim()
    .split(',')
    .filter((range) => range !== '')
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** The first core that this process may use for what is measured, all others for the rest. */
export function divideCores(): Cores {
  const status = readFileSync('/proc/self/status', 'utf8');
  const allowed = parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '');
  const [first, ...others] = allowed;
  const taskset = spawnSync('taskset', ['-V'], { stdio: 'ignore' }).status === 0;
  if (!taskset || first === undefined || others.length === 0) return { subject: null, rest: null };
  return { subject: String(first), rest: others.join(',') };
}

/** Where the processes of the rig run while they are measured. */
export interface Layout {
  readonly name: string;
  readonly cores: Cores;
  /** Everything is measured in it, or only what tells of CPU time and latency. */
  readonly whole: boolean;
}

/**
 * All on one core, which is how the limits are stated; and what is measured on a core of its own,
 * where it finds each event of a stream by itself and the database takes nobody's time.
 */
export function layoutsOf(cores: Cores): readonly Layout[] {
  const { subject } = cores;
  if (subject === null) return [{ name: 'one core', cores, whole: true }];
  return [
    { name: 'one core', cores: { subject, rest: subject }, whole: false },
    { name: 'a core of its own', cores, whole: true },
  ];
}

export function describeMachine(): string {
  const processors = cpus();
  return [
    `${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${type()} ${release()}`,
    `Node ${process.version}`,
    `load average ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]} at the start`,
  ].join('; ');
}

/** Open files that a process may have: each stream through a gateway takes two. */
export function openFilesMax(): number {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(
    readFileSync('/proc/self/limits', 'utf8'),
  )?.[1];
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit ?? 0);
}
