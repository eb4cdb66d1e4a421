/**
 * The journal of one Durable Object, in its own SQLite: the holds of requests that were dispatched
 * and the outcomes that Postgres does not have yet. Unlike a process, the object may die while its
 * requests live on elsewhere, so both are kept whole. What is written in one turn of the event loop
 * is written together or not at all, and nothing leaves the object before it is (the runtime's
 * output gate).
 */
import type { Row } from './database.ts';
import { bigintOf, numberOf, oneOf, textOf } from './decode.ts';
import type { UsageEvent } from './ledger-post.ts';

type Binding = string | number | null;

/** The object's database as the runtime gives it: every statement is done when it returns. */
export interface ObjectSql {
  exec(statement: string, ...bindings: Binding[]): Iterable<Row>;
}

/** The hold of a request of which an attempt was dispatched. Amounts are nano-dollars. */
export interface OpenedHold {
  readonly requestId: string;
  readonly attempt: number;
  readonly organizationId: string;
  readonly keyId: string;
  readonly keyLimited: boolean;
  readonly book: 'live' | 'test';
  readonly amount: bigint;
  /** What the platform stands to lose should nobody ever tell the outcome. */
  readonly inputCost: bigint;
  readonly admittedAtMs: number;
}

const TABLES = [
  `CREATE TABLE IF NOT EXISTS identity (only INTEGER PRIMARY KEY CHECK (only = 1), owner TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS holds (
    request_id TEXT PRIMARY KEY, attempt INTEGER NOT NULL, organization_id TEXT NOT NULL,
    key_id TEXT NOT NULL, key_limited INTEGER NOT NULL, book TEXT NOT NULL, amount TEXT NOT NULL,
    input_cost TEXT NOT NULL, admitted_at_ms INTEGER NOT NULL
  ) WITHOUT ROWID`,
  // Amounts are text: the runtime gives numbers, and those end at 2^53.
  `CREATE TABLE IF NOT EXISTS outcomes (
    id TEXT PRIMARY KEY, request_id TEXT NOT NULL, attempt INTEGER NOT NULL,
    organization_id TEXT NOT NULL, key_id TEXT NOT NULL, book TEXT NOT NULL, kind TEXT NOT NULL,
    cost TEXT NOT NULL, credit_claim TEXT NOT NULL, budget_claim TEXT NOT NULL,
    platform_cost TEXT NOT NULL, admitted_at_ms INTEGER NOT NULL, detail TEXT NOT NULL,
    sent_at_ms INTEGER
  ) WITHOUT ROWID`,
];

/** The name under which an event is posted, once, ever. */
export function eventId({ requestId, attempt, kind }: UsageEvent): string {
  return `${requestId}:${attempt}:${kind}`;
}

export class DurableJournal {
  readonly #sql: ObjectSql;

  constructor(sql: ObjectSql) {
    this.#sql = sql;
    for (const table of TABLES) sql.exec(table);
  }

  /** Whose leases these are: stays with this database, as a process's id with its directory. */
  ownerId(make: () => string): string {
    this.#sql.exec('INSERT OR IGNORE INTO identity (only, owner) VALUES (1, ?)', make());
    const [row] = this.#sql.exec('SELECT owner FROM identity');
    return textOf(row ?? {}, 'owner');
  }

