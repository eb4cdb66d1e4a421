/** Config to Services: the only place that constructs adapters and fits the rooms together. */
import { describeError } from '#base/describe-error.ts';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#base/clock.ts';
import { Deadlines } from '#base/deadlines.ts';
import { nodeDigests } from '#base/digest.node.ts';
import type { Log } from '#base/log.ts';
import { StartRefused } from '#base/start-refused.ts';
import type { Transport } from '#base/transport.ts';
import { WebTransport } from '#base/transport.web.ts';
import type { Directory } from '#gateway/endpoint.ts';
import { SandboxTransport } from '#gateway/sandbox/transport.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayServices } from '#gateway/dependencies.ts';
import { Idempotency, type IdempotencyOptions } from '#gateway/idempotency/idempotency.ts';
import { loadEncodingModule } from '#gateway/tokens-module.ts';
import { createTokenCounter } from '#gateway/tokens.ts';
import { TokenExchange } from '#gateway/upstream/token-exchange.ts';
import type { CreditDesk, LedgerReads } from '#http/api/ports.ts';
import { createIdentity } from '#identity/create-identity.ts';
import type { Identity, Owner } from '#identity/identity.ts';
import { createLedger } from '#ledger/create-ledger.ts';
import { nodeJournalFiles } from '#ledger/journal-files.node.ts';
import { openFileJournal } from '#ledger/journal.node.ts';
import type { PrepaidLedger } from '#ledger/ledger.ts';
import { readOwnerId } from '#ledger/owner.node.ts';
import { nodeSchedule } from '#ledger/schedule.node.ts';
import { DatabaseUnavailable, StatementRefused, type Database } from '#store/database.ts';
import { startEmbeddedPostgres } from '#store/embedded-postgres.node.ts';
import { watchEmbeddedPostgres } from '#store/embedded-watch.node.ts';
import { migrate, MigrationRefused } from '#store/migrate.node.ts';
import { openPostgres, type PostgresOptions } from '#store/postgres.node.ts';
import { composeCredit, composeReads, prepareOwner } from './compose-shared.ts';
import type { Config } from './config.ts';

export interface Services {
  readonly gateway: GatewayServices;
  readonly identity: Identity;
  readonly reads: LedgerReads;
  readonly credit: CreditDesk;
  readonly owner: Owner;
  /** Posts what is open, gives leases back, and closes everything; the database last. */
  close(): Promise<void>;
}

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url));
const CONNECT_TIMEOUT_MS = 10_000;
const CONNECTIONS_PER_HOST_MAX = 8_192;
const CATCH_UP_MS = 2_000;
/** For how long the database is away before `/ready` says so: a moment is nobody's business. */
const AWAY_MS = 5_000;
const SWEEP_MS = 60_000;

async function readSecret(config: Config): Promise<string> {
  if (config.secret !== null) return config.secret;
  const path = join(config.dataDir, 'secret');
  const known = await readIfThere(path);
  if (known !== null) {
    if (known !== '') return known;
    throw new StartRefused(
      `${path} is empty. Without the secret that was in it no API key of this database is ` +
        'recognised: restore the file, or set OMNIX_SECRET.',
    );
  }
  const secret = randomBytes(32).toString('base64url');
  await writeFile(path, `${secret}\n`, { mode: 0o600, flag: 'wx', flush: true });
  return secret;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return null;
    throw error;
  }
}

