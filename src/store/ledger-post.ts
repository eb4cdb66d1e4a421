/**
 * Posting: what requests really cost, many in one statement, each exactly once. Everything that the
 * statement moves follows from the usage records that it has really inserted, so sending a batch
 * twice changes nothing the second time.
 */
import { sql } from 'drizzle-orm';

import type { Database } from './database.ts';
import { bigintOf, numberOf, onlyRow, textOf } from './decode.ts';

const KINDS = ['outcome', 'swept', 'correction'] as const;
export type UsageKind = (typeof KINDS)[number];

/**
 * One request that ended. Amounts are nano-dollars, none negative but a correction's
 * `platformCost`.
 */
export interface UsageEvent {
  readonly requestId: string;
  /** Told of, and no part of its name: a request ends once, and is corrected once. */
  readonly attempt: number;
  readonly organizationId: string;
  readonly keyId: string;
  readonly book: string;
  readonly kind: UsageKind;
  readonly cost: bigint;
  /** The part of the cost that this process has set aside in its lease on the credit. */
  readonly creditClaim: bigint;
  /** The same in its lease on the key's budget; zero for a key without limit. */
  readonly budgetClaim: bigint;
  readonly platformCost: bigint;
  /** Decides the day of the usage. */
  readonly admittedAtMs: number;
  /** JSON text in one line, stored as it is. */
  readonly detail: string;
}

/** Between the fields of an event; no JSON text holds it, nor a line break within a string. */
const FIELD = '\u001f';
const FIELDS = 12;
const ENDS_FIELD = /[\n\u001f]/g;
const NUL = '\0';
const WHOLE = /^-?\d{1,19}$/;

/**
 * An event as it is journalled and as it is posted: one line of text, made once, which Postgres
 * splits in a quarter of the time that it takes to parse JSON. The detail stands last and as it is,
 * so that it is read back letter by letter.
 */
export function toUsageLine(event: UsageEvent): string {
  return (
    event.kind +
    (FIELD + toField(event.requestId)) +
    (FIELD + event.attempt) +
    (FIELD + toField(event.organizationId)) +
    (FIELD + toField(event.keyId)) +
    (FIELD + event.book) +
    (FIELD + event.cost) +
    (FIELD + event.creditClaim) +
    (FIELD + event.budgetClaim) +
    (FIELD + event.platformCost) +
    (FIELD + event.admittedAtMs) +
    (FIELD + toOneLine(event.detail))
  );
}

/**
 * Ids are ours and hold nothing that would end the field. If one did, Postgres would refuse the
 * event because of the NUL: told of, and never taken for another one.
 */
function toField(id: string): string {
  return endsField(id) ? id.replaceAll(ENDS_FIELD, NUL) : id;
}

/** In JSON text a line break can only stand between tokens. */
function toOneLine(detail: string): string {
  return endsField(detail) ? detail.replaceAll(ENDS_FIELD, ' ') : detail;
}

/** Looked for first: hardly any text has one, and replacing nothing costs more. */
function endsField(text: string): boolean {
  return text.includes('\n') || text.includes(FIELD);
}

/** What `toUsageLine` wrote. Throws if it is something else. */
export function fromUsageLine(line: string): UsageEvent {
  const fields = line.split(FIELD);
  const text = (at: number): string => fields[at] ?? '';
  const whole = (at: number): bigint => {
    if (!WHOLE.test(text(at))) throw new TypeError(`field ${at}: expected a whole number`);
    return BigInt(text(at));
  };
  const kind = KINDS.find((known) => known === text(0));
  if (kind === undefined || fields.length !== FIELDS) throw new TypeError('not a usage event');
  return {
    kind,
    requestId: text(1),
    attempt: Number(whole(2)),
    organizationId: text(3),
    keyId: text(4),
    book: text(5),
    cost: whole(6),
    creditClaim: whole(7),
    budgetClaim: whole(8),
    platformCost: whole(9),
    admittedAtMs: Number(whole(10)),
    detail: text(11),
  };
}

export interface PostedBatch {
  /** Records that were new. The others were posted before, or their request was swept. */
  readonly posted: number;
  /** The part of the costs that neither holds nor accounts could pay: the platform's loss. */
  readonly badDebt: bigint;
}

