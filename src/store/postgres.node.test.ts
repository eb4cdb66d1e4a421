/**
 * The adapter against a real Postgres: types, failures in our own words, and no secret in any of
 * them.
 */
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts';

import { type Database, DatabaseUnavailable, StatementRefused } from './database.ts';
import { readDatabaseUrl, toDatabaseUrl } from './postgres-address.ts';
import { openPostgres } from './postgres.node.ts';

// Only watched: the pauses are real.
vi.mock('node:timers/promises', { spy: true });

let shared: TestDatabase;

beforeAll(async () => {
  shared = await createTestDatabase();
});

afterAll(async () => {
  await shared.drop();
});

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it did not fail');
}

/** A server that accepts connections and does with them what the test says. */
async function listen(onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `postgres://canary-user:canary-password@127.0.0.1:${port}/canary`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Far beyond what a busy machine needs, and soon enough for what never comes. */
const PATIENT = { connectTimeoutMs: 15_000, statementTimeoutMs: 15_000, connectionsMax: 2 };
const HASTY = { connectTimeoutMs: 300, statementTimeoutMs: 300, connectionsMax: 2 };
const HASTY_STATEMENTS = { ...PATIENT, statementTimeoutMs: 1_000 };

async function withDatabase(
  at: string,
  use: (database: Database) => Promise<void>,
  limits = PATIENT,
): Promise<void> {
  const database = openPostgres({ at, ...limits });
  try {
    await use(database);
  } finally {
    await database.close();
  }
}

async function asksInVain(database: Database): Promise<void> {
  await expect(database.run(sql`select 1`)).rejects.toThrow(DatabaseUnavailable);
}

describe('run works', () => {
  it('with the forms that rows are promised in', async () => {
    const rows = await shared.database.run(sql`
      select 9007199254740993::int8 as big, 7::int4 as small, 0.1::numeric as exact, true as yes,
        '{"a":[1,"x"]}'::jsonb as json, null as nothing, 'ä😀' as text, '\\x00ff'::bytea as bytes,
        '2026-03-29 01:30:00.123456+00'::timestamptz as instant, '2026-03-29'::date as day`);
    expect(rows).toEqual([
      {
        big: '9007199254740993',
        small: 7,
        exact: '0.1',
        yes: true,
        json: { a: [1, 'x'] },
        nothing: null,
        text: 'ä😀',
        bytes: new Uint8Array([0, 255]),
        instant: '2026-03-29T01:30:00.123Z',
        day: '2026-03-29',
      },
    ]);
  });

  it('plans a repeated statement once per connection', async () => {
    await withDatabase(shared.url, async (database) => {
      const statement = (value: number) => sql`select ${value}::int4 as n`;
      for (let value = 0; value < 5; value += 1) await database.run(statement(value));
      const rows = await database.run(sql`
        select count(*)::int4 as n from pg_prepared_statements where statement like '%::int4 as n' and ${true}`);
      expect(rows).toEqual([{ n: 1 }]);
    });
  });

  it('for more statements at once than it has connections', async () => {
    const values = Array.from({ length: 200 }, (_, index) => index);
    const rows = await Promise.all(
      values.map(async (value) => shared.database.run(sql`select ${value}::int4 as n`)),
    );
    expect(rows.map(([row]) => row?.['n'])).toEqual(values);
  });

  it('again after the server ended every connection', async () => {
    await withDatabase(shared.url, async (database) => {
      await database.run(sql`select 1`);
      await shared.database.run(sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`);
      await expect
        .poll(async () => database.run(sql`select 1 as one`).catch(() => []))
        .toEqual([{ one: 1 }]);
    });
  });
});

describe('run refuses a bad statement', () => {
  it.each([
    [sql`select 1/0 as n`, '22012'],
    [sql`select * from no_such_table where ${1}::int4 = 1`, '42P01'],
    [
      sql`insert into organizations (id, slug, name) values ('a', 'canary', 'b'), ('c', 'canary', 'd')`,
      '23505',
    ],
  ])('with its code and without its values (%#)', async (statement, code) => {
    const error = await failureOf(shared.database.run(statement));
    expect(error).toBeInstanceOf(StatementRefused);
    expect(error).toMatchObject({ code });
    expect(inspect(error, { showHidden: true, depth: 5 })).not.toContain('canary');
  });

  it('naming the constraint', async () => {
    const insert = sql`insert into organizations (id, slug, name) values ('o', 's', 'n'), ('o', 't', 'n')`;
    expect(await failureOf(shared.database.run(insert))).toMatchObject({
      constraint: 'organizations_pkey',
    });
  });
});

describe('run says unavailable', () => {
  it('promise 23: when nothing listens, without a pause however often it is asked', async () => {
    const gone = await listen(() => undefined);
    gone.close();
    for (const url of [gone.url, 'postgres://u:p@/d?host=/no/such/dir']) {
      await withDatabase(url, async (database) => {
        vi.mocked(sleep).mockClear();
        for (let asked = 0; asked < 6; asked += 1) await asksInVain(database);
        await Promise.all(Array.from({ length: 6 }, async () => asksInVain(database)));
        expect(sleep).not.toHaveBeenCalled();
      });
    }
  });

  it('when nothing listens at any of several hosts, and asks them ever more slowly', async () => {
    const gone = await listen(() => undefined);
    gone.close();
    const { port } = new URL(gone.url);
    const url = gone.url.replace('@', `@127.0.0.1:${port},`);
    const pauses = async (database: Database): Promise<void> => {
      vi.mocked(sleep).mockClear();
      await asksInVain(database);
      expect(vi.mocked(sleep).mock.calls.slice(0, 3)).toEqual([[20], [40], [80]]);
    };
    await withDatabase(url, pauses, { ...HASTY, connectTimeoutMs: 1_000 });
  });

  it('when the server hangs, hangs up or talks nonsense', async () => {
    const servers = await Promise.all([
      listen(() => undefined),
      listen((socket) => socket.destroy()),
      listen((socket) => socket.end()),
    ]);
    for (const { url, close } of servers) {
      await withDatabase(url, asksInVain, HASTY);
      close();
    }
  });

  it('when the server hangs up at once, and asks it ever more slowly', async () => {
    let connections = 0;
    const server = await listen((socket) => {
      connections += 1;
      socket.end();
    });
    await withDatabase(server.url, asksInVain, { ...HASTY, connectTimeoutMs: 1_000 });
    server.close();
    expect(connections).toBeGreaterThan(1);
    // Pauses of 20, 40, 80 ... ms: without them it is some hundred.
    expect(connections).toBeLessThan(10);
  });

  it('when the host or the socket does not exist', async () => {
    for (const url of [
      'postgres://u:p@no-such-host.invalid/d',
      'postgres://u:p@/d?host=/no/such/dir',
    ]) {
      await withDatabase(url, asksInVain, HASTY);
    }
  });

  it('when a statement takes too long: promise 35, statement_timeout', async () => {
    const sleeps = async (database: Database): Promise<void> => {
      const error = await failureOf(database.run(sql`select pg_sleep(60)`));
      expect(error).toBeInstanceOf(DatabaseUnavailable);
      expect(error.message).toContain('57014');
      expect(await database.run(sql`select 1 as one`)).toEqual([{ one: 1 }]);
    };
    await withDatabase(shared.url, sleeps, HASTY_STATEMENTS);
  });

  it('when the server ends the connection in the middle of a statement', async () => {
    await withDatabase(shared.url, async (database) => {
      const running = failureOf(database.run(sql`select pg_sleep(60) as victim`));
      const kill = sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where query like '%as victim%' and pid <> pg_backend_pid() and state = 'active'`;
      await expect.poll(async () => (await shared.database.run(kill)).length).toBeGreaterThan(0);
      expect(await running).toBeInstanceOf(DatabaseUnavailable);
    });
  });

  it('when it accepts no writes', async () => {
    const [row] = await shared.database.run(sql`select current_database() as name`);
    const name = sql.identifier(String(row?.['name']));
    await shared.database.run(sql`alter database ${name} set default_transaction_read_only = on`);
    await withDatabase(shared.url, async (database) => {
      const insert = sql`insert into organizations (id, slug, name) values ('r', 'r', 'r')`;
      expect(await failureOf(database.run(insert))).toMatchObject({
        name: 'DatabaseUnavailable',
        message: expect.stringContaining('25006'),
      });
    });
    await shared.database.run(sql`alter database ${name} reset default_transaction_read_only`);
  });

  it('when it is closed', async () => {
    const database = openPostgres({ at: shared.url });
    await database.close();
    await expect(database.run(sql`select 1`)).rejects.toThrow(DatabaseUnavailable);
  });

  it('promise 34: without user, password, host or statement in any of it', async () => {
    const hung = await listen((socket) => socket.destroy());
    const wrong = shared.url.replace(/:[^:@]+@/, ':canary-password@');
    for (const url of [
      hung.url,
      wrong,
      'postgres://canary-user:canary-password@canary.invalid/canary',
    ]) {
      const fails = async (database: Database): Promise<void> => {
        const error = await failureOf(database.run(sql`select ${'canary-value'}::text as canary`));
        expect(error).toBeInstanceOf(DatabaseUnavailable);
        expect(inspect(error, { showHidden: true, depth: 9 }).replace(/at .*/g, '')).not.toContain(
          'canary',
        );
      };
      await withDatabase(url, fails, HASTY);
    }
    hung.close();
  });
});

describe('a connection with TLS', () => {
  it('says which host it means: one address serves many databases', async () => {
    const hello = Promise.withResolvers<string>();
    const server = await listen((socket) => {
      // Postgres's way: asked for TLS, the server says S, and the client begins with it.
      socket.once('data', () => {
        socket.write('S');
        socket.once('data', (bytes) => hello.resolve(bytes.toString('latin1')));
      });
    });
    const url = `${server.url.replace('127.0.0.1', 'localhost')}?sslmode=require`;
    await withDatabase(url, asksInVain, { ...HASTY, connectTimeoutMs: 1_000 });
    expect(await hello.promise).toContain('localhost');
    server.close();
  });
});

describe('a connection that died without a word', () => {
  it('is given up at the deadline, and the next statement gets a new one', async () => {
    // A way through that can be cut so that neither side notices.
    const state = { deaf: false };
    const at = readDatabaseUrl(shared.url);
    if (typeof at === 'string') throw new Error('the test Postgres has no socket');
    const relay = await listen((socket) => {
      const server = createConnection(`${at.host}/.s.PGSQL.${at.port}`);
      const deaf = () => state.deaf;
      const dead = { yes: false };
      const pass = (to: Socket) => (bytes: Buffer) => {
        dead.yes ||= deaf();
        if (!dead.yes) to.write(bytes);
      };
      socket.on('data', pass(server));
      server.on('data', pass(socket));
      server.on('error', () => undefined);
      socket.on('close', () => server.destroy());
    });
    const port = Number(new URL(relay.url).port);
    const url = toDatabaseUrl({ ...at, host: '127.0.0.1', port });
    const outlives = async (database: Database): Promise<void> => {
      expect(await database.run(sql`select 1 as one`)).toEqual([{ one: 1 }]);
      state.deaf = true;
      await expect(database.run(sql`select 2`)).rejects.toThrow(DatabaseUnavailable);
      state.deaf = false;
      expect(await database.run(sql`select 3 as three`)).toEqual([{ three: 3 }]);
    };
    await withDatabase(url, outlives, HASTY_STATEMENTS);
    relay.close();
  });
});
