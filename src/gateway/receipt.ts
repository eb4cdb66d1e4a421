/**
 * The receipt of a request: everything from which its cost can be done again by hand. Written
 * small, on the hot path; its arithmetic is spelled out when somebody reads it.
 */
import type { Caller } from '#identity/identity.ts';
import type { Warning } from '#providers/provider.ts';
import type { Usage } from '#wire/usage.ts';
import type { AttemptRecord } from './attempt.ts';
import type { Endpoint } from './endpoint.ts';
import type { Candidate } from './plan.ts';

export type ReceiptOutcome = 'completed' | 'cancelled' | 'broken' | 'failed';

export interface ReceiptFacts {
  /** What the key's owner noted on it, as it was when the request came. */
  readonly caller: Pick<Caller, 'metadata' | 'tags'>;
  readonly candidate: Candidate;
  readonly outcome: ReceiptOutcome;
  readonly streamed: boolean;
  readonly latencyMs: number;
  readonly firstByteMs: number | null;
  /** The upstream's word; null when it did not finish. */
  readonly nativeFinish: string | null;
  readonly usage: Usage;
  /** The upstream's own object as it was written, where that is at hand. */
  readonly usageText: string | null;
  /** Why the cost is not the price of the usage, if it is not: "failed", "empty". */
  readonly waived: string | null;
  readonly attempts: readonly AttemptRecord[];
  readonly warnings: readonly Warning[];
}

/** Endpoints are few and live as long as the process: what never changes is written once. */
const constantParts = new WeakMap<Endpoint, string>();

function constantPart(endpoint: Endpoint): string {
  const known = constantParts.get(endpoint);
  if (known !== undefined) return known;
  const { price, target, providerName } = endpoint;
  const text = JSON.stringify({
    upstream_model: target.model,
    provider: providerName,
    price: { version: price.version, ...price.sheet },
  }).slice(1, -1);
  constantParts.set(endpoint, text);
  return text;
}

/** Members that are mostly absent: what is empty is left out. */
function rareParts(facts: ReceiptFacts): string {
  const { usage, warnings, waived, nativeFinish, firstByteMs } = facts;
  const { metadata, tags } = facts.caller;
  let text = '';
  if (firstByteMs !== null) text += `,"first_byte_ms":${Math.round(firstByteMs)}`;
  if (nativeFinish !== null) text += `,"native_finish":${JSON.stringify(nativeFinish)}`;
  if (usage.flags.length > 0) text += `,"usage_flags":${JSON.stringify(usage.flags)}`;
  if (waived !== null) text += `,"waived":${JSON.stringify(waived)}`;
  if (warnings.length > 0) text += `,"warnings":${JSON.stringify(warnings)}`;
  if (metadata !== null) text += `,"key_metadata":${JSON.stringify(metadata)}`;
  if (tags !== null) text += `,"key_tags":${JSON.stringify(tags)}`;
  return text;
}

/** One line: a host may have written its object over several. */
function nativeUsage({ usage, usageText }: ReceiptFacts): string {
  if (usage.native === null || usage.native === undefined) return '';
  const oneLine = usageText !== null && !usageText.includes('\n') && !usageText.includes('\r');
  return `,"native_usage":${oneLine ? usageText : JSON.stringify(usage.native)}`;
}

/**
 * The receipt as the ledger keeps it: JSON text, schema `ReceiptDetail` in `receipt-reading.ts`.
 * The ledger knows ids, time and cost. By hand, because every byte of it is made on the hot path.
 */
export function toReceiptDetail(facts: ReceiptFacts): string {
  const { candidate, usage, attempts } = facts;
  const served = facts.outcome === 'failed' ? [] : [servedRecord(facts)];
  return (
    `{"v":1,"model":${JSON.stringify(candidate.model.id)},${constantPart(candidate.endpoint)},` +
    `"outcome":"${facts.outcome}","streamed":${facts.streamed},` +
    `"latency_ms":${Math.round(facts.latencyMs)},"buckets":${JSON.stringify(usage.buckets)},` +
    `"usage_source":"${usage.source}","attempts":${JSON.stringify([...attempts, ...served])}` +
    `${nativeUsage(facts)}${rareParts(facts)}}`
  );
}

function servedRecord(facts: ReceiptFacts): AttemptRecord {
  const before = facts.attempts.reduce((sum, attempt) => sum + attempt.ms, 0);
  const ms = Math.max(0, Math.round(facts.latencyMs) - before);
  const status = facts.outcome === 'completed' ? 200 : null;
  return { endpoint: facts.candidate.endpoint.id, outcome: facts.outcome, status, ms };
}
