/**
 * The database as the house sees it: statements in, rows out. One statement per step, so that it
 * works the same over a pooled connection on Node and over a one-shot HTTP driver on Workers.
 */
import type { SQL } from 'drizzle-orm';

import type { StatementValues } from './render.ts';

/**
 * Column name to value. int8 and numeric come as strings, jsonb parsed, timestamps and dates as ISO
 * strings, bytea as bytes, arrays as Postgres's own text (select `to_jsonb(...)` instead): see
 * `decode.ts`.
 */
export type Row = Readonly<Record<string, unknown>>;

export interface Database {
  /**
   * Runs one statement. Rejects with `DatabaseUnavailable` when it cannot be reached in time
   * (whether the statement took effect is then unknown: repeat only what is idempotent), with
   * `StatementRefused` when the statement itself failed. `values` are those of its placeholders.
   */
  run(statement: SQL, values?: StatementValues): Promise<readonly Row[]>;
  /** Lets running statements end, for at most 5 s. Later statements are refused as unavailable. */
  close(): Promise<void>;
}

/**
 * The database cannot be reached or is shutting down: what needs it gets a 503, nothing is assumed.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}

/**
 * The statement was given up because it took too long or too much memory. It may be the database
 * that is slow; or else a statement that asks for less may be done.
 */
export class StatementTooHeavy extends DatabaseUnavailable {}

/**
 * The database answered, and refused this statement. Carries no values: Postgres's own detail may
 * quote a row.
 */
export class StatementRefused extends Error {
  override readonly name = 'StatementRefused';
  /** SQLSTATE, such as 23505 (unique), 23503 (foreign key), 23514 (check), 40P01 (deadlock). */
  readonly code: string;
  /** The constraint that was violated. */
  readonly constraint: string | null;

  constructor(message: string, code: string, constraint: string | null) {
    super(message);
    this.code = code;
    this.constraint = constraint;
  }
}