/** Closes what was opened, the last one first, and all of it even if something does not close. */
class Opened {
  readonly #closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Waits no longer than until the start is given up, and rejects with the signal's reason then. */
export async function untilAborted<Value>(
  signal: AbortSignal,
  work: Promise<Value>,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('the start was given up'));
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

async function openStore(config: Config, starting: Starting): Promise<Database> {
  const { log, opened, signal } = starting;
  let at: PostgresOptions['at'] = config.databaseUrl ?? '';
  if (config.databaseUrl === null) {
    const directory = join(config.dataDir, 'postgres');
    // Never left alone: it stops what it started when the signal comes.
    const embedded = await startEmbeddedPostgres({ directory, signal });
    const watch = watchEmbeddedPostgres(embedded, log);
    opened.add(() => watch.stop());
    at = embedded.address;
  }
  await untilAborted(signal, migrate(at, MIGRATIONS)).catch((error: unknown) => {
    throw explainMigration(error, config);
  });
  const database = openPostgres({ at });
  opened.add(() => database.close());
  return database;
}

function explainMigration(error: unknown, { databaseUrl }: Config): unknown {
  if (error instanceof MigrationRefused) return new StartRefused(error.message, { cause: error });
  const own = databaseUrl === null ? '' : ' Check DATABASE_URL.';
  if (error instanceof DatabaseUnavailable) {
    return new StartRefused(`${error.message}${own}`, { cause: error });
  }
  if (error instanceof StatementRefused) {
    return new StartRefused(
      `The tables could not be made or changed: ${error.message} ` +
        'OmniX needs a database of its own, with a user that may create tables.',
      { cause: error },
    );
  }
  // Their messages may quote the address, which holds the password.
  if (databaseUrl !== null && (error instanceof TypeError || error instanceof URIError)) {
    return new StartRefused('DATABASE_URL is not an address of a Postgres that can be understood.');
  }
  return error;
}

function ownerOf(config: Config): string {
  try {
    return readOwnerId(config.dataDir);
  } catch (error) {
    const reason = describeError(error);
    throw new StartRefused(`The ledger does not know itself: ${reason}.`, { cause: error });
  }
}

async function composeLedger(
  config: Config,
  database: Database,
  { log, signal, opened }: Starting,
): Promise<PrepaidLedger> {
  const directory = join(config.dataDir, 'journal');
  const ledger = createLedger({
    database,
    journal: openFileJournal({ files: nodeJournalFiles(directory), log }),
    clock: systemClock,
    log,
    schedule: nodeSchedule,
    ownerId: ownerOf(config),
  });
  const recovered = await untilAborted(signal, ledger.recover());
  if (!recovered.ok) {
    throw new StartRefused(
      `The journal in ${directory} could not be recovered: ${recovered.error.cause}`,
    );
  }
  opened.add(() => ledger.close());
  const { outcomes, swept, damaged } = recovered.value;
  if (outcomes + swept + damaged > 0) {
    log.write(damaged > 0 ? 'error' : 'info', 'recovered', {
      count: outcomes,
      cause: `${swept} requests were interrupted, ${damaged} records are damaged`,
    });
  }
  return ledger;
}

async function composeIdempotency(
  config: Config,
  parts: Pick<IdempotencyOptions, 'database' | 'secret' | 'deadlines'>,
  { log, signal, opened }: Starting,
): Promise<Idempotency> {
  const ownerId = ownerOf(config);
  const idempotency = new Idempotency({ ...parts, ownerId, clock: systemClock, log });
  const count = await untilAborted(signal, idempotency.recover());
  if (count > 0) log.write('info', 'idempotency_interrupted', { count });
  const stop = nodeSchedule.every(SWEEP_MS, () => void idempotency.sweep());
  opened.add(async () => stop());
  return idempotency;
}

export interface ComposeOptions {
  readonly log: Log;
  /** Gives the start up: what was started is stopped, and the reason is thrown. */
  readonly signal: AbortSignal;
  /** Told what it waits for, for `/ready`. */
  readonly onStep: (step: string) => void;
  /** Told later on what is away that requests need, and null when it is back, for `/ready`. */
  readonly onLack: (what: string | null) => void;
}

interface Starting extends ComposeOptions {
  readonly opened: Opened;
}

/** Brings everything up, or throws after it has stopped what it had started. */
export async function compose(
  config: Config,
  directory: Directory,
  options: ComposeOptions,
): Promise<Services> {
  const opened = new Opened();
  try {
    return await open(config, directory, { ...options, opened });
  } catch (error) {
    // Whatever does not close either: the reason of the failure is what the operator must read.
    await opened.close().catch(() => undefined);
    throw error;
  }
}

/** Where Node's sockets are an imitation, and `fetch` is as fast as it gets. */
const FETCH_RUNTIMES = ['bun', 'deno'] as const;

async function openTransport(opened: Opened): Promise<Transport> {
  if (FETCH_RUNTIMES.some((name) => name in process.versions)) return new WebTransport();
  const { NodeTransport } = await import('#base/transport.node.ts');
  const transport = new NodeTransport({
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    connectionsMax: CONNECTIONS_PER_HOST_MAX,
  });
  opened.add(() => transport.close());
  return transport;
}

/**
 * Learns every few seconds what other processes did to the keys. It is the one question that is
 * asked of the database whatever the load, so it also tells whether the database is there.
 */
function catchUpWithKeys(identity: Identity, { log, opened, onLack }: Starting): void {
  let reachedMs = systemClock.monotonicMs();
  let isAway = false;
  const ask = async (): Promise<void> => {
    const reached = await identity.catchUp();
    const nowMs = systemClock.monotonicMs();
    if (reached) reachedMs = nowMs;
    const away = nowMs - reachedMs >= AWAY_MS;
    if (away === isAway) return;
    isAway = away;
    log.write(away ? 'error' : 'info', away ? 'database_away' : 'database_back');
    onLack(away ? 'the database cannot be reached' : null);
  };
  const asking = setInterval(() => void ask(), CATCH_UP_MS).unref();
  opened.add(async () => clearInterval(asking));
}

async function open(config: Config, directory: Directory, starting: Starting): Promise<Services> {
  const { onStep, opened, signal } = starting;
  const secret = await readSecret(config);
  onStep('starting the database');
  const database = await openStore(config, starting);
  onStep('recovering the journal');
  const ledger = await composeLedger(config, database, starting);
  const identity = createIdentity({ database, digests: nodeDigests, secret });
  const deadlines = new Deadlines(systemClock);
  const idempotency = await composeIdempotency(config, { database, secret, deadlines }, starting);
  signal.throwIfAborted();
  // From here to the start screen nothing is given up: keys that are made are shown.
  const owner = await prepareOwner(database, { identity, ownerKey: config.ownerKey });
  const tokens = createTokenCounter(loadEncodingModule);
  const transport = await openTransport(opened);
  catchUpWithKeys(identity, starting);
  return {
    identity,
    owner,
    reads: composeReads(ledger),
    credit: composeCredit(database, ({ keyId }) => ledger.budgetChanged(keyId)),
    gateway: {
      identity,
      ledger,
      idempotency,
      directory,
      transport,
      sandboxTransport: new SandboxTransport({ tokens, clock: systemClock }),
      tokenExchange: new TokenExchange(transport, deadlines),
      deadlines,
      tokens,
      limits: DEFAULT_GATEWAY_LIMITS,
    },
    close: () => opened.close(),
  };
}

export function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed;
  return version && typeof parsed.version === 'string' ? parsed.version : '0';
}
