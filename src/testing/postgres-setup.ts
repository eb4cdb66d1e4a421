/**
 * vitest's globalSetup: one Postgres for the run, which starts when the first test asks for a
 * database.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where `createTestDatabase` asks for databases. */
    readonly testPostgresEndpoint: string;
  }
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The owner of a test Postgres: where it can be asked for databases, and what stops it. */
export interface PostgresOwner {
  readonly endpoint: string;
  readonly stop: () => Promise<void>;
}

/** Starts it; `tcp`: its databases are on 127.0.0.1 and not on a unix socket. */
export function startPostgresOwner({ tcp }: { readonly tcp: boolean }): PostgresOwner {
  const name = `omnix-test-${randomBytes(6).toString('hex')}`;
  const endpoint =
    process.platform === 'win32' ? String.raw`\\.\pipe\${name}` : join(tmpdir(), `${name}.sock`);
  const server = spawn(
    process.execPath,
    [
      join(ROOT, 'src/testing/postgres-server.ts'),
      endpoint,
      join(ROOT, 'migrations'),
      ...(tcp ? ['tcp'] : []),
    ],
    // Its own session: Ctrl-C reaches it only as the end of its input, so that it can clean up.
    { cwd: ROOT, stdio: ['pipe', 'ignore', 'inherit'], detached: true },
  );
  // Should it be gone already, there is nothing left to end.
  server.stdin.on('error', () => undefined);
  return {
    endpoint,
    stop: async () => {
      if (server.exitCode !== null) return;
      const exited = once(server, 'exit');
      server.stdin.end();
      await exited;
    },
  };
}

/** Starts the owner of the run's Postgres, and returns what stops it. */
export function setup(project: TestProject): () => Promise<void> {
  const { endpoint, stop } = startPostgresOwner({ tcp: false });
  project.provide('testPostgresEndpoint', endpoint);
  return stop;
}
