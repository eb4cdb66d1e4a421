/**
 * Our gateway as a subject: started as an operator would start it, with every feature on, a data
 * directory of its own, prices, credit and an inference key.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Child } from './children.ts';
import { pin } from './children.ts';
import type { ProcessStat } from './cpu.ts';
import { readAllProcesses, readMemory, sumCpuSeconds, treeOf } from './cpu.ts';
import type { CpuSeconds, RigOptions, Subject } from './subjects.ts';
import { bearer, HERE, START_TIMEOUT_MS } from './subjects.ts';
import { ANSWERS } from './workloads.ts';
import type { Answer } from './workloads.ts';

export interface Omnix {
  readonly subject: Subject;
  /** Drains and stops it, starts it on the same data directory: milliseconds until it is ready. */
  restart(): Promise<number>;
}

const ROOT = join(HERE, '..');
const ENTRY = join(ROOT, 'src/node.ts');
const STOP_GRACE_MS = 40_000;
/** The first start creates the database. */
const FIRST_START_TIMEOUT_MS = 120_000;
const POLL_MS = 5;
const OUTPUT_SHOWN = 2000;
const CREDIT_USD = 900_000;

/** True once there is a gateway to measure. */
export function hasOmnix(): boolean {
  return existsSync(ENTRY);
}

/** The mock as a provider of each dialect: what our provider's type is, and where it stands. */
const MOCKS = {
  openai: { name: 'bench', type: 'openai-compatible', root: '/v1' },
  anthropic: { name: 'bench-anthropic', type: 'anthropic', root: '' },
  gemini: { name: 'bench-gemini', type: 'gemini', root: '/v1beta' },
} as const;

function toConfig(mockPort: number): string {
  const answers: readonly (readonly [string, Answer])[] = Object.entries(ANSWERS);
  const models = answers.map(([model, { dialect }]) =>
    [
      `  ${model}:`,
      '    context: 1000000',
      '    max_output: 16000',
      '    endpoints:',
      `      - { provider: ${MOCKS[dialect ?? 'openai'].name}, model: ${model},`,
      '          price: { input: "0.15", output: "0.60" } }',
    ].join('\n'),
  );
  const providers = Object.values(MOCKS).flatMap(({ name, type, root }) => [
    `  ${name}:`,
    `    type: ${type}`,
    `    base_url: http://127.0.0.1:${mockPort}${root}`,
    '    api_key: sk-upstream-of-the-benchmark',
  ]);
  return ['providers:', ...providers, 'models:', ...models, ''].join('\n');
}

function createManagementKey(): string {
  const made = spawnSync(process.execPath, [join(ROOT, 'src/cli/key.ts'), 'mgmt'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const key = /sk-omx-mgmt-\S+/.exec(made.stdout)?.[0];
  if (key === undefined) throw new Error(`no management key was made:\n${made.stderr}`);
  return key;
}

/** A port that was free a moment ago: the gateway is told where to listen. */
function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('no free port'));
      });
    });
  });
}

async function isReady(origin: string): Promise<boolean> {
  try {
    const answer = await fetch(`${origin}/ready`);
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

async function waitUntilReady(child: Child, origin: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isReady(origin))) {
    if (child.exited() || performance.now() > deadline) {
      throw new Error(`the gateway did not become ready:\n${child.output()}`);
    }
    await sleep(POLL_MS);
  }
}

