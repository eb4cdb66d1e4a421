/** The embedded Postgres as processes: first start, restart, orphans, kills, refusals. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { silentLog } from '#base/log.ts';

import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.node.ts';
import { isAlive, readPostmasterFile, waitUntil } from './embedded-process.node.ts';
import { choosePostgresUser } from './embedded-user.node.ts';
import { watchEmbeddedPostgres } from './embedded-watch.node.ts';
import { openPostgres } from './postgres.node.ts';

const FIRST_START_MS_MAX = 10_000;
const LATER_START_MS_MAX = 3000;
const IS_ROOT = process.getuid?.() === 0;

/** Namespaces of its own, as a container has, where this machine lets us. */
const CONTAINER = ['-n', '-i', '-m', '-p', '-f', '--mount-proc', '--kill-child'];
const CAN_UNSHARE = spawnSync('unshare', [...CONTAINER, 'true']).status === 0;

let root: string;
let directory: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'embedded-test-'));
  chmodSync(root, 0o755);
  directory = join(root, 'postgres');
});

afterEach(() => {
  for (const name of readdirSync(root)) {
    const pid = readPostmasterFile(join(root, name, 'data'))?.pid;
    if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
  rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

async function query(postgres: EmbeddedPostgres, statement: string): Promise<readonly unknown[]> {
  const database = openPostgres({ at: postgres.address });
  try {
    return await database.run(sql.raw(statement));
  } finally {
    await database.close();
  }
}

/** A program that starts one, says the postmaster's pid and lives on. */
function starter(): readonly string[] {
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(new URL('embedded-postgres.node.ts', import.meta.url).href)});
    const postgres = await startEmbeddedPostgres({ directory: ${JSON.stringify(directory)} });
    console.log(postgres.pid);
    setInterval(() => undefined, 1000);`;
  return ['--input-type=module', '-e', script];
}

/** Starts one in a process of its own, which is then killed -9. Returns the postmaster's pid. */
async function abandonOne(): Promise<number> {
  const parent = spawn(process.execPath, starter(), {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const [line] = await once(createInterface({ input: parent.stdout }), 'line');
  const exited = once(parent, 'exit');
  process.kill(-(parent.pid ?? 0), 'SIGKILL');
  await exited;
  return Number(line);
}

/** The number by which a process in another namespace knows itself. */
function namespacePid(pid: number): number {
  const [, numbers = ''] = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(numbers.trim().split(/\s+/).at(-1));
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

describe('it works', () => {
  it('from nothing, and again with what was written', async () => {
    const begun = performance.now();
    const first = await startEmbeddedPostgres({ directory });
    expect(performance.now() - begun).toBeLessThan(FIRST_START_MS_MAX);
    await query(first, "create table kept as select 'ä' as text");
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const again = performance.now();
    const second = await startEmbeddedPostgres({ directory });
    expect(performance.now() - again).toBeLessThan(LATER_START_MS_MAX);
    expect(second.adopted).toBe(false);
    expect(await query(second, 'select text from kept')).toEqual([{ text: 'ä' }]);
    await second.stop();
  });

  it('with settings that lose nothing, and in private', async () => {
    const postgres = await startEmbeddedPostgres({ directory });
    const settings = await query(
      postgres,
      `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes',
        'data_checksums', 'listen_addresses', 'server_encoding', 'password_encryption') order by name`,
    );
    expect(settings).toEqual([
      { name: 'data_checksums', setting: 'on' },
      { name: 'fsync', setting: 'on' },
      { name: 'full_page_writes', setting: 'on' },
      { name: 'listen_addresses', setting: '' },
      { name: 'password_encryption', setting: 'scram-sha-256' },
      { name: 'server_encoding', setting: 'UTF8' },
      { name: 'synchronous_commit', setting: 'on' },
    ]);
    expect(statSync(directory).mode & 0o077).toBe(0);
    expect(statSync(join(directory, 'password')).mode & 0o077).toBe(0);
    expect(statSync(postgres.address.host).mode & 0o077).toBe(0);
    const at = { ...postgres.address, password: 'wrong' };
    const stranger = openPostgres({ at });
    await expect(stranger.run(sql`select 1`)).rejects.toThrow(
      'does not accept our user or password',
    );
    await stranger.close();
    await postgres.stop();
    expect(existsSync(postgres.address.host)).toBe(false);
  });

  it('twice side by side', async () => {
    const [one, two] = await Promise.all([
      startEmbeddedPostgres({ directory }),
      startEmbeddedPostgres({ directory: join(root, 'other') }),
    ]);
    expect(one.address.host).not.toBe(two.address.host);
    expect(one.address.password).not.toBe(two.address.password);
    await query(one, 'create table here as select 1');
    await expect(query(two, 'select * from here')).rejects.toThrow('42P01');
    await Promise.all([one.stop(), two.stop()]);
  });

  it('over TCP where it is asked to', async () => {
    const postgres = await startEmbeddedPostgres({ directory, tcp: true, durable: false });
    expect(postgres.address.host).toBe('127.0.0.1');
    expect(await query(postgres, 'select 1 as one')).toEqual([{ one: 1 }]);
    await postgres.stop();
  });
});

describe('after a kill -9', () => {
  it('of its parent it is adopted as it is, and what that parent left running is ended', async () => {
    const pid = await abandonOne();
    expect(isAlive(pid)).toBe(true);
    const postgres = await startEmbeddedPostgres({ directory });
    expect(postgres.adopted).toBe(true);
    expect(postgres.pid).toBe(pid);
    const busy = openPostgres({ at: postgres.address });
    const left = busy.run(sql`select pg_sleep(60)`).then(
      () => 'ran to its end',
      (error: unknown) => (error instanceof Error ? error.name : 'failed'),
    );
    await expect
      .poll(async () =>
        query(
          postgres,
          "select 1 from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()",
        ),
      )
      .toHaveLength(1);
    const again = await startEmbeddedPostgres({ directory });
    expect(again.pid).toBe(pid);
    expect(await left).toBe('DatabaseUnavailable');
    await busy.close();
    await again.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('of its parent it is stopped and started anew when it should run otherwise', async () => {
    const pid = await abandonOne();
    const postgres = await startEmbeddedPostgres({ directory, tcp: true });
    expect(postgres.adopted).toBe(false);
    expect(isAlive(pid)).toBe(false);
    await postgres.stop();
  });

  it.runIf(process.platform === 'linux')(
    'of itself and all its children it starts with all that was committed',
    async () => {
      const first = await startEmbeddedPostgres({ directory });
      await query(first, 'create table kept as select 1 as one');
      for (const pid of [first.pid, ...childrenOf(first.pid)]) process.kill(pid, 'SIGKILL');
      const second = await startEmbeddedPostgres({ directory });
      expect(await query(second, 'select one from kept')).toEqual([{ one: 1 }]);
      await second.stop();
    },
  );

  it('of itself alone it starts as soon as its children are gone', async () => {
    const first = await startEmbeddedPostgres({ directory });
    const database = openPostgres({ at: first.address });
    await database.run(sql`create table kept as select 1 as one`);
    process.kill(first.pid, 'SIGKILL');
    const second = await startEmbeddedPostgres({ directory });
    expect(await query(second, 'select one from kept')).toEqual([{ one: 1 }]);
    await database.close();
    await second.stop();
  });

  it('a pid file that names a stranger is no obstacle, and the stranger is left alone', async () => {
    const first = await startEmbeddedPostgres({ directory });
    await first.stop();
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore' });
    const file = join(directory, 'data', 'postmaster.pid');
    const lines = `${stranger.pid}\n${directory}/data\n1\n5432\n/tmp\n\n  1 1\nready   \n`;
    mkdirSync(first.address.host, { mode: 0o700 });
    const user = statSync(join(directory, 'data'));
    chownSync(first.address.host, user.uid, user.gid);
    for (const place of [first.address.host, join(directory, 'data')]) {
      writeFileSync(join(place, '.s.PGSQL.5432.lock'), lines);
    }
    writeFileSync(file, lines);
    const second = await startEmbeddedPostgres({ directory });
    expect(second.adopted).toBe(false);
    expect(isAlive(stranger.pid ?? 0)).toBe(true);
    stranger.kill();
    await second.stop();
  });

  it('of itself it is started again at the same address, also when its socket was cleared away', async () => {
    const postgres = await startEmbeddedPostgres({ directory });
    await query(postgres, 'create table kept as select 1 as one');
    const { address, pid } = postgres;
    const watch = watchEmbeddedPostgres(postgres, silentLog);
    process.kill(pid, 'SIGKILL');
    rmSync(address.host, { recursive: true });
    await expect.poll(() => postgres.pid).not.toBe(pid);
    const database = openPostgres({ at: address });
    expect(await database.run(sql`select one from kept`)).toEqual([{ one: 1 }]);
    process.kill(postgres.pid, 'SIGKILL');
    // The same pool: what is asked while it is away waits for it.
    await expect
      .poll(() => database.run(sql`select one from kept`).catch(() => null))
      .not.toBeNull();
    await database.close();
    await watch.stop();
    expect(isAlive(postgres.pid)).toBe(false);
    expect(existsSync(address.host)).toBe(false);
  });

  it('of itself it is started again over TCP, and an adopted one too', async () => {
    const first = await startEmbeddedPostgres({ directory, tcp: true });
    const postgres = await startEmbeddedPostgres({ directory, tcp: true });
    expect(postgres.adopted).toBe(true);
    const watch = watchEmbeddedPostgres(postgres, silentLog);
    process.kill(first.pid, 'SIGKILL');
    await expect.poll(() => postgres.pid).not.toBe(first.pid);
    expect(await query(postgres, 'select 1 as one')).toEqual([{ one: 1 }]);
    await watch.stop();
    expect(isAlive(postgres.pid)).toBe(false);
  });

  it('of itself and while it cannot start it is tried again, until it can or is not wanted', async () => {
    const postgres = await startEmbeddedPostgres({ directory });
    const events: string[] = [];
    const watch = watchEmbeddedPostgres(postgres, { write: (_level, event) => events.push(event) });
    const control = join(directory, 'data', 'global', 'pg_control');
    renameSync(control, `${control}.away`);
    process.kill(postgres.pid, 'SIGKILL');
    await expect.poll(() => events).toContain('embedded_postgres_restart_failed');
    renameSync(`${control}.away`, control);
    await expect.poll(() => events).toContain('embedded_postgres_restarted');
    expect(await query(postgres, 'select 1 as one')).toEqual([{ one: 1 }]);
    renameSync(control, `${control}.away`);
    process.kill(postgres.pid, 'SIGKILL');
    await expect.poll(() => events.filter((event) => event.endsWith('ended'))).toHaveLength(2);
    await watch.stop();
    expect(isAlive(postgres.pid)).toBe(false);
  });

  it.runIf(CAN_UNSHARE)(
    'of its parent in another container it is not started a second time, until it is gone there',
    async () => {
      // The shell is the container's first process, with which all others end.
      const shell = ['sh', '-c', 'n=$1; shift; "$n" "$@" & echo $!; wait; sleep 600', 'sh'];
      const container = spawn('unshare', [...CONTAINER, ...shell, process.execPath, ...starter()], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines = createInterface({ input: container.stdout })[Symbol.asyncIterator]();
      const parent = Number((await lines.next()).value);
      const pid = Number((await lines.next()).value);
      const inside = childrenOf(childrenOf(container.pid ?? 0)[0] ?? 0);
      const node = inside.find((candidate) => namespacePid(candidate) === parent) ?? 0;
      const away = once(container, 'exit');
      try {
        process.kill(node, 'SIGKILL');
        expect(readPostmasterFile(join(directory, 'data'))?.pid).toBe(pid);
        await expect(startEmbeddedPostgres({ directory })).rejects.toThrow(
          /still runs in another container.*OMNIX_DATA_DIR/,
        );
        expect(readPostmasterFile(join(directory, 'data'))?.pid).toBe(pid);
      } finally {
        container.kill('SIGKILL');
        await away;
      }
      const postgres = await startEmbeddedPostgres({ directory });
      expect(await query(postgres, 'select 1 as one')).toEqual([{ one: 1 }]);
      await postgres.stop();
    },
  );

  it('during initdb leaves nothing that is taken for a database', async () => {
    mkdirSync(join(directory, 'data.new', 'base'), { recursive: true });
    writeFileSync(join(directory, 'data.new', 'PG_VERSION'), '18\n');
    const postgres = await startEmbeddedPostgres({ directory });
    expect(await query(postgres, 'select 1 as one')).toEqual([{ one: 1 }]);
    await postgres.stop();
  });
});

describe('it refuses', () => {
  it.runIf(IS_ROOT)(
    'a directory that its user cannot reach, naming both and the way out',
    async () => {
      chmodSync(root, 0o700);
      const user = choosePostgresUser(join(directory, 'data'))?.name ?? '';
      await expect(startEmbeddedPostgres({ directory })).rejects.toThrow(
        new RegExp(`"${user}".*may not enter ${root},.*OMNIX_DATA_DIR.*DATABASE_URL`),
      );
    },
  );

  it('a directory that cannot be made', async () => {
    writeFileSync(directory, 'a file');
    await expect(startEmbeddedPostgres({ directory: join(directory, 'x') })).rejects.toThrow(
      /x.* cannot be made .*OMNIX_DATA_DIR/,
    );
  });

  it('a database of another version of Postgres', async () => {
    mkdirSync(join(directory, 'data'), { recursive: true });
    writeFileSync(join(directory, 'data', 'PG_VERSION'), '17\n');
    await expect(startEmbeddedPostgres({ directory })).rejects.toThrow('made by Postgres 17');
  });

  it('to pretend that it runs when its data is broken, and says where to read more', async () => {
    const first = await startEmbeddedPostgres({ directory });
    await first.stop();
    rmSync(join(directory, 'data', 'global', 'pg_control'));
    await expect(startEmbeddedPostgres({ directory })).rejects.toThrow(
      /did not start: .*postgres\.log/,
    );
  });
});

describe('its log', () => {
  it('promise 34: holds neither statements nor rows', async () => {
    const postgres = await startEmbeddedPostgres({ directory });
    await query(postgres, 'create table t (id text primary key)');
    await query(postgres, "insert into t values ('canary-row')");
    await expect(query(postgres, "insert into t values ('canary-row')")).rejects.toThrow('23505');
    await expect(query(postgres, 'select canary_column from t')).rejects.toThrow('42703');
    await postgres.stop();
    const log = readFileSync(join(directory, 'postgres.log'), 'utf8');
    expect(log).toContain('duplicate key');
    expect(log).not.toContain('canary-row');
    expect(log).not.toContain(postgres.address.password);
    expect(await waitUntil(() => !isAlive(postgres.pid), 0)).toBe(true);
  });
});
