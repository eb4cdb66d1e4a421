/** `npm run dev:worker` for a test: the Worker in Cloudflare's runtime, on a port of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { refusedPort } from './fake-upstream.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 100;

export interface DevWorker {
  /** Without a path. */
  readonly url: string;
  /** What it has printed so far, the keys of the first start among it. */
  output(): string;
  /** The exit code. */
  stop(): Promise<number | null>;
  dispose(): Promise<void>;
}

/** Ready when it resolves. `config` is the content of the config file. */
export async function startDevWorker(config: unknown = {}): Promise<DevWorker> {
  const directory = mkdtempSync(join(tmpdir(), 'omnix-dev-worker-'));
  // Postgres runs as another user where the tests run as root, and must reach its directory.
  chmodSync(directory, 0o755);
  const configPath = join(directory, 'omnix.json');
  writeFileSync(configPath, JSON.stringify(config));
  const port = String(await refusedPort());
  const child = spawn(process.execPath, ['scripts/dev-worker.ts', '--port', port], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      OMNIX_DATA_DIR: join(directory, 'data'),
      OMNIX_CONFIG: configPath,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  child.stdout.on('data', (piece: Buffer) => void output.push(piece.toString()));
  child.stderr.on('data', (piece: Buffer) => void output.push(piece.toString()));
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  const worker: DevWorker = {
    url,
    output: () => output.join(''),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
    dispose: async () => {
      if (child.exitCode === null) await worker.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  const deadline = performance.now() + READY_WITHIN_MS;
  while ((await fetch(`${url}/ready`).catch(() => null))?.ok !== true) {
    if (performance.now() > deadline || child.exitCode !== null) {
      await worker.dispose();
      throw new Error(`the Worker did not start:\n${worker.output()}`);
    }
    await delay(READY_POLL_MS);
  }
  return worker;
}
