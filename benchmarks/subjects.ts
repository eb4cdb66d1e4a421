/** What is measured: how each is started, asked, and how its CPU time and memory are read. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Child, Children } from './children.ts';
import { waitForPort } from './children.ts';
import type { Memory } from './cpu.ts';
import { readAllProcesses, readMemory, sumCpuSeconds, treeOf } from './cpu.ts';
import type { Lane } from './load-protocol.ts';
import type { Cores } from './machine.ts';
import type { UpstreamDialect, WorkloadName } from './workloads.ts';

export type SubjectName =
  | 'omnix'
  | 'bare'
  | 'transport'
  | 'portkey'
  | `omnix to ${UpstreamDialect}`;

export interface CpuSeconds {
  readonly own: number;
  /** Of the embedded Postgres, where there is one. */
  readonly postgres: number;
}

export interface Subject {
  readonly name: SubjectName;
  /** `direct` asks the upstream itself instead. */
  lane(workload: WorkloadName): Lane;
  cpu(): CpuSeconds;
  memory(): Memory;
  stop(): Promise<void>;
}

export interface RigOptions {
  readonly children: Children;
  readonly cores: Cores;
  readonly mockPort: number;
}

export const HERE = import.meta.dirname;
export const START_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 2000;
const INSTALL_TIMEOUT_MS = 180_000;
const PATH = '/v1/chat/completions';
const UPSTREAM_KEY = 'sk-upstream-of-the-benchmark';

/** One process that does all by itself. */
function toSubject(child: Child, name: SubjectName, lane: Omit<Lane, 'workload'>): Subject {
  return {
    name,
    lane: (workload) => ({ ...lane, workload }),
    cpu: () => ({ own: sumCpuSeconds(treeOf(child.pid, readAllProcesses())), postgres: 0 }),
    memory: () => readMemory(child.pid),
    stop: () => child.stop(STOP_GRACE_MS),
  };
}

/** Asks the mock itself: what every gateway adds is counted from there. */
export function directLane(mockPort: number, workload: WorkloadName): Lane {
  return { port: mockPort, path: PATH, headers: bearer(UPSTREAM_KEY), workload };
}

export function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

async function startOwnProxy(
  rig: RigOptions,
  name: 'bare' | 'transport',
  file: string,
): Promise<Subject> {
  const child = rig.children.start({
    name,
    args: [fileURLToPath(file), `http://127.0.0.1:${rig.mockPort}`],
    cpus: rig.cores.subject,
    channel: true,
  });
  const port = await waitForPort(child, START_TIMEOUT_MS);
  return toSubject(child, name, { port, path: PATH, headers: bearer(UPSTREAM_KEY) });
}

export function startBareProxy(rig: RigOptions): Promise<Subject> {
  return startOwnProxy(rig, 'bare', import.meta.resolve('./bare-proxy.ts'));
}

export function startTransportOnly(rig: RigOptions): Promise<Subject> {
  return startOwnProxy(rig, 'transport', import.meta.resolve('./transport-only.ts'));
}

/** Throws with npm's own words when it cannot be installed (no network, for one). */
function installPortkey(directory: string): void {
  if (existsSync(join(directory, 'node_modules', '.package-lock.json'))) return;
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: directory,
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT_MS,
  });
  if (npm.status !== 0) throw new Error(`npm ci in ${directory} failed:\n${npm.stderr}`);
}

export async function startPortkey(rig: RigOptions): Promise<Subject> {
  const directory = join(HERE, 'portkey');
  installPortkey(directory);
  const child = rig.children.start({
    name: 'portkey',
    args: [
      '--import',
      join(directory, 'loopback.mjs'),
      join(directory, 'node_modules/@portkey-ai/gateway/build/start-server.js'),
      '--port=0',
      '--headless',
    ],
    cpus: rig.cores.subject,
    cwd: directory,
    channel: true,
  });
  const port = await waitForPort(child, START_TIMEOUT_MS);
  const headers = {
    ...bearer(UPSTREAM_KEY),
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${rig.mockPort}/v1`,
  };
  return toSubject(child, 'portkey', { port, path: PATH, headers });
}
