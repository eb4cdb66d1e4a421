/**
 * What no data set says, or says wrongly, decided by hand: prices on which the sets disagree,
 * facts of models younger than models.dev's snapshot. Each with its source.
 */
import type { ModelFacts } from '#catalog/models.ts';
import type { DataSet, MutableList } from './sources.ts';

/** The day for which the catalog is derived: what is shut down before it is left out. */
export const TODAY = '2026-11-20';

interface PriceDecision {
  /** Believe this set, or take these numbers. */
  readonly take:
    | DataSet
    | { readonly list: MutableList; readonly source: string; readonly effectiveFrom: string };
  readonly why: string;
}

const DEEPSEEK_PAGE = 'https://api-docs.deepseek.com/quick_start/pricing';
const DEEPSEEK_WHY =
  'Peak price (weekdays 01:00-04:00 and 06:00-10:00 UTC); all other hours cost half. A sheet has no hours, and the hold must cover the worst.';
const FLASH = { input: '0.3', cache_read: '0.006', output: '1.2' };

const PERPLEXITY_PAGE =
  'https://docs.perplexity.ai/docs/getting-started/pricing (litellm 2026-07-24)';

function sonar(input: string, output: string, request: string): PriceDecision {
  return {
    take: {
      list: { input, output, request },
      source: PERPLEXITY_PAGE,
      effectiveFrom: '2026-07-24',
    },
    why: 'The fee per request at search_context_size low, the default; medium and high cost more (litellm knows all three), which a sheet cannot say.',
  };
}

const GEMINI_36 = 'introductory until 2026-12-31, as genai-prices says; 1.50 and 7.50 from then on';
const NOVA_EU = "genai-prices has the American regions' price for every profile";

/** By `<provider>/<host's id>`. */
export const PRICES: Readonly<Record<string, PriceDecision>> = {
  'deepseek/deepseek-flash': {
    take: { list: FLASH, source: DEEPSEEK_PAGE, effectiveFrom: '2026-10-27' },
    why: DEEPSEEK_WHY,
  },
  'deepseek/deepseek-v4-flash': {
    take: { list: FLASH, source: DEEPSEEK_PAGE, effectiveFrom: '2026-10-27' },
    why: `Served and billed as deepseek-flash since September 2026. ${DEEPSEEK_WHY}`,
  },
  'deepseek/deepseek-v4-pro': {
    take: {
      list: { input: '1.32', cache_read: '0.044', output: '3.96' },
      source: DEEPSEEK_PAGE,
      effectiveFrom: '2026-10-27',
    },
    why: DEEPSEEK_WHY,
  },
  'gemini/gemini-3.6-flash': { take: 'genai-prices', why: GEMINI_36 },
  'vertex/gemini-3.6-flash': { take: 'genai-prices', why: GEMINI_36 },
  'bedrock/eu.amazon.nova-lite-v1:0': { take: 'litellm', why: NOVA_EU },
  'bedrock/eu.amazon.nova-micro-v1:0': { take: 'litellm', why: NOVA_EU },
  'bedrock/eu.amazon.nova-pro-v1:0': { take: 'litellm', why: NOVA_EU },
  'bedrock/us.anthropic.claude-fable-5': {
    take: 'litellm',
    why: 'a regional profile costs a tenth more, as for every other Claude since 4.5',
  },
  'azure-openai/gpt-4o-mini': {
    take: 'models.dev',
    why: "litellm's is the price of a data zone; the global one is OpenAI's",
  },
  'azure-openai/phi-4': { take: 'models.dev', why: "genai-prices has a reseller's price here" },
  'azure-openai/phi-4-reasoning-plus': {
    take: 'models.dev',
    why: "genai-prices has a reseller's price here",
  },
  'mistral/mistral-small-latest': {
    take: 'models.dev',
    why: 'points to mistral-small-2603, on whose price all sets agree',
  },
  'mistral/ministral-3b-latest': {
    take: {
      list: { input: '0.1', cache_read: '0.01', output: '0.1' },
      source: 'https://mistral.ai/pricing/api (genai-prices 0.1.8)',
      effectiveFrom: '2026-09-23',
    },
    why: 'points to ministral-3b-2512; models.dev has the price of its predecessor',
  },
  'perplexity/sonar': sonar('1', '1', '0.005'),
  'perplexity/sonar-pro': sonar('3', '15', '0.006'),
  'perplexity/sonar-reasoning-pro': sonar('2', '8', '0.006'),
  'perplexity/sonar-deep-research': {
    take: {
      list: { input: '2', output: '8', reasoning: '3', request: '0.005' },
      source: PERPLEXITY_PAGE,
      effectiveFrom: '2026-07-24',
    },
    why: 'A request is a search query here; citation tokens ($2 per million) have no bucket.',
  },
  'together/Qwen/Qwen3-235B-A22B-Instruct-2507-tput': {
    take: 'models.dev',
    why: "litellm's output price is a slip of the point (6 for 0.6)",
  },
  'xai/grok-4.20-0309-reasoning': {
    take: 'models.dev',
    why: 'genai-prices has the same under grok-4.20; litellm has the price of the beta',
  },
};

/**
 * What embedders take for images, where no set says it, by `<provider>/<host's id>`:
 * cohere.com/pricing and aws.amazon.com/bedrock/pricing, where v4 costs the same.
 */
