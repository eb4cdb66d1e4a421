/**
 * The receipt of a request: everything from which its cost can be done again by hand. Written
 * small, on the hot path; its arithmetic is spelled out when somebody reads it.
 */
import { formatUsd, type NanoUsd } from '#base/money.ts';
import type { Price } from '#catalog/pricing.ts';
import type { Warning } from '#providers/provider.ts';
import type { Usage } from '#wire/usage.ts';
import type { AttemptRecord } from './attempt.ts';
import type { Candidate } from './plan.ts';

export type ReceiptOutcome = 'completed' | 'cancelled' | 'broken' | 'failed';

export interface ReceiptFacts {
  readonly requestId: string;
  readonly generationId: string;
  readonly candidate: Candidate;
  readonly outcome: ReceiptOutcome;
  readonly streamed: boolean;
  readonly createdAtMs: number;
  readonly latencyMs: number;
  readonly firstByteMs: number | null;
  /** The upstream's word; null when it did not finish. */
  readonly nativeFinish: string | null;
  readonly usage: Usage;
  readonly cost: NanoUsd;
  /** Why the cost is not the price of the usage, if it is not: "failed", "empty". */
  readonly waived: string | null;
  readonly attempts: readonly AttemptRecord[];
  readonly warnings: readonly Warning[];
}

/** Compiled prices are few and live as long as the process: their JSON is made once. */
const priceJson = new WeakMap<Price, string>();

function jsonOf(price: Price): string {
  const known = priceJson.get(price);
  if (known !== undefined) return known;
  const json = JSON.stringify({ version: price.version, ...price.sheet });
  priceJson.set(price, json);
  return json;
}

/**
 * The receipt as the ledger keeps it: JSON text, schema `ReceiptDetail` in `receipt-reading.ts`.
 */
export function toReceiptDetail(facts: ReceiptFacts): string {
  const { candidate, usage, attempts, warnings } = facts;
  const { endpoint, model } = candidate;
  const served = facts.outcome === 'failed' ? [] : [servedRecord(facts)];
  const text = JSON.stringify({
    v: 1,
    id: facts.generationId,
    request_id: facts.requestId,
    model: model.id,
    upstream_model: endpoint.target.model,
    provider: endpoint.providerName,
    provider_type: endpoint.provider.id,
    outcome: facts.outcome,
    streamed: facts.streamed,
    created_at_ms: facts.createdAtMs,
    latency_ms: Math.round(facts.latencyMs),
    first_byte_ms: facts.firstByteMs === null ? null : Math.round(facts.firstByteMs),
    native_finish: facts.nativeFinish,
    buckets: usage.buckets,
    usage_source: usage.source,
    usage_flags: usage.flags,
    native_usage: usage.native ?? null,
    cost: formatUsd(facts.cost),
    waived: facts.waived,
    attempts: [...attempts, ...served],
    warnings,
  });
  return `${text.slice(0, -1)},"price":${jsonOf(endpoint.price)}}`;
}

function servedRecord(facts: ReceiptFacts): AttemptRecord {
  const before = facts.attempts.reduce((sum, attempt) => sum + attempt.ms, 0);
  const ms = Math.max(0, Math.round(facts.latencyMs) - before);
  const status = facts.outcome === 'completed' ? 200 : null;
  return { endpoint: facts.candidate.endpoint.id, outcome: facts.outcome, status, ms };
}