/**
 * Posts a batch. Each cost is paid from the lease of this owner as far as it was claimed, then from
 * what the account still has, then by the platform as bad debt: a customer's balance never goes
 * below zero by usage.
 *
 * Locks: the credit accounts of all organizations in the batch, in id order; under them their
 * leases and budgets; then the platform's accounts, in id order. Every statement of the ledger
 * keeps this order.
 */
export function postUsage(
  database: Database,
  owner: string,
  events: readonly UsageEvent[],
): Promise<PostedBatch> {
  return postUsageLines(database, owner, events.map(toUsageLine).join('\n'));
}

/** The same for events that are text already: what `toUsageLine` makes, with `\n` between them. */
export async function postUsageLines(
  database: Database,
  owner: string,
  lines: string,
): Promise<PostedBatch> {
  const values = { owner, batch: crypto.randomUUID(), lines };
  const row = onlyRow(await database.run(POST, values));
  return { posted: numberOf(row, 'posted'), badDebt: bigintOf(row, 'bad_debt') };
}

/**
 * The batch, the locked accounts and leases, and whether they pay all that is asked of them. What
 * the batch is compared with is looked up one by one (`LATERAL`, or in JSON), since a plan is kept
 * for long: one that was made for an empty table must do for a full one.
 */
function lockedAccounts() {
  return sql`
input AS MATERIALIZED (
  SELECT f[1] AS kind, f[2] AS request_id, f[3]::int AS attempt, f[4] AS organization_id,
    f[5] AS key_id, f[6] AS book, f[7]::bigint AS cost, f[8]::bigint AS credit_claim,
    f[9]::bigint AS budget_claim, f[10]::bigint AS platform_cost,
    to_timestamp(f[11]::float8 / 1000) AS admitted_at, f[12] AS detail,
    f[6] || ':credit:' || f[4] AS credit_id
  FROM (SELECT string_to_array(line, ${FIELD}) AS f
    FROM string_to_table(${sql.placeholder('lines')}::text, E'\n') AS line OFFSET 0) fields
),
due AS MATERIALIZED (
  SELECT credit_id AS id, sum(credit_claim)::bigint AS claim,
    sum(cost - credit_claim)::bigint AS rest
  FROM input GROUP BY credit_id
),
budget_due AS MATERIALIZED (
  SELECT key_id AS id, sum(budget_claim)::bigint AS claim
  FROM input WHERE budget_claim > 0 GROUP BY key_id
),
credit AS MATERIALIZED (
  SELECT d.id, a.balance FROM (SELECT id FROM due ORDER BY id) d
  CROSS JOIN LATERAL (SELECT balance FROM ledger_accounts WHERE id = d.id FOR UPDATE) a
),
lease AS MATERIALIZED (
  SELECT l.resource_id, l.amount FROM leases l
  WHERE (SELECT count(*) FROM credit) >= 0 AND l.owner = ${sql.placeholder('owner')}
    AND l.resource_id = ANY (ARRAY(SELECT id FROM due UNION ALL SELECT id FROM budget_due))
  ORDER BY l.resource_id FOR UPDATE
),
known AS MATERIALIZED (
  SELECT (SELECT coalesce(jsonb_object_agg(id, balance), '{}') FROM credit) AS balances,
    (SELECT coalesce(jsonb_object_agg(resource_id, amount), '{}') FROM lease) AS leased
),
solvent AS MATERIALIZED (
  SELECT NOT EXISTS (SELECT 1 FROM due d CROSS JOIN known k
      WHERE d.claim > coalesce((k.leased ->> d.id)::bigint, 0)
        OR d.rest > coalesce((k.balances ->> d.id)::bigint, 0))
    AND NOT EXISTS (SELECT 1 FROM budget_due d CROSS JOIN known k
      WHERE d.claim > coalesce((k.leased ->> d.id)::bigint, 0)) AS yes
)`;
}

/**
 * Who pays what. Mostly everything can be paid as it is claimed, repeated events or not. Otherwise
 * those that are new are paid for one after the other, for as long as there is something.
 */
