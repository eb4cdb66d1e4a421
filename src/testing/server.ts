/**
 * The real program as a child process: its own port, its own data directory with its own Postgres,
 * and the means to ask it, to stop it and to kill it. What a test starts here leaves nothing
 * behind.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { isAlive } from '#store/embedded-process.node.ts';

import { refusedPort, untilTrue } from './fake-upstream.ts';
import { at, numberOf, objectOf, parse, stringOf, type JsonObject } from './recordings-json.ts';

export interface ServerOptions {
  /** The content of the config file (contract.md, "Config file"). */
  readonly config?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  /** A directory of an earlier server; without it a new one, removed on dispose. */
  readonly dataDir?: string;
  /** The runtime and its arguments; Node without it. */
  readonly runtime?: readonly string[];
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where the body is not JSON. */
  readonly json: unknown;
}

export interface ApiCall {
  readonly method?: string;
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Dollars. */
export interface Credits {
  readonly total_credits: number;
  readonly total_usage: number;
  readonly held: number;
  readonly available: number;
}

export interface TestServer {
  readonly port: number;
  /** Without a path. */
  readonly url: string;
  /** What goes into a client's base URL. */
  readonly baseUrl: string;
  readonly managementKey: string;
  readonly dataDir: string;
  pid(): number;
  /** Everything that it wrote so far, both streams, over all its starts. */
  output(): string;
  /** `key` defaults to the management key. */
  call(path: string, call?: ApiCall): Promise<ApiAnswer>;
  createKey(fields?: JsonObject): Promise<{ readonly key: string; readonly id: string }>;
  grant(amountUsd: string): Promise<void>;
  credits(): Promise<Credits>;
  /** The receipt's `data`, as soon as it is there; rejects after a second. */
  receipt(generationId: string): Promise<JsonObject>;
  /** SIGKILL to the serving process alone. */
  kill9(): Promise<void>;
  /** SIGKILL to the process group and to all descendants, Postgres among them. */
  killGroup9(): Promise<void>;
  /** SIGTERM, then waits; the exit code. */
  terminate(): Promise<number | null>;
  /** Starts it again on the same port and directory. The process must be gone. */
  restart(): Promise<void>;
  dispose(): Promise<void>;
}

interface Running {
  child: ChildProcess;
  exited: Promise<void>;
}

interface Setting {
  readonly port: number;
  readonly home: string;
  readonly dataDir: string;
  readonly managementKey: string;
  readonly env: Readonly<Record<string, string>>;
  readonly output: string[];
  readonly runtime: readonly string[];
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 25;
const RECEIPT_WITHIN_MS = 1_000;
const RECEIPT_POLL_MS = 25;
const DISPOSE_TIMEOUT_MS = 15_000;

/** Starts the program and waits until it is ready. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const setting = await prepare(options);
  const running = await launch(setting).catch(async (error: unknown) => {
    await clean(setting, options);
    throw error;
  });
  const url = `http://127.0.0.1:${setting.port}`;
  const call = (path: string, what: ApiCall = {}) =>
    callApi(`${url}${path}`, { key: setting.managementKey, ...what });
  return {
    port: setting.port,
    url,
    baseUrl: `${url}/v1`,
    managementKey: setting.managementKey,
    dataDir: setting.dataDir,
    pid: () => pidOf(running.child),
    output: () => setting.output.join(''),
    call,
    ...money(call),
    kill9: async () => {
      running.child.kill('SIGKILL');
      await running.exited;
    },
    killGroup9: async () => {
      killTree(pidOf(running.child));
      await running.exited;
    },
    terminate: async () => {
      running.child.kill('SIGTERM');
      await running.exited;
      return running.child.exitCode;
    },
    restart: async () => {
      const next = await launch(setting);
      running.child = next.child;
      running.exited = next.exited;
    },
    dispose: async () => {
      await stop(running);
      await clean(setting, options);
    },
  };
}

async function prepare(options: ServerOptions): Promise<Setting> {
  const managementKey = makeManagementKey();
  const home = mkdtempSync(join(tmpdir(), 'omnix-'));
  // Postgres runs as another user where the tests run as root, and must reach its directory.
  chmodSync(home, 0o755);
  const configPath = join(home, 'omnix.json');
  writeFileSync(configPath, JSON.stringify(options.config ?? {}));
  const dataDir = options.dataDir ?? join(home, 'data');
  const port = await refusedPort();
  const env = {
    ...inherited(),
    PORT: String(port),
    HOST: '127.0.0.1',
    OMNIX_DATA_DIR: dataDir,
    OMNIX_CONFIG: configPath,
    OMNIX_OWNER_KEY: managementKey,
    ...options.env,
  };
  const { runtime = [process.execPath] } = options;
  return { port, home, dataDir, managementKey, env, output: [], runtime };
}

/**
 * What a process needs of this machine, without the provider credentials that may stand beside it.
 */
function inherited(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'LANG', 'USER']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

function makeManagementKey(): string {
  const made = spawnSync(process.execPath, ['src/cli/key.ts', 'mgmt'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const key = /sk-omx-mgmt-\S+/.exec(made.stdout ?? '')?.[0];
  if (key === undefined)
    throw new Error(`src/cli/key.ts printed no key: ${made.stdout}${made.stderr}`);
  return key;
}

async function launch(setting: Setting): Promise<Running> {
  const [program = '', ...more] = setting.runtime;
  const child = spawn(program, [...more, 'src/node.ts'], {
    cwd: ROOT,
    env: setting.env,
    // A group of its own, so that the whole group can be killed and the test cannot.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit').then(() => undefined);
  const keep = (piece: Buffer) => void setting.output.push(piece.toString('utf8'));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const orphan = () => {
    if (child.exitCode === null && child.signalCode === null) killTree(pidOf(child));
  };
  process.once('exit', orphan);
  child.once('exit', () => process.removeListener('exit', orphan));
  await untilReady(setting, child);
  return { child, exited };
}

async function untilReady(setting: Setting, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the server exited at start:\n${setting.output.join('')}`);
    }
    const status = await fetch(`http://127.0.0.1:${setting.port}/ready`).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    if (status === 200) return;
    if (performance.now() > deadline) {
      killTree(pidOf(child));
      throw new Error(`the server is not ready (/ready: ${status}):\n${setting.output.join('')}`);
    }
    await delay(READY_POLL_MS);
  }
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the server did not start');
  return child.pid;
}

async function callApi(url: string, call: ApiCall): Promise<ApiAnswer> {
  const response = await fetch(url, {
    method: call.method ?? (call.body === undefined ? 'GET' : 'POST'),
    headers: {
      authorization: `Bearer ${call.key ?? ''}`,
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
    },
    body: call.body === undefined ? null : JSON.stringify(call.body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

type Caller = (path: string, call?: ApiCall) => Promise<ApiAnswer>;

function money(call: Caller): Pick<TestServer, 'createKey' | 'grant' | 'credits' | 'receipt'> {
  return {
    createKey: async (fields = {}) => {
      const answer = await call('/v1/keys', { body: { name: 'test', ...fields } });
      const key = stringOf(at(answer.json, 'key'));
      if (key === '') throw new Error(`POST /v1/keys: ${answer.status} ${answer.text}`);
      return { key, id: stringOf(at(answer.json, 'data', 'hash')) };
    },
    grant: async (amountUsd) => {
      const body = { amount_usd: amountUsd, reason: 'test' };
      const answer = await call('/v1/credits/grants', { body });
      if (answer.status >= 300) throw new Error(`grant: ${answer.status} ${answer.text}`);
    },
    credits: async () => {
      const answer = await call('/v1/credits');
      return {
        total_credits: dollars(answer, 'total_credits'),
        total_usage: dollars(answer, 'total_usage'),
        held: dollars(answer, 'held'),
        available: dollars(answer, 'available'),
      };
    },
    receipt: async (generationId) => {
      const deadline = performance.now() + RECEIPT_WITHIN_MS;
      for (;;) {
        const answer = await call(`/v1/generation?id=${generationId}`);
        if (answer.status === 200) return objectOf(at(answer.json, 'data'));
        if (performance.now() > deadline) {
          throw new Error(`no receipt of ${generationId}: ${answer.status} ${answer.text}`);
        }
        await delay(RECEIPT_POLL_MS);
      }
    },
  };
}

function dollars(answer: ApiAnswer, name: keyof Credits): number {
  const amount = numberOf(at(answer.json, 'data', name));
  if (amount === null) throw new Error(`credits without ${name}: ${answer.status} ${answer.text}`);
  return amount;
}

/** SIGKILL to a process, its group, and everything below it. */
function killTree(pid: number): void {
  const victims = [...descendantsOf(pid)];
  sendQuietly(-pid, 'SIGKILL');
  sendQuietly(pid, 'SIGKILL');
  for (const victim of victims) sendQuietly(victim, 'SIGKILL');
}

function sendQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already, which is what the signal was for.
  }
}

/** Every process below `root`, read from `ps`, which Linux and macOS share. */
function descendantsOf(root: number): Set<number> {
  const listing = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).stdout;
  const pairs = listing
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = new Set<number>();
  let before = -1;
  while (found.size !== before) {
    before = found.size;
    for (const [pid = 0, parent = 0] of pairs) {
      if (parent === root || found.has(parent)) found.add(pid);
    }
  }
  return found;
}

async function stop(running: Running): Promise<void> {
  const { child } = running;
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const late = Symbol('late');
  const first = await Promise.race([running.exited, delay(DISPOSE_TIMEOUT_MS, late)]);
  if (first !== late) return;
  killTree(pidOf(child));
  await running.exited;
}

/** Leaves nothing of a server that is down, but a data directory that somebody else gave it. */
async function clean(setting: Setting, options: ServerOptions): Promise<void> {
  await stopOrphanedPostgres(setting.dataDir);
  rmSync(setting.home, { recursive: true, force: true });
  if (options.dataDir === undefined) rmSync(setting.dataDir, { recursive: true, force: true });
}

/**
 * A postmaster outlives a server that was killed; it is ours if it says that it runs in our
 * directory.
 */
async function stopOrphanedPostgres(dataDir: string): Promise<void> {
  for (const pidFile of findPidFiles(dataDir)) {
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    const [line = '', directory = '', , , sockets = ''] = lines;
    const pid = Number(line);
    if (!Number.isInteger(pid) || pid <= 1 || !directory.startsWith(dataDir)) continue;
    sendQuietly(pid, 'SIGINT');
    await untilTrue('Postgres stops', () => !isAlive(pid), DISPOSE_TIMEOUT_MS);
    if (sockets.startsWith(join(tmpdir(), 'omnix-')))
      rmSync(sockets, { recursive: true, force: true });
  }
}

function findPidFiles(dataDir: string): string[] {
  if (!existsSync(dataDir)) return [];
  return readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('postmaster.pid'))
    .map((name) => join(dataDir, name));
}