async function call(url: string, key: string, body: object | null): Promise<unknown> {
  const answer = await fetch(url, {
    method: body === null ? 'GET' : 'POST',
    headers: { ...bearer(key), 'content-type': 'application/json' },
    ...(body === null ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

/** What the gateway wrote last explains what it answered. */
async function explained<T>(child: Child, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why}\n${child.output().slice(-OUTPUT_SHOWN)}`, { cause: error });
  }
}

/** Credit that no run can exhaust, and a key without limits. */
async function provision(origin: string, managementKey: string): Promise<string> {
  const grant = { amount_usd: CREDIT_USD, reason: 'benchmark' };
  await call(`${origin}/v1/credits/grants`, managementKey, grant);
  const made = await call(`${origin}/v1/keys`, managementKey, { name: 'benchmark' });
  if (typeof made === 'object' && made !== null && 'key' in made) return String(made.key);
  throw new Error('no inference key was made');
}

async function readServingPid(origin: string, managementKey: string): Promise<number> {
  const health = await call(`${origin}/health`, managementKey, null);
  if (typeof health === 'object' && health !== null && 'pid' in health) return Number(health.pid);
  throw new Error('/health gives no pid');
}

interface Parts {
  readonly own: ProcessStat[];
  readonly postgres: ProcessStat[];
}

/** Everything that the gateway started is its own, but for the embedded database. */
function readParts(rootPid: number): Parts {
  const tree = treeOf(rootPid, readAllProcesses());
  const roots = tree.filter((stat) => stat.name.startsWith('postgres'));
  const postgres = new Set(roots.flatMap((stat) => treeOf(stat.pid, tree).map(({ pid }) => pid)));
  return {
    own: tree.filter((stat) => !postgres.has(stat.pid)),
    postgres: tree.filter((stat) => postgres.has(stat.pid)),
  };
}

/** One run of the gateway; a restart replaces it. */
interface Running {
  readonly child: Child;
  readonly servingPid: number;
}

interface House {
  readonly rig: RigOptions;
  readonly directory: string;
  readonly port: number;
  readonly origin: string;
  readonly managementKey: string;
}

function spawnGateway(house: House): Child {
  return house.rig.children.start({
    name: 'omnix',
    args: [ENTRY],
    cpus: house.rig.cores.subject,
    cwd: ROOT,
    channel: false,
    env: {
      PORT: String(house.port),
      HOST: '127.0.0.1',
      OMNIX_DATA_DIR: join(house.directory, 'data'),
      OMNIX_CONFIG: join(house.directory, 'omnix.yaml'),
      OMNIX_OWNER_KEY: house.managementKey,
    },
  });
}

async function toRunning(house: House, child: Child): Promise<Running> {
  const { rest } = house.rig.cores;
  const servingPid = await readServingPid(house.origin, house.managementKey);
  // The database stands for one on another machine: not on the core that is measured.
  if (rest !== null) for (const { pid } of readParts(child.pid).postgres) pin(pid, rest);
  return { child, servingPid };
}

async function prepare(rig: RigOptions): Promise<House> {
  const directory = mkdtempSync(join(tmpdir(), 'omnix-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  // Where root runs this, the embedded Postgres has a user of its own, who must be able to enter.
  chmodSync(directory, 0o755);
  writeFileSync(join(directory, 'omnix.yaml'), toConfig(rig.mockPort));
  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  return { rig, directory, port, origin, managementKey: createManagementKey() };
}

function readCpu(running: Running): CpuSeconds {
  const parts = readParts(running.child.pid);
  return { own: sumCpuSeconds(parts.own), postgres: sumCpuSeconds(parts.postgres) };
}

export async function startOmnix(rig: RigOptions): Promise<Omnix> {
  const house = await prepare(rig);
  const first = spawnGateway(house);
  await waitUntilReady(first, house.origin, FIRST_START_TIMEOUT_MS);
  const key = await explained(first, provision(house.origin, house.managementKey));
  let running = await toRunning(house, first);
  const lane = { port: house.port, path: '/v1/chat/completions', headers: bearer(key) };
  return {
    subject: {
      name: 'omnix',
      lane: (workload) => ({ ...lane, workload }),
      cpu: () => readCpu(running),
      memory: () => readMemory(running.servingPid),
      stop: () => running.child.stop(STOP_GRACE_MS),
    },
    async restart() {
      await running.child.stop(STOP_GRACE_MS);
      const startedAt = performance.now();
      const child = spawnGateway(house);
      await waitUntilReady(child, house.origin, START_TIMEOUT_MS);
      const readyMs = performance.now() - startedAt;
      running = await toRunning(house, child);
      return readyMs;
    },
  };
}