function plannedEvents() {
  return sql`
claimed AS (
  SELECT i.*, coalesce((k.balances ->> i.credit_id)::bigint, 0) AS balance,
    greatest(0, least(i.credit_claim, coalesce((k.leased ->> i.credit_id)::bigint, 0)
      - (sum(i.credit_claim) OVER credit - i.credit_claim)))::bigint AS leased,
    greatest(0, least(i.budget_claim, coalesce((k.leased ->> i.key_id)::bigint, 0)
      - (sum(i.budget_claim) OVER budget - i.budget_claim)))::bigint AS budget_leased
  FROM input i CROSS JOIN known k
  CROSS JOIN LATERAL (SELECT count(*) AS times FROM usage_records u
    WHERE u.request_id = i.request_id
      AND (u.kind = 'correction') = (i.kind = 'correction')) before
  WHERE before.times = 0
  WINDOW credit AS (PARTITION BY i.credit_id ORDER BY i.request_id ROWS UNBOUNDED PRECEDING),
    budget AS (PARTITION BY i.key_id ORDER BY i.request_id ROWS UNBOUNDED PRECEDING)
),
planned AS (
  SELECT request_id, attempt, organization_id, key_id, book, kind, credit_id, cost,
    credit_claim AS leased, budget_claim AS budget_leased, 0 AS debt, platform_cost, admitted_at,
    detail
  FROM input WHERE (SELECT yes FROM solvent)
  UNION ALL
  SELECT request_id, attempt, organization_id, key_id, book, kind, credit_id, cost,
    leased, budget_leased, cost - leased - greatest(0, least(cost - leased,
      balance - (sum(cost - leased) OVER credit - (cost - leased))))::bigint, platform_cost,
    admitted_at, detail
  FROM claimed WHERE NOT (SELECT yes FROM solvent)
  WINDOW credit AS (PARTITION BY credit_id ORDER BY request_id ROWS UNBOUNDED PRECEDING)
)`;
}

/** The records themselves, and of what they move one transaction for each organization and book. */
function postedTransactions() {
  return sql`
posted AS (
  INSERT INTO usage_records (request_id, attempt, organization_id, key_id, book, kind, cost_nano,
    leased_nano, budget_leased_nano, bad_debt_nano, platform_cost_nano, admitted_at,
    transaction_id, detail)
  SELECT request_id, attempt, organization_id, key_id, book, kind, cost, leased, budget_leased,
    debt, platform_cost, admitted_at,
    CASE WHEN cost <> 0 OR platform_cost <> 0
      THEN 'settlement:' || ${sql.placeholder('batch')}::text || ':' || credit_id END,
    detail
  FROM planned
  ON CONFLICT DO NOTHING
  RETURNING book, organization_id, key_id, kind, admitted_at, cost_nano AS cost,
    leased_nano AS leased, budget_leased_nano AS budget_leased, bad_debt_nano AS debt,
    platform_cost_nano AS platform_cost
),
-- Everything below moves what was inserted, and nothing else.
usage AS MATERIALIZED (
  SELECT book || ':credit:' || organization_id AS credit_id, book, organization_id, key_id,
    (admitted_at AT TIME ZONE 'UTC')::date AS day, count(*) AS records,
    count(*) FILTER (WHERE kind <> 'correction') AS requests, sum(cost)::bigint AS cost,
    sum(leased)::bigint AS leased, sum(budget_leased)::bigint AS budget_leased,
    sum(debt)::bigint AS debt, sum(platform_cost)::bigint AS platform_cost
  FROM posted GROUP BY book, organization_id, key_id, day
),
moved AS MATERIALIZED (
  SELECT credit_id, book, organization_id, ${sql.placeholder('batch')}::text || ':' || credit_id AS source_id,
    sum(cost)::bigint AS cost, sum(leased)::bigint AS leased,
    sum(cost - leased - debt)::bigint AS credit, sum(debt)::bigint AS debt,
    sum(platform_cost)::bigint AS platform_cost
  FROM usage WHERE cost <> 0 OR platform_cost <> 0 GROUP BY credit_id, book, organization_id
),
transaction AS (
  INSERT INTO ledger_transactions (id, kind, book, source, source_id, organization_id)
  SELECT 'settlement:' || source_id, 'usage', book, 'settlement', source_id, organization_id
  FROM moved
),
line AS MATERIALIZED (
  SELECT 'settlement:' || m.source_id AS transaction_id, l.kind, l.organization_id, m.book, l.amount,
    m.book || ':' || l.kind || coalesce(':' || l.organization_id, '') AS account_id
  FROM moved m CROSS JOIN LATERAL (VALUES
    ('leased', m.organization_id, -m.leased), ('credit', m.organization_id, -m.credit),
    ('bad_debt', NULL, -m.debt), ('revenue', NULL, m.cost),
    ('provider_cost', NULL, -m.platform_cost), ('upstream_payable', NULL, m.platform_cost)
  ) AS l(kind, organization_id, amount)
  WHERE l.amount <> 0
),
entry AS (
  INSERT INTO ledger_entries (transaction_id, account_id, amount)
  SELECT transaction_id, account_id, amount FROM line
),
balance AS (
  INSERT INTO ledger_accounts (id, kind, organization_id, book, balance)
  SELECT account_id, kind, organization_id, book, sum(amount)::bigint FROM line
  GROUP BY account_id, kind, organization_id, book
  ORDER BY (organization_id IS NULL), account_id
  ON CONFLICT (id) DO UPDATE SET balance = ledger_accounts.balance + excluded.balance
)`;
}

