/** Migrations against a real Postgres: once, together, all or nothing, and never backwards. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts';

import { DatabaseUnavailable, StatementRefused } from './database.ts';
import { migrate, MigrationRefused } from './migrate.node.ts';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

let shared: TestDatabase;
let directory: string;

beforeEach(async () => {
  shared = await createTestDatabase();
  directory = mkdtempSync(join(tmpdir(), 'migrations-test-'));
  cpSync(MIGRATIONS, directory, { recursive: true });
});

afterEach(async () => {
  rmSync(directory, { recursive: true, force: true });
  await shared.drop();
});

/** As if a later version of the code had one more. */
function addMigration(tag: string, source: string): void {
  const file = join(directory, 'meta', '_journal.json');
  const journal = readFileSync(file, 'utf8').replace(
    /\n {2}\]\n\}\s*$/,
    `,\n    { "idx": 99, "version": "7", "when": 1, "tag": "${tag}", "breakpoints": true }\n  ]\n}`,
  );
  writeFileSync(file, journal);
  writeFileSync(join(directory, `${tag}.sql`), source);
}

async function tableExists(name: string): Promise<unknown> {
  const [row] = await shared.database.run(sql`select to_regclass(${name}) is not null as there`);
  return row?.['there'];
}

describe('migrate works', () => {
  it('from nothing, and does nothing the second time', async () => {
    await shared.database.run(sql`drop schema public cascade`);
    await shared.database.run(sql`create schema public`);
    const applied = await migrate(shared.url, directory);
    expect(applied[0]).toBe('0000_initial');
    expect(await tableExists('api_keys')).toBe(true);
    expect(await migrate(shared.url, directory)).toEqual([]);
  });

  it('0003: keeps every record of usage, with its attempt', async () => {
    await shared.database.run(sql`drop schema public cascade`);
    await shared.database.run(sql`create schema public`);
    const file = join(directory, 'meta', '_journal.json');
    const whole = readFileSync(file, 'utf8');
    const end = whole.indexOf(',\n    {\n      "idx": 3,');
    writeFileSync(file, `${whole.slice(0, end)}\n  ]\n}`);
    expect(await migrate(shared.url, directory)).toHaveLength(3);
    await shared.database.run(sql`
      insert into usage_records (id, request_id, organization_id, key_id, book, kind, cost_nano,
        leased_nano, budget_leased_nano, bad_debt_nano, platform_cost_nano, admitted_at, detail)
      select r || ':' || a || ':' || k, r, 'org_a', 'key_a', 'live', k, 5, 0, 0, 0, 0, now(), '{}'
      from (values ('req_1', 12, 'outcome'), ('req_2', 0, 'swept'), ('req_2', 1, 'correction'),
        ('a:b', 3, 'outcome')) v(r, a, k)`);
    writeFileSync(file, whole);
    expect(await migrate(shared.url, directory)).toContain('0003_narrow_usage_records');
    const records = sql`
      select request_id, attempt, kind, cost_nano from usage_records order by request_id, attempt`;
    const rows = await shared.database.run(records);
    expect(rows.map((row) => Object.values(row).join(' '))).toEqual([
      'a:b 3 outcome 5',
      'req_1 12 outcome 5',
      'req_2 0 swept 5',
      'req_2 1 correction 5',
    ]);
  });

  it('once when several start together', async () => {
    addMigration(
      '0099_more',
      'create table more (id int);--> statement-breakpoint\ninsert into more values (1);',
    );
    const applied = await Promise.all(
      Array.from({ length: 5 }, async () => migrate(shared.url, directory)),
    );
    expect(applied.flat()).toEqual(['0099_more']);
    expect(await shared.database.run(sql`select id from more`)).toEqual([{ id: 1 }]);
  });
});

describe('migrate refuses', () => {
  it('a database that a newer version has changed', async () => {
    addMigration('0099_more', 'create table more (id int);');
    await migrate(shared.url, directory);
    const refused = migrate(shared.url, MIGRATIONS);
    await expect(refused).rejects.toThrow(MigrationRefused);
    await expect(refused).rejects.toThrow('newer than this OmniX: it has the migration 0099_more');
  });

  it('a migration that was changed after it had been applied', async () => {
    writeFileSync(join(directory, '0000_initial.sql'), 'select 1;');
    await expect(migrate(shared.url, directory)).rejects.toThrow('0000_initial was changed');
  });

  it('half of a migration: what fails leaves nothing behind', async () => {
    addMigration('0099_more', 'create table more (id int);--> statement-breakpoint\nselect 1/0;');
    await expect(migrate(shared.url, directory)).rejects.toThrow(StatementRefused);
    expect(await tableExists('more')).toBe(false);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['hangs up at once', (socket) => socket.end()],
    ['speaks HTTP', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['says nothing', () => undefined],
  ])('to wait for ever for something that %s', async (_what, answer) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      answer(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const waiting = migrate(`postgres://u:canary@127.0.0.1:${port}/none`, directory, 300);
    await expect(waiting).rejects.toThrow(
      'The database cannot be used: nothing at its address has spoken as a Postgres does within 0.3 s.',
    );
    await expect(waiting).rejects.toThrow(DatabaseUnavailable);
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('silence when the database is away, and names no password', async () => {
    const url = 'postgres://user:canary@127.0.0.1:9/none';
    await expect(migrate(url, directory)).rejects.toThrow(
      /^The database cannot be used(?!.*canary)/,
    );
  });
});
