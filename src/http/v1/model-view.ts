/**
 * A model and its endpoints as clients see them: OpenAI's members, OpenRouter's beside them, and
 * where every price comes from.
 */
import { endOfLife } from '#catalog/lifecycle.ts';
import type { Endpoint, PublicModel } from '#gateway/endpoint.ts';
import type { Model, ModelPricing } from '#wire/models.ts';
import type { PriceList, PriceSheet } from '#wire/price.ts';
import type { UsageBucket } from '#wire/usage.ts';

const MILLION_DIGITS = 6;

/** Dollars per million to dollars per token, exactly: the point moves six places. */
export function perToken(perMillion: string | undefined): string {
  const [whole = '0', fraction = ''] = (perMillion ?? '0').split('.', 2);
  const digits = whole.padStart(MILLION_DIGITS + 1, '0') + fraction;
  const point = digits.length - fraction.length - MILLION_DIGITS;
  const head = digits.slice(0, point).replace(/^0+(?=\d)/, '');
  const tail = digits.slice(point).replace(/0+$/, '');
  return tail === '' ? head : `${head}.${tail}`;
}

/** OpenRouter's names of prices; those for which it has none are ours. */
const TOKEN_PRICES: readonly (readonly [member: keyof ModelPricing, bucket: UsageBucket])[] = [
  ['input_cache_read', 'cache_read'],
  ['input_cache_write', 'cache_write_5m'],
  ['input_cache_write_1h', 'cache_write_1h'],
  ['internal_reasoning', 'reasoning'],
  ['audio', 'audio_input'],
  ['audio_output', 'audio_output'],
  ['image_output', 'image_output'],
];
const UNIT_PRICES: readonly (readonly [member: keyof ModelPricing, bucket: UsageBucket])[] = [
  ['image', 'image'],
  ['second', 'second'],
  ['character', 'character'],
];

function toPricing(list: PriceList): ModelPricing {
  const pricing: ModelPricing = {
    prompt: perToken(list.input),
    completion: perToken(list.output),
    request: list.request ?? '0',
  };
  for (const [member, bucket] of TOKEN_PRICES) {
    if (list[bucket] !== undefined) pricing[member] = perToken(list[bucket]);
  }
  for (const [member, bucket] of UNIT_PRICES) {
    const price = list[bucket];
    if (price !== undefined) pricing[member] = price;
  }
  return pricing;
}

/** The price that would be paid now; where nothing serves it, that of the first host. */
export function sheetOf(model: PublicModel): PriceSheet | undefined {
  return model.endpoints[0]?.price.sheet ?? model.offers[0]?.price.sheet;
}

/** What every chat model takes. */
const PARAMETERS = ['max_tokens', 'max_completion_tokens', 'stop'];
/** What a capability lets a request say. */
const PARAMETERS_OF: Readonly<Record<string, readonly string[]>> = {
  tools: ['tools', 'tool_choice', 'parallel_tool_calls'],
  json_mode: ['response_format'],
  structured_output: ['structured_outputs'],
  reasoning: ['reasoning', 'include_reasoning', 'reasoning_effort'],
  sampling: ['temperature', 'top_p'],
  web_search: ['web_search_options'],
};

/** Names as OpenRouter writes them. Empty for what is no chat model. */
export function parametersOf(model: PublicModel): readonly string[] {
  const { inputModalities, outputModalities, capabilities } = model;
  if (!inputModalities.includes('text') || !outputModalities.includes('text')) return [];
  return [...PARAMETERS, ...capabilities.flatMap((name) => PARAMETERS_OF[name] ?? [])];
}

function architectureOf(model: PublicModel): NonNullable<Model['architecture']> {
  const { inputModalities, outputModalities } = model;
  return {
    modality: `${inputModalities.join('+')}->${outputModalities.join('+')}`,
    input_modalities: [...inputModalities],
    output_modalities: [...outputModalities],
  };
}

/** Hosts end a model on days of their own: what counts is the one that would serve it now. */
function warningsOf(model: PublicModel, nowMs: number): Pick<Model, 'warnings'> {
  const [first = model] = model.endpoints;
  const { id, successor } = model;
  const end = endOfLife({ id, successor, shutdown: first.shutdown }, nowMs);
  return end === null ? {} : { warnings: [{ code: 'shutdown', message: end.message }] };
}

export function toModel(model: PublicModel, nowMs: number): Model {
  const sheet = sheetOf(model);
  return {
    id: model.id,
    object: 'model',
    created: model.created,
    owned_by: model.lab ?? model.endpoints[0]?.providerName ?? 'omnix',
    name: model.name,
    shutdown_date: model.shutdown,
    successor: model.successor,
    context_length: model.context,
    architecture: architectureOf(model),
    ...(sheet === undefined ? {} : { pricing: toPricing(sheet.list) }),
    top_provider: { context_length: model.context, max_completion_tokens: model.maxOutput },
    supported_parameters: [...parametersOf(model)],
    capabilities: model.capabilities,
    providers: [...new Set(model.endpoints.map(({ providerName }) => providerName))],
    ...warningsOf(model, nowMs),
    ...(model.chain === null ? {} : { alias: model.chain }),
  };
}

/** Where a model can run, in the order in which places are tried. */
export function endpointsOf(model: PublicModel): readonly object[] {
  return model.endpoints.map((endpoint) => toEndpoint(model, endpoint));
}

function toEndpoint(model: PublicModel, endpoint: Endpoint): object {
  const { sheet } = endpoint.price;
  return {
    name: `${endpoint.providerName} | ${model.id}`,
    model_name: model.name,
    provider_name: endpoint.providerName,
    model: endpoint.target.model,
    context_length: endpoint.context,
    max_completion_tokens: endpoint.maxOutput,
    pricing: toPricing(sheet.list),
    price: sheet.list,
    price_tiers: sheet.tiers.map(({ aboveInputTokens, ...list }) => ({
      above_input_tokens: aboveInputTokens,
      ...list,
    })),
    ...(sheet.batch === undefined ? {} : { price_batch: sheet.batch }),
    price_source: sheet.source,
    price_effective_date: sheet.effectiveFrom,
    shutdown_date: endpoint.shutdown,
    supported_parameters: parametersOf(model),
  };
}

/** What OpenRouter says beside the endpoints of a model. */
export function toEndpointsHead(model: PublicModel): object {
  return {
    id: model.id,
    name: model.name,
    created: model.created,
    architecture: architectureOf(model),
  };
}
