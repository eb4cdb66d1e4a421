/**
 * A receipt as it is shown: the fields of OpenRouter's generation, and the arithmetic spelled out.
 */
import { compilePrice, priceUsage } from '#catalog/pricing.ts';
import type { PriceSheet } from '#wire/price.ts';
import type { UsageBuckets } from '#wire/usage.ts';
import { inputTokens, outputTokens } from './chat/usage-json.ts';

/** What `toReceiptDetail` wrote. */
interface ReceiptDetail {
  readonly id: string;
  readonly request_id: string;
  readonly model: string;
  readonly upstream_model: string;
  readonly provider: string;
  readonly outcome: string;
  readonly streamed: boolean;
  readonly created_at_ms: number;
  readonly latency_ms: number;
  readonly first_byte_ms: number | null;
  readonly native_finish: string | null;
  readonly buckets: UsageBuckets;
  readonly usage_source: string;
  readonly usage_flags: readonly string[];
  readonly native_usage: unknown;
  readonly cost: string;
  readonly waived: string | null;
  readonly attempts: readonly unknown[];
  readonly warnings: readonly unknown[];
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

function arithmeticOf(receipt: ReceiptDetail): unknown {
  const compiled = compilePrice(receipt.price);
  if (!compiled.ok) return null;
  const { lines, tier, cost } = priceUsage(compiled.value, receipt.buckets);
  return { lines, tier, rounded_up_to: '0.000000001', price_of_usage_nano_usd: String(cost) };
}

/** `detail` is the ledger's text. Returns JSON text of an object. */
export function showReceipt(detail: string): string {
  // Written by this gateway, and versioned: not parsed as a stranger's.
  const receipt: ReceiptDetail = JSON.parse(detail);
  const { buckets, price, latency_ms: latency, first_byte_ms: firstByte } = receipt;
  const { native_finish: native } = receipt;
  return JSON.stringify({
    id: receipt.id,
    request_id: receipt.request_id,
    model: receipt.model,
    upstream_model: receipt.upstream_model,
    provider_name: receipt.provider,
    streamed: receipt.streamed,
    cancelled: receipt.outcome === 'cancelled',
    outcome: receipt.outcome,
    finish_reason: native === null ? null : (FINISH_REASONS[native] ?? native),
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
    native_usage: receipt.native_usage,
    usage_source: receipt.usage_source,
    usage_flags: receipt.usage_flags,
    buckets,
    price: {
      version: price.version,
      source: price.source,
      effective_date: price.effectiveFrom,
      list: price.list,
      tiers: price.tiers,
    },
    arithmetic: arithmeticOf(receipt),
    waived: receipt.waived,
    attempts: receipt.attempts,
    warnings: receipt.warnings,
    is_byok: false,
  });
}
