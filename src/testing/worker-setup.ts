/** vitest's globalSetup for the tests inside workerd: starts their world (`worker-world.ts`). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

export interface WorkerWorld {
  readonly databaseUrl: string;
  /** `http://127.0.0.1:<port>` */
  readonly upstream: string;
  readonly organizationId: string;
  readonly keys: {
    readonly management: string;
    readonly test: string;
    readonly live: string;
    /** May spend a tenth of a cent. */
    readonly limited: string;
    /** Of another organization, that has hardly any credit. */
    readonly poor: string;
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly workerWorld: WorkerWorld;
  }
}

export const WORKER_SECRET = 'a master secret of the tests';
const LOCAL_POSTGRES = 'CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE';
const WORLD = fileURLToPath(new URL('worker-world.ts', import.meta.url));

function isWorld(value: unknown): value is WorkerWorld {
  return typeof value === 'object' && value !== null && 'databaseUrl' in value;
}

/** Starts it, and returns what stops it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [WORLD], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([once(lines, 'line'), exited.then(() => null)]);
  if (line === null) throw new Error('the world of the worker tests did not come up');
  const world: unknown = JSON.parse(String(line[0]));
  if (!isWorld(world)) throw new Error('the world of the worker tests is not what it should be');
  project.provide('workerWorld', world);
  // Where Hyperdrive leads to in a local runtime.
  process.env[LOCAL_POSTGRES] = world.databaseUrl;
  return async () => {
    child.stdin.end();
    await exited;
  };
}
