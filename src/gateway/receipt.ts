/**
 * The receipt of a request: everything from which its cost can be done again by hand. Written
 * small, on the hot path; its arithmetic is spelled out when somebody reads it.
 */
import type { Price } from '#catalog/pricing.ts';
import type { Caller } from '#identity/identity.ts';
import type { Warning } from '#providers/provider.ts';
import { USAGE_BUCKETS, type Usage, type UsageBuckets } from '#wire/usage.ts';
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
  /** The price of the service tier that was billed; null for the standard one. */
  readonly service: Price | null;
  /** Why the cost is not the price of the usage, if it is not: "failed", "empty". */
  readonly waived: string | null;
  readonly attempts: readonly AttemptRecord[];
  readonly warnings: readonly Warning[];
}

/** JSON text that is the same for every request that an endpoint serves. */
interface ConstantParts {
  /** Members: the host's name for the model, the host, its price. */
  readonly members: string;
  readonly id: string;
}

/** Endpoints are few and live as long as the process: what never changes is written once. */
const constantParts = new WeakMap<Endpoint, ConstantParts>();

function constantsOf(endpoint: Endpoint): ConstantParts {
  const known = constantParts.get(endpoint);
  if (known !== undefined) return known;
  const constants = writeConstants(endpoint, endpoint.price);
  constantParts.set(endpoint, constants);
  return constants;
}

/** Only the price that holds is told, not those of the host's other service tiers. */
function writeConstants(endpoint: Endpoint, { version, sheet }: Price): ConstantParts {
  const { services: _others, ...prices } = sheet;
  const members = JSON.stringify({
    upstream_model: endpoint.target.model,
    provider: endpoint.providerName,
    price: { version, ...prices },
  }).slice(1, -1);
  return { members, id: JSON.stringify(endpoint.id) };
}

/** Members that are mostly absent: what is empty is left out. */
function rareParts(facts: ReceiptFacts): string {
  const { usage, warnings, waived, nativeFinish, firstByteMs, service } = facts;
  const { metadata, tags } = facts.caller;
  let text = '';
  if (firstByteMs !== null) text += `,"first_byte_ms":${Math.round(firstByteMs)}`;
  if (nativeFinish !== null) {
    text += `,"native_finish":${JSON.stringify(nativeFinish.slice(0, FINISH_LENGTH_MAX))}`;
  }
  if (usage.flags.length > 0) text += `,"usage_flags":${JSON.stringify(usage.flags)}`;
  if (service !== null) text += `,"service_tier":${JSON.stringify(service.service)}`;
  if (waived !== null) text += `,"waived":${JSON.stringify(waived)}`;
  if (warnings.length > 0) text += `,"warnings":${JSON.stringify(warnings)}`;
  if (metadata !== null) text += `,"key_metadata":${JSON.stringify(metadata)}`;
  if (tags !== null) text += `,"key_tags":${JSON.stringify(tags)}`;
  return text;
}

/** Some dozen times what hosts say. */
const NATIVE_USAGE_LENGTH_MAX = 16_384;
const FINISH_LENGTH_MAX = 100;

/** One line: a host may have written its object over several. What is too long is left out. */
function nativeUsage({ usage, usageText }: ReceiptFacts): string {
  if (usage.native === null || usage.native === undefined) return '';
  const oneLine = usageText !== null && !usageText.includes('\n') && !usageText.includes('\r');
  const text = oneLine ? usageText : JSON.stringify(usage.native);
  return text.length > NATIVE_USAGE_LENGTH_MAX ? '' : `,"native_usage":${text}`;
}

/**
 * The receipt as the ledger keeps it: JSON text, schema `ReceiptDetail` in `receipt-reading.ts`.
 * The ledger knows ids, time and cost. By hand, because every byte of it is made on the hot path.
 */
export function toReceiptDetail(facts: ReceiptFacts): string {
  const { candidate, service, usage } = facts;
  const { endpoint } = candidate;
  const constants = service === null ? constantsOf(endpoint) : writeConstants(endpoint, service);
  return (
    `{"v":1,"model":${JSON.stringify(candidate.model.id)},${constants.members},` +
    `"outcome":"${facts.outcome}","streamed":${facts.streamed},` +
    `"latency_ms":${Math.round(facts.latencyMs)},"buckets":${bucketsJson(usage.buckets)},` +
    `"usage_source":"${usage.source}","attempts":${attemptsJson(facts, constants.id)}` +
    `${nativeUsage(facts)}${rareParts(facts)}}`
  );
}

function bucketsJson(buckets: UsageBuckets): string {
  let text = '';
  for (const bucket of USAGE_BUCKETS) {
    const units = buckets[bucket];
    if (units !== undefined) text += `${text === '' ? '' : ','}"${bucket}":${units}`;
  }
  return `{${text}}`;
}

/** Those that failed, and the one that was served, which is the last. */
function attemptsJson({ attempts, outcome, latencyMs }: ReceiptFacts, endpoint: string): string {
  const failed = JSON.stringify(attempts);
  if (outcome === 'failed') return failed;
  let before = 0;
  for (const { ms } of attempts) before += ms;
  const ms = Math.max(0, Math.round(latencyMs) - before);
  const status = outcome === 'completed' ? 200 : null;
  const served = `{"endpoint":${endpoint},"outcome":"${outcome}","status":${status},"ms":${ms}}]`;
  return attempts.length === 0 ? `[${served}` : `${failed.slice(0, -1)},${served}`;
}
