/**
 * Starts the processes of the rig and ends every one of them, whatever happens: each leads a
 * process group of its own, so that what it has started ends with it.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAllProcesses, treeOf } from './cpu.ts';

export interface ChildOptions {
  readonly name: string;
  /** What Node is to run: the file and its arguments, after any options of Node's own. */
  readonly args: readonly string[];
  /** Which cores, as taskset takes them; null leaves it to the kernel. */
  readonly cpus: string | null;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /**
   * Ours talk over a channel and end when it closes. The gateway is started as an operator would.
   */
  readonly channel: boolean;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** The last lines that it wrote, to explain a failure. */
  output(): string;
  exited(): boolean;
  /** SIGTERM, and the end of the whole tree after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface Children {
  start(options: ChildOptions): Child;
  /** Kills at once, before it returns; resolves when all have ended. */
  killAll(): Promise<void>;
}

const OUTPUT_CHARACTERS_MAX = 20_000;

/**
 * Nothing of the caller's environment but what Node needs: no provider's key reaches the gateway.
 */
function toEnvironment(extra: Readonly<Record<string, string>>): Record<string, string> {
  const kept = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'USER'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), NODE_ENV: 'production', ...extra };
}

function send(pid: number, name: 'SIGQUIT' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already.
  }
}

/**
 * The process, all that descend from it, and its group. The embedded Postgres leads a group of its
 * own, and cleans up after itself when it is told to quit at once.
 */
function killTree(pid: number): number[] {
  const tree = treeOf(pid, readAllProcesses());
  for (const found of tree) {
    send(found.pid, found.name.startsWith('postgres') ? 'SIGQUIT' : 'SIGKILL');
  }
  send(-pid, 'SIGKILL');
  return tree.map((found) => found.pid);
}

const END_WAIT_MS = 3000;
const END_POLL_MS = 20;

/** Until they have ended, or three seconds have passed: what they write to can then be removed. */
async function waitForEnd(pids: readonly number[]): Promise<void> {
  const deadline = Date.now() + END_WAIT_MS;
  const gone = (pid: number) => !existsSync(`/proc/${pid}`);
  while (!pids.every(gone) && Date.now() < deadline) await sleep(END_POLL_MS);
}

function keepOutput(child: ChildProcess): () => string {
  let kept = '';
  const keep = (bytes: Buffer) => {
    kept = (kept + bytes.toString('utf8')).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => kept;
}

function spawnPinned(options: ChildOptions): ChildProcess {
  const node = [process.execPath, ...options.args];
  const [command = process.execPath, ...args] =
    options.cpus === null ? node : ['taskset', '-c', options.cpus, ...node];
  return spawn(command, args, {
    cwd: options.cwd ?? process.cwd(),
    env: toEnvironment(options.env ?? {}),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...(options.channel ? (['ipc'] as const) : [])],
  });
}

function startChild(options: ChildOptions): Child {
  const child = spawnPinned(options);
  const output = keepOutput(child);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${options.name} could not be started`);
  const exited = () => child.exitCode !== null || child.signalCode !== null;
  return {
    name: options.name,
    pid,
    process: child,
    output,
    exited,
    async stop(graceMs) {
      child.kill('SIGTERM');
      const deadline = Date.now() + graceMs;
      while (!exited() && Date.now() < deadline) await sleep(20);
      await waitForEnd(killTree(pid));
    },
  };
}

export function createChildren(): Children {
  const started: Child[] = [];
  return {
    start(options) {
      const child = startChild(options);
      started.push(child);
      return child;
    },
    killAll() {
      return waitForEnd(started.flatMap((child) => killTree(child.pid)));
    },
  };
}

/** The port that one of our own processes sends once it listens. */
export async function waitForPort(child: Child, timeoutMs: number): Promise<number> {
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`${child.name} did not start:\n${child.output()}`));
    signal.addEventListener('abort', fail);
    child.process.once('exit', fail);
    child.process.once('message', (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'port' in message) {
        resolve(Number(message.port));
      }
    });
  });
}

/** Moves a running process, all its threads included, to other cores. */
export function pin(pid: number, cpus: string): void {
  spawnSync('taskset', ['-a', '-c', '-p', cpus, String(pid)], { stdio: 'ignore' });
}