export const IMAGE_PRICES: Readonly<Record<string, MutableList>> = {
  'cohere/embed-v4.0': { image_input: '0.47' },
  'cohere/embed-english-light-v3.0': { image: '0.0001' },
  'cohere/embed-multilingual-v3.0': { image: '0.0001' },
  'bedrock/cohere.embed-v4:0': { image_input: '0.47' },
  'bedrock/cohere.embed-english-v3': { image: '0.0001' },
  'bedrock/cohere.embed-multilingual-v3': { image: '0.0001' },
};

type FactsDecision = Partial<Omit<ModelFacts, 'created'>> & {
  /** A model to take the rest from. */
  readonly like?: string;
  /** ISO date of the release. */
  readonly released: string;
};

const MOONSHOT_V1: FactsDecision = {
  like: 'kimi-k2.5',
  released: '2024-02-06',
  maxOutput: null,
  input: ['text'],
  capabilities: ['tools', 'json_mode', 'sampling'],
};

/**
 * Models whose facts no data set has, or has wrongly. Where no release date is published,
 * `released` is the day on which the model was first seen: good for sorting, no more.
 */
export const FACTS: Readonly<Record<string, FactsDecision>> = {
  'gpt-5.6-sol': {
    like: 'gpt-5.5',
    name: 'GPT-5.6 Sol',
    released: '2026-07-09',
    context: 1_050_000,
    aliases: ['gpt-5.6'],
  },
  'gpt-5.6-terra': {
    like: 'gpt-5.5',
    name: 'GPT-5.6 Terra',
    released: '2026-07-09',
    context: 1_050_000,
  },
  'gpt-5.6-luna': {
    like: 'gpt-5.5',
    name: 'GPT-5.6 Luna',
    released: '2026-07-09',
    context: 1_050_000,
  },
  'gpt-6-astra': {
    like: 'gpt-5.5',
    name: 'GPT-6 Astra',
    released: '2026-09-22',
    context: 1_050_000,
  },
  'gpt-6-sol': { like: 'gpt-5.5', name: 'GPT-6 Sol', released: '2026-09-22', context: 1_050_000 },
  'gpt-6-luna': { like: 'gpt-5.5', name: 'GPT-6 Luna', released: '2026-09-22', context: 1_050_000 },
  'gpt-chat-latest': {
    like: 'gpt-5.5',
    name: 'GPT Chat (latest)',
    released: '2026-05-05',
    context: null,
  },
  'claude-opus-5': { like: 'claude-opus-4-8', name: 'Claude Opus 5', released: '2026-07-24' },
  'claude-opus-5-5': { like: 'claude-opus-4-8', name: 'Claude Opus 5.5', released: '2026-09-23' },
  'claude-fable-5-1': { like: 'claude-fable-5', name: 'Claude Fable 5.1', released: '2026-09-23' },
  // ai.google.dev/gemini-api/docs/deprecations, read from a copy of November 2026: release days.
  'gemini-3.5-flash-lite': {
    like: 'gemini-3.1-flash-lite',
    name: 'Gemini 3.5 Flash-Lite',
    released: '2026-07-21',
  },
  'gemini-3.6-flash': {
    like: 'gemini-3.5-flash',
    name: 'Gemini 3.6 Flash',
    released: '2026-07-21',
  },
  'gemini-3.7-flash': {
    like: 'gemini-3.5-flash',
    name: 'Gemini 3.7 Flash',
    released: '2026-08-13',
  },
  'gemini-3.8-flash': {
    like: 'gemini-3.5-flash',
    name: 'Gemini 3.8 Flash',
    released: '2026-09-02',
  },
  'gpt-audio-1.5': { like: 'gpt-audio', name: 'GPT Audio 1.5', released: '2026-02-23' },
  'voxtral-small-2507': { like: 'voxtral-small-24b-2507', released: '2025-07-15' },
  'moonshot-v1-8k': { ...MOONSHOT_V1, name: 'Moonshot V1 8K', context: 8_192 },
  'moonshot-v1-32k': { ...MOONSHOT_V1, name: 'Moonshot V1 32K', context: 32_768 },
  'moonshot-v1-128k': { ...MOONSHOT_V1, name: 'Moonshot V1 128K', context: 131_072 },
  'grok-4.5': {
    like: 'grok-4.3',
    name: 'Grok 4.5',
    released: '2026-07-08',
    context: 500_000,
    maxOutput: null,
  },
  'grok-4.6': {
    like: 'grok-4.3',
    name: 'Grok 4.6',
    released: '2026-09-23',
    context: 500_000,
    maxOutput: null,
  },
  'kimi-k3': {
    like: 'kimi-k2.6',
    name: 'Kimi K3',
    released: '2026-07-16',
    context: 1_048_576,
    maxOutput: null,
  },
  'glm-5.3': { like: 'glm-5.2', name: 'GLM-5.3', released: '2026-08-27' },
  'glm-5.3-flash': { like: 'glm-5.2', name: 'GLM-5.3 Flash', released: '2026-08-27' },
  'deepseek-flash': {
    like: 'deepseek-v4-flash',
    name: 'DeepSeek V4.1 Flash',
    released: '2026-09-10',
    input: ['text', 'image'],
    capabilities: ['tools', 'json_mode', 'reasoning', 'sampling', 'vision'],
  },
};

/**
 * More names of the very same model: of hosts that no longer serve it, or pointers that cannot
 * move.
 */
export const ALIASES: Readonly<Record<string, readonly string[]>> = {
  'llama-3.3-70b': ['llama-3.3-70b-versatile'],
  'llama-3.1-8b': ['llama-3.1-8b-instant'],
};
