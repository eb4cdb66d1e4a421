/**
 * `npm run dev:worker`: the Worker on this machine, with no account: Cloudflare's runtime, a
 * Postgres of its own under `.omnix-worker` (OMNIX_DATA_DIR), and the owner's keys printed at the
 * first start. Arguments go to `wrangler dev` (`--port 8790`).
 */
import { spawn, spawnSync, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acquireDataLock } from '../src/store/data-lock.node.ts';
import { startEmbeddedPostgres } from '../src/store/embedded-postgres.node.ts';
import { toDatabaseUrl } from '../src/store/postgres-address.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIRECTORY = resolve(ROOT, process.env['OMNIX_DATA_DIR'] ?? '.omnix-worker');
const PORT = '8787';
const LOCAL_POSTGRES = 'CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE';

/** Kept between starts: without it no key of the database is recognised. */
function readSecret(): string {
  const path = join(DIRECTORY, 'secret');
  if (!existsSync(path)) {
    writeFileSync(path, randomBytes(32).toString('base64url'), { mode: 0o600 });
  }
  return readFileSync(path, 'utf8').trim();
}

/** Such a file knows no escapes: a value stands between quotes that are not in it. */
function quoted(name: string, value: string): string {
  const quote = ["'", '`', '"'].find((mark) => !value.includes(mark));
  if (quote !== undefined) return quote + value + quote;
  throw new Error(`${name} holds all three of ' " and \`: leave one of them out`);
}

/** The operator's keys and config file, as Workers have them: all are variables. */
function variablesFile(secret: string): string {
  const names = Object.keys(process.env).filter((name) => /_(API_KEY|BASE_URL)$/.test(name));
  const variables = names.map((name) => [name, process.env[name] ?? ''] as const);
  const config = process.env['OMNIX_CONFIG'] ?? 'omnix.yaml';
  if (existsSync(config)) variables.push(['OMNIX_CONFIG', readFileSync(config, 'utf8')]);
  const path = join(DIRECTORY, 'variables');
  const lines = [['OMNIX_SECRET', secret] as const, ...variables].map(
    ([name, value]) => `${name}=${quoted(name, value)}`,
  );
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  return path;
}

const wrangler = fileURLToPath(
  new URL('../node_modules/wrangler/bin/wrangler.js', import.meta.url),
);

mkdirSync(DIRECTORY, { recursive: true });
const lock = await acquireDataLock(DIRECTORY);
const postgres = await startEmbeddedPostgres({ directory: join(DIRECTORY, 'postgres'), tcp: true });
const secret = readSecret();
const url = toDatabaseUrl(postgres.address);
const options: SpawnOptions = { cwd: ROOT, stdio: 'inherit' };
const prepared = spawnSync(process.execPath, ['src/cli/prepare-database.ts'], {
  ...options,
  env: { PATH: process.env['PATH'], DATABASE_URL: url, OMNIX_SECRET: secret, OMNIX_CONFIG: '' },
});
if (prepared.status === 0) {
  const port = process.argv.includes('--port') ? [] : ['--port', PORT];
  const state = ['--persist-to', join(DIRECTORY, 'state'), '--env-file', variablesFile(secret)];
  const child = spawn(
    process.execPath,
    [wrangler, 'dev', '--local', ...port, ...state, ...process.argv.slice(2)],
    { ...options, env: { ...process.env, [LOCAL_POSTGRES]: url } },
  );
  const stopped = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stopped.abort();
      child.kill(signal);
    });
  }
  process.exitCode = await new Promise<number>((done) => {
    child.once('exit', (code) => done(stopped.signal.aborted ? 0 : (code ?? 1)));
  });
} else {
  process.exitCode = 1;
}
await postgres.stop();
await lock.release();
