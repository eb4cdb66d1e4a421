/**
 * A receipt as it is shown: the fields of OpenRouter's generation, and the arithmetic spelled out.
 */
import { compilePrice, priceUsage } from '#catalog/pricing.ts';
import type { PriceSheet } from '#wire/price.ts';
import { inputTokens, outputTokens, type UsageBuckets } from '#wire/usage.ts';

/** What `toReceiptDetail` wrote. */
interface ReceiptDetail {
  readonly model: string;
  readonly upstream_model: string;
  readonly provider: string;
  readonly outcome: string;
  readonly streamed: boolean;
  readonly latency_ms: number;
  readonly first_byte_ms?: number;
  readonly native_finish?: string;
  readonly buckets: UsageBuckets;
  readonly usage_source: string;
  readonly usage_flags?: readonly string[];
  readonly native_usage?: unknown;
  /** Absent where the standard tier was billed; `price` is that of the tier. */
  readonly service_tier?: string;
  readonly waived?: string;
  readonly attempts: readonly unknown[];
  readonly warnings?: readonly unknown[];
  readonly key_metadata?: Readonly<Record<string, string>>;
  readonly key_tags?: readonly string[];
  readonly price: PriceSheet & { readonly version: string };
}

/** Our words for the words that hosts use; the rest is told as it stands. */
const FINISH_REASONS: Readonly<Record<string, string>> = {
  stop: 'stop',
  eos: 'stop',
  end_turn: 'stop',
  length: 'length',
  max_tokens: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
  sensitive: 'content_filter',
  error: 'error',
};

function finishReason(native: string): string {
  const ours = Object.hasOwn(FINISH_REASONS, native) ? FINISH_REASONS[native] : undefined;
  return ours ?? native;
}

function arithmeticOf(receipt: ReceiptDetail): unknown {
  const compiled = compilePrice(receipt.price);
  if (!compiled.ok) return null;
  const { lines, tier, cost } = priceUsage(compiled.value, receipt.buckets);
  return { lines, tier, rounded_up_to: '0.000000001', price_of_usage_nano_usd: String(cost) };
}

/** What the owner of the key had noted on it when the request came. */
function keyNotes({ key_metadata: metadata = {}, key_tags: tags = [] }: ReceiptDetail): object {
  return { key_metadata: metadata, key_tags: tags };
}

/** `detail` is the ledger's text. Returns JSON text of an object. */
export function showReceipt(detail: string): string {
  // oxlint-disable-next-line typescript/no-unsafe-assignment -- the text that toReceiptDetail wrote
  const receipt: ReceiptDetail = JSON.parse(detail);
  const { buckets, price, latency_ms: latency, attempts } = receipt;
  const { native_finish: native = null, first_byte_ms: firstByte = null } = receipt;
  return JSON.stringify({
    model: receipt.model,
    upstream_model: receipt.upstream_model,
    provider_name: receipt.provider,
    streamed: receipt.streamed,
    cancelled: receipt.outcome === 'cancelled',
    status: receipt.outcome,
    outcome: receipt.outcome,
    finish_reason: native === null ? null : finishReason(native),
    native_finish_reason: native,
    latency,
    time_to_first_token: firstByte,
    generation_time: firstByte === null ? null : Math.max(0, latency - firstByte),
    tokens_prompt: inputTokens(buckets),
    tokens_completion: outputTokens(buckets),
    native_tokens_prompt: inputTokens(buckets),
    native_tokens_completion: outputTokens(buckets),
    native_tokens_reasoning: buckets.reasoning ?? 0,
    native_tokens_cached: buckets.cache_read ?? 0,
    native_usage: receipt.native_usage ?? null,
    usage_source: receipt.usage_source,
    usage_flags: receipt.usage_flags ?? [],
    buckets,
    service_tier: receipt.service_tier ?? null,
    price: {
      version: price.version,
      source: price.source,
      effective_date: price.effectiveFrom,
      list: price.list,
      tiers: price.tiers,
    },
    arithmetic: arithmeticOf(receipt),
    waived: receipt.waived ?? null,
    attempts,
    warnings: receipt.warnings ?? [],
    ...keyNotes(receipt),
    is_byok: false,
  });
}
