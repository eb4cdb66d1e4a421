/**
 * A ledger over a real Postgres and a real journal directory, whose process can be killed and whose
 * database can fail.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { SQL } from 'drizzle-orm';

import type { Clock } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import { type Log, silentLog } from '#base/log.ts';
import { nanoUsd, type NanoUsd, parseUsd } from '#base/money.ts';
import { createLedger } from '#ledger/create-ledger.ts';
import { type JournalFiles, nodeJournalFiles } from '#ledger/journal-files.node.ts';
import { openFileJournal } from '#ledger/journal.node.ts';
import type { Book, Hold, HoldRefusal, HoldRequest, PrepaidLedger } from '#ledger/ledger.ts';
import { nodeSchedule } from '#ledger/schedule.node.ts';
import type { Schedule } from '#ledger/schedule.ts';
import { type Database, DatabaseUnavailable, type Row } from '#store/database.ts';
import type { StatementValues } from '#store/render.ts';
import { type CreditGrant, grantCredit } from '#store/ledger-grants.ts';
import { verifyLedger } from '#store/ledger-verify.ts';

import { createTestDatabase } from './postgres.ts';

/**
 * A database that does as it is told: works, is gone, or does what it was asked and loses the
 * answer.
 */
export class FaultyDatabase implements Database {
  mode: 'works' | 'gone' | 'loses answers' = 'works';
  /** Statements that reached the real database. */
  statements = 0;
  /** Statements that nobody heard of again. */
  failures = 0;
  readonly #real: Database;

  constructor(real: Database) {
    this.#real = real;
  }

  async run(statement: SQL, values?: StatementValues): Promise<readonly Row[]> {
    if (this.mode === 'gone') throw this.#failure('gone');
    this.statements += 1;
    const rows = await this.#real.run(statement, values);
    // Read again: it may have been told otherwise while the statement ran.
    if (this.#isLosing()) throw this.#failure('the answer was lost');
    return rows;
  }

  #failure(cause: string): DatabaseUnavailable {
    this.failures += 1;
    return new DatabaseUnavailable(cause);
  }

  #isLosing(): boolean {
    return this.mode !== 'works';
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Files that can be told to fail. */
export class FaultyFiles implements JournalFiles {
  /** Throws in place of a write when set: ENOSPC, EIO. */
  failure: string | null = null;
  /** At most so many bytes are taken by one write. */
  writeMax = Number.POSITIVE_INFINITY;
  /** After so many more bytes the disk is full. */
  room = Number.POSITIVE_INFINITY;
  readonly #real: JournalFiles;

  constructor(real: JournalFiles) {
    this.#real = real;
  }

  write(file: number, bytes: Uint8Array, offset: number): number {
    if (this.failure !== null) throw Object.assign(new Error('injected'), { code: this.failure });
    const length = Math.min(bytes.length - offset, this.writeMax, this.room);
    if (length === 0) throw Object.assign(new Error('injected'), { code: 'ENOSPC' });
    this.room -= length;
    return this.#real.write(file, bytes.subarray(0, offset + length), offset);
  }

  create(name: string): number {
    if (this.failure !== null) throw Object.assign(new Error('injected'), { code: this.failure });
    return this.#real.create(name);
  }

  list = (): readonly string[] => this.#real.list();
  truncate = (file: number, size: number): void => this.#real.truncate(file, size);
  sync = (file: number): Promise<void> => this.#real.sync(file);
  close = (file: number): void => this.#real.close(file);
  read = (name: string): Promise<Uint8Array> => this.#real.read(name);
  rename = (name: string, to: string): void => this.#real.rename(name, to);
  remove = (name: string): void => {
    // A killed process removes nothing.
    if (this.failure === null) this.#real.remove(name);
  };
}

/** Both clocks stand still until they are moved. */
export class HandClock implements Clock {
  wallMs = Date.now();
  passedMs = 1000;

  nowMs(): number {
    return this.wallMs;
  }

  monotonicMs(): number {
    return this.passedMs;
  }
}

/** Timers that fire when the test says so. */
export class HandSchedule implements Schedule {
  readonly #periodic = new Set<() => void>();

  after(delayMs: number, run: () => void): () => void {
    return nodeSchedule.after(delayMs, run);
  }

  every(_periodMs: number, run: () => void): () => void {
    this.#periodic.add(run);
    return () => this.#periodic.delete(run);
  }

