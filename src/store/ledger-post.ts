/**
 * Posting: what requests really cost, many in one statement, each exactly once. Everything that the
 * statement moves follows from the usage records that it has really inserted, so sending a batch
 * twice changes nothing the second time.
 */
import { sql } from 'drizzle-orm';

import type { Database } from './database.ts';
import { bigintOf, numberOf, onlyRow, textOf } from './decode.ts';

export type UsageKind = 'outcome' | 'swept' | 'correction';

/**
 * One request that ended. Amounts are nano-dollars, none negative but a correction's
 * `platformCost`.
 */
export interface UsageEvent {
  readonly requestId: string;
  /** With the request and the kind this names the event, which is posted once, ever. */
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
  /** Set where Postgres takes the detail in no other way: it refuses some JSON. */
  readonly detailAs?: 'text';
}

/** What stands before the detail in `toUsageJson`; no other member is called so. */
export const DETAIL_MARK = ',"d":';
const TEXT_MARK = ',"s":';

/**
 * An event as it is journalled and as it is posted: one line of JSON, made once. The detail stands
 * last and as it is, so that it is read back letter by letter; as text only where Postgres takes it
 * in no other way.
 */
export function toUsageJson(event: UsageEvent): string {
  const platform = event.platformCost === 0n ? '' : `,"p":"${event.platformCost}"`;
  const asText = event.detailAs === 'text';
  const detail = asText ? TEXT_MARK + JSON.stringify(event.detail) : DETAIL_MARK + event.detail;
  return (
    `{"t":"${event.kind}","r":${JSON.stringify(event.requestId)},"a":${event.attempt}` +
    `,"o":${JSON.stringify(event.organizationId)},"k":${JSON.stringify(event.keyId)}` +
    `,"b":"${event.book}","c":"${event.cost}","l":"${event.creditClaim}"` +
    `,"g":"${event.budgetClaim}"${platform},"m":${event.admittedAtMs}` +
    `${detail}}`
  );
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
  const list = events.map(toUsageJson).join(',');
  return postUsageJson(database, owner, `[${list}]`);
}

/** The same for events that are JSON already: an array of what `toUsageJson` makes. */
export async function postUsageJson(
  database: Database,
  owner: string,
  events: string,
): Promise<PostedBatch> {
  const row = onlyRow(await database.run(postStatement(owner, crypto.randomUUID(), events)));
  return { posted: numberOf(row, 'posted'), badDebt: bigintOf(row, 'bad_debt') };
}

/**
 * What the batch would move, if all of it is new: the locked accounts and leases decide who pays
 * what.
 */
function plannedEvents(owner: string, batch: string) {
  return sql`
input AS MATERIALIZED (
  SELECT e.r || ':' || e.a || ':' || e.t AS id, e.r AS request_id, e.o AS organization_id,
    e.k AS key_id, e.b AS book, e.t AS kind, e.c AS cost, e.l AS credit_claim, e.g AS budget_claim,
    coalesce(e.p, 0) AS platform_cost, coalesce(e.s, e.d::text) AS detail,
    e.b || ':credit:' || e.o AS credit_id, to_timestamp(e.m / 1000.0) AS admitted_at
  FROM json_to_recordset(${batch}::json) AS e(
    t text, r text, a int, o text, k text, b text, c bigint, l bigint, g bigint, p bigint, m bigint,
    d json, s text)
  WHERE NOT EXISTS (
    SELECT 1 FROM usage_records u WHERE u.id = e.r || ':' || e.a || ':' || e.t)
),
credit AS MATERIALIZED (
  SELECT a.id, a.balance FROM ledger_accounts a
  WHERE a.id IN (SELECT credit_id FROM input) ORDER BY a.id FOR UPDATE
),
lease AS MATERIALIZED (
  SELECT l.resource_id, l.amount FROM leases l
  WHERE (SELECT count(*) FROM credit) >= 0 AND l.owner = ${owner} AND l.resource_id = ANY (ARRAY(
    SELECT credit_id FROM input UNION SELECT key_id FROM input WHERE budget_claim > 0))
  ORDER BY l.resource_id FOR UPDATE
),
-- Looked up and not joined: the planner cannot know how many rows there are, and would compare each with each.
known AS MATERIALIZED (
  SELECT (SELECT coalesce(jsonb_object_agg(id, balance), '{}') FROM credit) AS balances,
    (SELECT coalesce(jsonb_object_agg(resource_id, amount), '{}') FROM lease) AS leased
),
claimed AS (
  SELECT i.*, coalesce((k.balances ->> i.credit_id)::bigint, 0) AS balance,
    greatest(0, least(i.credit_claim, coalesce((k.leased ->> i.credit_id)::bigint, 0)
      - (sum(i.credit_claim) OVER credit - i.credit_claim)))::bigint AS leased,
    greatest(0, least(i.budget_claim, coalesce((k.leased ->> i.key_id)::bigint, 0)
      - (sum(i.budget_claim) OVER budget - i.budget_claim)))::bigint AS budget_leased
  FROM input i CROSS JOIN known k
  WINDOW credit AS (PARTITION BY i.credit_id ORDER BY i.id),
    budget AS (PARTITION BY i.key_id ORDER BY i.id)
),
planned AS (
  SELECT c.*, greatest(0, least(c.cost - c.leased,
      c.balance - (sum(c.cost - c.leased) OVER credit - (c.cost - c.leased))))::bigint AS credit
  FROM claimed c WINDOW credit AS (PARTITION BY c.credit_id ORDER BY c.id)
)`;
}

