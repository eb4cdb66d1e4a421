/** Config to Services: the only place that constructs adapters and fits the rooms together. */
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#base/clock.ts';
import { Deadlines } from '#base/deadlines.ts';
import { nodeDigests } from '#base/digest.node.ts';
import { newId } from '#base/ids.ts';
import type { Log } from '#base/log.ts';
import { parseUsd, type NanoUsd } from '#base/money.ts';
import { ok } from '#base/result.ts';
import { NodeTransport } from '#base/transport.node.ts';
import { buildCatalog } from '#catalog/catalog.ts';
import { buildDirectory } from '#gateway/directory.ts';
import type { Directory } from '#gateway/endpoint.ts';
import { showReceipt } from '#gateway/receipt-reading.ts';
import { SandboxTransport } from '#gateway/sandbox/transport.ts';
import { DEFAULT_GATEWAY_LIMITS, type GatewayServices } from '#gateway/dependencies.ts';
import { createTokenCounter } from '#gateway/tokens.ts';
import type { CreditDesk, LedgerReads } from '#http/api/ports.ts';
import { createIdentity } from '#identity/create-identity.ts';
import type { Identity, Owner } from '#identity/identity.ts';
import { createLedger } from '#ledger/create-ledger.ts';
import { nodeJournalFiles } from '#ledger/journal-files.node.ts';
import { openFileJournal } from '#ledger/journal.node.ts';
import type { PrepaidLedger } from '#ledger/ledger.ts';
import { readOwnerId } from '#ledger/owner.node.ts';
import { nodeSchedule } from '#ledger/schedule.node.ts';
import type { Database } from '#store/database.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#store/embedded-postgres.node.ts';
import { grantCredit, setBudgetLimit } from '#store/ledger-grants.ts';
import { migrate } from '#store/migrate.node.ts';
import { openPostgres, type PostgresOptions } from '#store/postgres.node.ts';
import { ConfigRefused, type Config } from './config.ts';

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
/**
 * What the sandbox may use up before it needs more: enough to test for a lifetime, and to run out
 * on purpose.
 */
const SANDBOX_CREDIT_USD = '1000';

/** Joins catalog and config; refuses the start where they do not fit. */
export function composeDirectory(config: Config): Directory {
  const catalog = buildCatalog();
  if (!catalog.ok) {
    const faults = catalog.error.map(({ subject, message }) => `  ${subject}: ${message}`);
    throw new ConfigRefused(`The built-in catalog is broken:\n${faults.join('\n')}`);
  }
  const { providers, models } = config;
  const { directory, faults } = buildDirectory({ catalog: catalog.value, providers, models });
  if (faults.length === 0) return directory;
  const lines = faults.map(({ path, message }) => {
    const line = config.lineOf(stepsOf(path));
    const place = line === null ? '' : `:${line}`;
    return `  ${config.configPath ?? 'config'}${place}  ${path}: ${message}`;
  });
  throw new ConfigRefused(`The configuration cannot be served:\n${lines.join('\n')}`);
}

/** `models.a.b.endpoints[0].price`: ids hold dots, so the known ends are taken off first. */
function stepsOf(path: string): readonly (string | number)[] {
  const match = /^models\.(.+?)\.(endpoints|alias)(?:\[(\d+)\])?(?:\.(.+))?$/.exec(path);
  if (match === null) return [path];
  const [, id = '', list = '', index, rest] = match;
  const steps: (string | number)[] = ['models', id, list];
  if (index !== undefined) steps.push(Number(index));
  if (rest !== undefined) steps.push(...rest.split('.'));
  return steps;
}

async function readSecret(config: Config): Promise<string> {
  if (config.secret !== null) return config.secret;
  const path = join(config.dataDir, 'secret');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    const secret = randomBytes(32).toString('base64url');
    await writeFile(path, `${secret}\n`, { mode: 0o600, flag: 'wx', flush: true });
    return secret;
  }
}

interface Stored {
  readonly database: Database;
  readonly embedded: EmbeddedPostgres | null;
}

async function openStore(config: Config): Promise<Stored> {
  const embedded =
    config.databaseUrl === null
      ? await startEmbeddedPostgres({ directory: join(config.dataDir, 'postgres') })
      : null;
  const at: PostgresOptions['at'] = embedded?.address ?? config.databaseUrl ?? '';
  await migrate(at, MIGRATIONS);
  return { database: openPostgres({ at }), embedded };
}

