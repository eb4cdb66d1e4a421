/**
 * The database on Workers: postgres.js over Hyperdrive, which keeps the connections to Postgres
 * open near the Workers. A socket belongs to the request that opened it and dies with it, so every
 * statement has one of its own; what it leads to is in the same building.
 */
import type { SQL } from 'drizzle-orm';
import postgres from 'postgres';

import { type Database, DatabaseUnavailable, type Row } from './database.ts';
import { toStoreError } from './postgres-errors.ts';
import { WIRE_TYPES } from './postgres-types.ts';
import { Renderer, type StatementValues } from './render.ts';
import { type RawSocket, WorkerSocket } from './socket.worker.ts';

/** A binding to a Hyperdrive configuration. */
export interface Hyperdrive {
  readonly user: string;
  readonly password: string;
  readonly database: string;
  connect(): RawSocket;
}

export interface WorkerPostgresOptions {
  readonly hyperdrive: Hyperdrive;
  /** Lets a statement end although its request's client has gone. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** Connecting and answering together. Default 10,000. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const CONNECT_SECONDS = 5;

export function openWorkerPostgres(options: WorkerPostgresOptions): Database {
  return new WorkerPostgres(options);
}

class WorkerPostgres implements Database {
  readonly #renderer = new Renderer();
  readonly #options: WorkerPostgresOptions;

  constructor(options: WorkerPostgresOptions) {
    this.#options = options;
  }

  run(statement: SQL, values?: StatementValues): Promise<readonly Row[]> {
    const answer = this.#ask(statement, values);
    this.#options.waitUntil(answer.catch(() => undefined));
    return answer;
  }

  async #ask(statement: SQL, values: StatementValues | undefined): Promise<readonly Row[]> {
    const { text, parameters } = this.#renderer.render(statement, values);
    const client = this.#connect();
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const tooLate = Promise.withResolvers<never>();
    const deadline = setTimeout(() => {
      const seconds = timeoutMs / 1000;
      tooLate.reject(new DatabaseUnavailable(`The database did not answer within ${seconds} s.`));
    }, timeoutMs);
    try {
      // oxlint-disable-next-line house/no-raw-sql -- rendered by drizzle, values apart
      const query = client.unsafe<Row[]>(text, parameters);
      return Array.from(await Promise.race([query, tooLate.promise]));
    } catch (error) {
      throw error instanceof DatabaseUnavailable ? error : toStoreError(error);
    } finally {
      clearTimeout(deadline);
      this.#options.waitUntil(client.end({ timeout: 1 }).catch(() => undefined));
    }
  }

  #connect(): postgres.Sql {
    const { hyperdrive } = this.#options;
    const { user, password, database } = hyperdrive;
    const settings = {
      user,
      password,
      database,
      socket: () => new WorkerSocket(hyperdrive.connect()),
      max: 1,
      connect_timeout: CONNECT_SECONDS,
      // One try: what comes of a lost connection is for the caller to decide.
      backoff: () => TIMEOUT_MS,
      fetch_types: false,
      types: WIRE_TYPES,
      onnotice: () => undefined,
      connection: { application_name: 'omnix', TimeZone: 'UTC' },
    };
    return postgres(settings);
  }

  /** Nothing is kept open between statements. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
