/**
 * The owner of the test Postgres: gives databases that are apart, and leaves nothing behind,
 * however its run ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';

import { isAlive } from '#store/embedded-process.node.ts';
import { readDatabaseUrl } from '#store/postgres-address.ts';
import { openPostgres } from '#store/postgres.node.ts';

import { createTestDatabase } from './postgres.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A run that does nothing but start the server, as vitest does, and wait. */
async function startRun(endpoint: string): Promise<{ run: ChildProcess; serverPid: number }> {
  const script = `
    const { spawn } = await import('node:child_process');
    const server = spawn(process.execPath, ['src/testing/postgres-server.ts', ${JSON.stringify(endpoint)}, 'migrations'],
      { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
    console.log(server.pid);
    setInterval(() => undefined, 1000);`;
  const run = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const [line] = await once(createInterface({ input: run.stdout }), 'line');
  return { run, serverPid: Number(line) };
}

async function askForDatabase(endpoint: string): Promise<{ socket: Socket; url: string }> {
  await expect.poll(() => existsSync(endpoint), { timeout: 15_000 }).toBe(true);
  const socket = createConnection(endpoint);
  const [line] = await once(createInterface({ input: socket }), 'line');
  const answer: unknown = JSON.parse(String(line));
  const url: unknown = typeof answer === 'object' && answer !== null && Reflect.get(answer, 'url');
  if (typeof url !== 'string') throw new Error(`no database: ${String(line)}`);
  return { socket, url };
}

describe('createTestDatabase', () => {
  it('gives each caller a migrated, empty database of its own', async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await one.database.run(sql`insert into organizations (id, slug, name) values ('a', 'b', 'c')`);
    const count = sql`select count(*)::int4 as n from organizations`;
    expect(await one.database.run(count)).toEqual([{ n: 1 }]);
    expect(await two.database.run(count)).toEqual([{ n: 0 }]);
    const byUrl = openPostgres({ at: one.url });
    expect(await byUrl.run(count)).toEqual([{ n: 1 }]);
    await byUrl.close();
    await one.drop();
    await two.drop();
    const gone = openPostgres({ at: one.url });
    await expect
      .poll(async () =>
        gone.run(count).then(
          () => 'there',
          () => 'gone',
        ),
      )
      .toBe('gone');
    await gone.close();
  });
});

describe.runIf(process.platform !== 'win32')('the server of a run that ends by', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
    '%s leaves nothing running and nothing on disk',
    async (signal) => {
      const endpoint = join(tmpdir(), `omnix-test-${randomBytes(6).toString('hex')}.sock`);
      const { run, serverPid } = await startRun(endpoint);
      const { socket, url } = await askForDatabase(endpoint);
      const at = readDatabaseUrl(url);
      const socketDirectory = typeof at === 'string' ? '' : at.host;
      expect(existsSync(socketDirectory)).toBe(true);
      process.kill(-(run.pid ?? 0), signal);
      await expect.poll(() => isAlive(serverPid), { timeout: 15_000 }).toBe(false);
      expect(existsSync(socketDirectory)).toBe(false);
      expect(existsSync(endpoint)).toBe(false);
      expect(existsSync(join(tmpdir(), `omnix-test-${serverPid}`))).toBe(false);
      socket.destroy();
    },
  );
});