function postStatement() {
  return sql`WITH ${lockedAccounts()}, ${plannedEvents()}, ${postedTransactions()},
used AS MATERIALIZED (
  SELECT coalesce(jsonb_object_agg(resource_id, amount), '{}') AS amounts FROM (
    SELECT credit_id AS resource_id, sum(leased) AS amount FROM usage GROUP BY credit_id
    UNION ALL SELECT key_id, sum(budget_leased) FROM usage GROUP BY key_id
  ) u WHERE amount > 0
),
lease_used AS (
  UPDATE leases l SET amount = l.amount - ((SELECT amounts FROM used) ->> l.resource_id)::bigint
  WHERE l.owner = ${sql.placeholder('owner')}
    AND l.resource_id = ANY (ARRAY(SELECT jsonb_object_keys(amounts) FROM used))
),
budget AS (
  INSERT INTO budgets (id, organization_id, posted_nano, leased_nano)
  SELECT key_id, min(organization_id), sum(cost)::bigint, -sum(budget_leased)::bigint
  FROM usage GROUP BY key_id ORDER BY key_id
  ON CONFLICT (id) DO UPDATE SET posted_nano = budgets.posted_nano + excluded.posted_nano,
    leased_nano = budgets.leased_nano + excluded.leased_nano
),
day AS (
  INSERT INTO usage_days (key_id, day, book, organization_id, cost_nano, requests)
  SELECT key_id, day, book, min(organization_id), sum(cost)::bigint, sum(requests)
  FROM usage GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (key_id, day, book) DO UPDATE SET cost_nano = usage_days.cost_nano + excluded.cost_nano,
    requests = usage_days.requests + excluded.requests
)
SELECT coalesce(sum(records), 0)::int AS posted, coalesce(sum(debt), 0)::bigint AS bad_debt FROM usage`;
}

/** Kept, so that it is rendered once. */
const POST = postStatement();

/** A sweep that an outcome came too late for. */
export interface SweptRequest {
  readonly requestId: string;
  readonly cost: bigint;
  readonly platformCost: bigint;
}

/** Of these requests, those that ended by a sweep and have no correction yet. */
export async function findSwept(
  database: Database,
  requestIds: readonly string[],
): Promise<readonly SweptRequest[]> {
  const rows = await database.run(sql`
SELECT s.request_id, s.cost_nano, s.platform_cost_nano FROM usage_records s
WHERE s.kind = 'swept'
  AND s.request_id = ANY (ARRAY(SELECT json_array_elements_text(${JSON.stringify(requestIds)}::json)))
  AND NOT EXISTS (SELECT 1 FROM usage_records c
    WHERE c.kind = 'correction' AND c.request_id = s.request_id)`);
  return rows.map((row) => ({
    requestId: textOf(row, 'request_id'),
    cost: bigintOf(row, 'cost_nano'),
    platformCost: bigintOf(row, 'platform_cost_nano'),
  }));
}