function composeCredit(database: Database, ledger: PrepaidLedger): CreditDesk {
  return {
    async grant({ organizationId, book, amount, reason, grantedBy }) {
      const id = newId('grant_');
      await grantCredit(database, {
        id,
        organizationId,
        book,
        amount,
        reason,
        fundedBy: 'promo',
        source: `grant:${grantedBy}`,
        sourceId: id,
      });
      return { id, createdAtMs: systemClock.nowMs() };
    },
    async setKeyLimit(key) {
      await setBudgetLimit(database, key);
      await ledger.budgetChanged(key.keyId);
    },
  };
}

/** The ledger keeps receipts unread; the gateway, which wrote them, spells them out. */
function composeReads(ledger: PrepaidLedger): LedgerReads {
  return {
    creditSummary: (organizationId, book) => ledger.creditSummary(organizationId, book),
    keyUsage: (keyId) => ledger.keyUsage(keyId),
    async readReceipt(organizationId, requestId) {
      const read = await ledger.readReceipt(organizationId, requestId);
      if (!read.ok || read.value === null || read.value.kind === 'swept') return read;
      return ok({ ...read.value, detail: showReceipt(read.value.detail) });
    },
  };
}

function sandboxCredit(): NanoUsd {
  const amount = parseUsd(SANDBOX_CREDIT_USD);
  if (!amount.ok) throw new Error(amount.error);
  return amount.value;
}

async function composeLedger(config: Config, database: Database, log: Log): Promise<PrepaidLedger> {
  const directory = join(config.dataDir, 'journal');
  const ledger = createLedger({
    database,
    journal: openFileJournal({ files: nodeJournalFiles(directory), log }),
    clock: systemClock,
    log,
    schedule: nodeSchedule,
    ownerId: readOwnerId(config.dataDir),
  });
  const recovered = await ledger.recover();
  if (!recovered.ok)
    throw new Error(`The journal could not be recovered: ${recovered.error.cause}`);
  const { outcomes, swept, damaged } = recovered.value;
  if (outcomes + swept + damaged > 0) {
    log.write(damaged > 0 ? 'error' : 'info', 'recovered', {
      count: outcomes,
      cause: `${swept} requests were interrupted, ${damaged} records are damaged`,
    });
  }
  return ledger;
}

/** Brings everything up. `onStep` is told what it waits for, for `/ready`. */
export async function compose(
  config: Config,
  directory: Directory,
  about: { readonly log: Log; onStep(step: string): void },
): Promise<Services> {
  const { log, onStep } = about;
  await mkdir(config.dataDir, { recursive: true });
  const secret = await readSecret(config);
  onStep('starting the database');
  const { database, embedded } = await openStore(config);
  onStep('recovering the journal');
  const ledger = await composeLedger(config, database, log);
  const identity = createIdentity({ database, digests: nodeDigests, secret });
  const owner = await identity.ensureOwner(
    config.ownerKey === null ? {} : { ownerKey: config.ownerKey },
  );
  const { organizationId } = owner;
  await grantCredit(database, {
    id: newId('grant_'),
    organizationId,
    book: 'test',
    amount: sandboxCredit(),
    reason: 'credit of the sandbox',
    fundedBy: 'promo',
    source: 'sandbox_credit',
    sourceId: organizationId,
  });
  const catchUp = setInterval(() => void identity.catchUp(), CATCH_UP_MS).unref();
  const tokens = createTokenCounter();
  const transport = new NodeTransport({
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    connectionsMax: CONNECTIONS_PER_HOST_MAX,
  });
  return {
    identity,
    owner,
    reads: composeReads(ledger),
    credit: composeCredit(database, ledger),
    gateway: {
      identity,
      ledger,
      directory,
      transport,
      sandboxTransport: new SandboxTransport({
        tokens,
        clock: systemClock,
        newId: () => newId('chatcmpl_').replace('_', '-'),
      }),
      deadlines: new Deadlines(systemClock),
      tokens,
      limits: DEFAULT_GATEWAY_LIMITS,
    },
    async close() {
      clearInterval(catchUp);
      await transport.close();
      await ledger.close();
      await database.close();
      await embedded?.stop();
    },
  };
}

export function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed;
  return version && typeof parsed.version === 'string' ? parsed.version : '0';
}