/** The records themselves, and of what they move one transaction for each organization and book. */
function postedTransactions(batchId: string) {
  return sql`
posted AS (
  INSERT INTO usage_records (id, request_id, organization_id, key_id, book, kind, cost_nano,
    leased_nano, budget_leased_nano, bad_debt_nano, platform_cost_nano, admitted_at,
    transaction_id, detail)
  SELECT id, request_id, organization_id, key_id, book, kind, cost, leased, budget_leased,
    cost - leased - credit, platform_cost, admitted_at,
    CASE WHEN cost <> 0 OR platform_cost <> 0
      THEN 'settlement:' || ${batchId}::text || ':' || credit_id END,
    detail
  FROM planned ORDER BY id
  ON CONFLICT DO NOTHING
  RETURNING book || ':credit:' || organization_id AS credit_id, book, organization_id, key_id, kind,
    admitted_at, cost_nano AS cost, leased_nano AS leased, budget_leased_nano AS budget_leased,
    bad_debt_nano AS debt, platform_cost_nano AS platform_cost
),
moved AS MATERIALIZED (
  SELECT credit_id, book, organization_id, ${batchId}::text || ':' || credit_id AS source_id,
    sum(cost)::bigint AS cost, sum(leased)::bigint AS leased,
    sum(cost - leased - debt)::bigint AS credit, sum(debt)::bigint AS debt,
    sum(platform_cost)::bigint AS platform_cost
  FROM posted WHERE cost <> 0 OR platform_cost <> 0 GROUP BY credit_id, book, organization_id
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

function postStatement(owner: string, batchId: string, batch: string) {
  return sql`WITH ${plannedEvents(owner, batch)}, ${postedTransactions(batchId)},
used AS MATERIALIZED (
  SELECT coalesce(jsonb_object_agg(resource_id, amount), '{}') AS amounts FROM (
    SELECT credit_id AS resource_id, sum(leased) AS amount FROM posted GROUP BY credit_id
    UNION ALL SELECT key_id, sum(budget_leased) FROM posted GROUP BY key_id
  ) u WHERE amount > 0
),
lease_used AS (
  UPDATE leases l SET amount = l.amount - ((SELECT amounts FROM used) ->> l.resource_id)::bigint
  WHERE l.owner = ${owner}
    AND l.resource_id = ANY (ARRAY(SELECT jsonb_object_keys(amounts) FROM used))
),
budget AS (
  INSERT INTO budgets (id, organization_id, posted_nano, leased_nano)
  SELECT key_id, min(organization_id), sum(cost)::bigint, -sum(budget_leased)::bigint
  FROM posted GROUP BY key_id ORDER BY key_id
  ON CONFLICT (id) DO UPDATE SET posted_nano = budgets.posted_nano + excluded.posted_nano,
    leased_nano = budgets.leased_nano + excluded.leased_nano
),
day AS (
  INSERT INTO usage_days (key_id, day, book, organization_id, cost_nano, requests)
  SELECT key_id, (admitted_at AT TIME ZONE 'UTC')::date, book, min(organization_id),
    sum(cost)::bigint, count(*) FILTER (WHERE kind <> 'correction')
  FROM posted GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (key_id, day, book) DO UPDATE SET cost_nano = usage_days.cost_nano + excluded.cost_nano,
    requests = usage_days.requests + excluded.requests
)
SELECT (SELECT count(*) FROM posted)::int AS posted,
  coalesce((SELECT sum(debt) FROM moved), 0)::bigint AS bad_debt`;
}

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
WHERE s.kind = 'swept' AND s.kind IN ('outcome', 'swept')
  AND s.request_id IN (SELECT json_array_elements_text(${JSON.stringify(requestIds)}::json))
  AND NOT EXISTS (SELECT 1 FROM usage_records c
    WHERE c.kind = 'correction' AND c.request_id = s.request_id)`);
  return rows.map((row) => ({
    requestId: textOf(row, 'request_id'),
    cost: bigintOf(row, 'cost_nano'),
    platformCost: bigintOf(row, 'platform_cost_nano'),
  }));
}