  tick(): void {
    for (const run of this.#periodic) run();
  }
}

/** One process: its ledger and the ways to hurt it. */
export interface LedgerProcess {
  readonly ledger: PrepaidLedger;
  readonly database: FaultyDatabase;
  readonly files: FaultyFiles;
  readonly clock: HandClock;
  readonly schedule: HandSchedule;
  /** As kill -9 would: from now on it writes nothing anywhere. */
  kill(): void;
}

export interface LedgerRig {
  readonly database: Database;
  readonly directory: string;
  /** A process over the rig's data directory, recovered unless told otherwise. */
  start(options?: RigStart): Promise<LedgerProcess>;
  grant(amount: string, organizationId?: string, book?: Book): Promise<void>;
  /** Throws if the books do not balance. */
  drop(): Promise<void>;
}

export interface RigStart {
  readonly recover?: boolean;
  readonly log?: Log;
  readonly segmentBytesMax?: number;
  readonly unpostedMax?: number;
  readonly ownerId?: string;
}

export const RIG_ORGANIZATION = 'org_rig';
export const RIG_KEY = 'key_rig';

export async function createLedgerRig(): Promise<LedgerRig> {
  const { database, drop } = await createTestDatabase();
  const directory = mkdtempSync(join(tmpdir(), 'omnix-ledger-'));
  return {
    database,
    directory,
    start: (options) => startProcess(database, directory, options ?? {}),
    grant: (amount, organizationId = RIG_ORGANIZATION, book = 'live') =>
      grant(database, { amount: usd(amount), organizationId, book }),
    drop: async () => {
      await requireSoundBooks(database);
      await drop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Throws, and says where, if the ledger's totals are not what its rows add up to. */
export async function requireSoundBooks(database: Database): Promise<void> {
  const faults = (await verifyLedger(database)).map(
    ({ check, id, stored, recomputed }) => `${check} ${id}: ${stored} but ${recomputed}`,
  );
  if (faults.length > 0) throw new Error(`the books do not balance: ${faults.join('; ')}`);
}

async function startProcess(
  real: Database,
  directory: string,
  options: RigStart,
): Promise<LedgerProcess> {
  const database = new FaultyDatabase(real);
  const files = new FaultyFiles(nodeJournalFiles(join(directory, 'journal')));
  const clock = new HandClock();
  const schedule = new HandSchedule();
  const log = options.log ?? silentLog;
  const { segmentBytesMax, unpostedMax } = options;
  const ledger = createLedger({
    database,
    journal: openFileJournal({
      files,
      log,
      ...(segmentBytesMax === undefined ? {} : { segmentBytesMax }),
    }),
    clock,
    log,
    schedule,
    ownerId: options.ownerId ?? 'owner_rig',
    ...(unpostedMax === undefined ? {} : { unpostedMax }),
  });
  if (options.recover !== false) {
    const recovered = await ledger.recover();
    if (!recovered.ok) throw new Error(recovered.error.cause);
  }
  const kill = (): void => {
    database.mode = 'gone';
    files.failure = 'EKILLED';
  };
  return { ledger, database, files, clock, schedule, kill };
}

async function grant(
  database: Database,
  what: Pick<CreditGrant, 'amount' | 'organizationId' | 'book'>,
): Promise<void> {
  const id = newId('grant_');
  await grantCredit(database, {
    ...what,
    id,
    reason: 'test',
    fundedBy: 'payment_clearing',
    source: 'test',
    sourceId: id,
  });
}

/** Dollars, written as a decimal. */
export function usd(amount: string): NanoUsd {
  const parsed = parseUsd(amount);
  if (!parsed.ok) throw new Error(parsed.error);
  return nanoUsd(parsed.value);
}

/** A request for a hold of so many dollars. */
export function holdOf(amount: string, more: Partial<HoldRequest> = {}): HoldRequest {
  return {
    requestId: newId('req_'),
    organizationId: RIG_ORGANIZATION,
    keyId: RIG_KEY,
    keyLimited: false,
    book: 'live',
    amount: usd(amount),
    ...more,
  };
}

/** The hold, or an error that says why there is none. */
export async function holdNow(ledger: PrepaidLedger, request: HoldRequest): Promise<Hold> {
  const held = await ledger.hold(request);
  if (held.ok) return held.value;
  throw new Error(`no hold: ${held.error.reason}`);
}

/** The refusal, or an error because there is none. */
export async function refusalOf(ledger: PrepaidLedger, request: HoldRequest): Promise<HoldRefusal> {
  const held = await ledger.hold(request);
  if (!held.ok) return held.error;
  throw new Error('a hold was given');
}

/** A whole request: held, dispatched and settled at this cost. */
export async function serve(
  ledger: PrepaidLedger,
  request: HoldRequest,
  cost: NanoUsd = request.amount,
): Promise<'served' | HoldRefusal['reason']> {
  const held = await ledger.hold(request);
  if (!held.ok) return held.error.reason;
  await ledger.open(held.value, 0, usd('0.001'));
  await ledger.settle(held.value, { attempt: 0, cost, detail: '{"test":true}' });
  return 'served';
}