  /** A later attempt takes the place of an earlier one. */
  open(hold: OpenedHold): void {
    const { requestId, attempt, organizationId, keyId, keyLimited, book } = hold;
    const { amount, inputCost, admittedAtMs } = hold;
    this.#sql.exec(
      'INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      requestId,
      attempt,
      organizationId,
      keyId,
      Number(keyLimited),
      book,
      amount.toString(),
      inputCost.toString(),
      admittedAtMs,
    );
  }

  /** The request ended without a cost. */
  forget(requestId: string): void {
    this.#sql.exec('DELETE FROM holds WHERE request_id = ?', requestId);
  }

  /** The request ended so. Told twice it is kept once. */
  settle(event: UsageEvent): void {
    const { requestId, attempt, organizationId, keyId, book, kind } = event;
    const { cost, creditClaim, budgetClaim, platformCost, admittedAtMs, detail } = event;
    this.#sql.exec(
      `INSERT OR IGNORE INTO outcomes (id, request_id, attempt, organization_id, key_id, book, kind,
        cost, credit_claim, budget_claim, platform_cost, admitted_at_ms, detail)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      eventId(event),
      requestId,
      attempt,
      organizationId,
      keyId,
      book,
      kind,
      cost.toString(),
      creditClaim.toString(),
      budgetClaim.toString(),
      platformCost.toString(),
      admittedAtMs,
      detail,
    );
    this.forget(requestId);
  }

  holds(): readonly OpenedHold[] {
    return Array.from(this.#sql.exec('SELECT * FROM holds'), toHold);
  }

  /** All that Postgres is not known to have, oldest first. */
  outcomes(): readonly UsageEvent[] {
    return Array.from(
      this.#sql.exec('SELECT * FROM outcomes ORDER BY admitted_at_ms, id'),
      toEvent,
    );
  }

  /** Outcomes that were not sent to be posted since then; at most so many. */
  unsent(sinceMs: number, countMax: number): readonly UsageEvent[] {
    const rows = this.#sql.exec(
      `SELECT * FROM outcomes WHERE coalesce(sent_at_ms, 0) < ?
      ORDER BY admitted_at_ms, id LIMIT ?`,
      sinceMs,
      countMax,
    );
    return Array.from(rows, toEvent);
  }

  markSent(events: readonly UsageEvent[], atMs: number): void {
    for (const event of events) {
      this.#sql.exec('UPDATE outcomes SET sent_at_ms = ? WHERE id = ?', atMs, eventId(event));
    }
  }

  /** Takes out what was posted. Null: it was taken out before. */
  takePosted(id: string): UsageEvent | null {
    const [row] = this.#sql.exec('DELETE FROM outcomes WHERE id = ? RETURNING *', id);
    return row === undefined ? null : toEvent(row);
  }

  /** How many outcomes wait, and when the one that waits longest was sent; 0: not yet. */
  waiting(): { readonly count: number; readonly sentAtMs: number } {
    const [row = {}] = this.#sql.exec(
      `SELECT count(*) AS count, coalesce(min(coalesce(sent_at_ms, 0)), 0) AS sent_at_ms
      FROM outcomes`,
    );
    return { count: numberOf(row, 'count'), sentAtMs: numberOf(row, 'sent_at_ms') };
  }
}

function toHold(row: Row): OpenedHold {
  return {
    requestId: textOf(row, 'request_id'),
    attempt: numberOf(row, 'attempt'),
    organizationId: textOf(row, 'organization_id'),
    keyId: textOf(row, 'key_id'),
    keyLimited: numberOf(row, 'key_limited') === 1,
    book: oneOf(row, 'book', ['live', 'test']),
    amount: bigintOf(row, 'amount'),
    inputCost: bigintOf(row, 'input_cost'),
    admittedAtMs: numberOf(row, 'admitted_at_ms'),
  };
}

function toEvent(row: Row): UsageEvent {
  return {
    requestId: textOf(row, 'request_id'),
    attempt: numberOf(row, 'attempt'),
    organizationId: textOf(row, 'organization_id'),
    keyId: textOf(row, 'key_id'),
    book: textOf(row, 'book'),
    kind: oneOf(row, 'kind', ['outcome', 'swept', 'correction']),
    cost: bigintOf(row, 'cost'),
    creditClaim: bigintOf(row, 'credit_claim'),
    budgetClaim: bigintOf(row, 'budget_claim'),
    platformCost: bigintOf(row, 'platform_cost'),
    admittedAtMs: numberOf(row, 'admitted_at_ms'),
    detail: textOf(row, 'detail'),
  };
}
