/**
 * What hosts take in their other service tiers: a multiple of every standard price, also above the
 * thresholds of long inputs. A model that is not here is not asked for in the tier.
 */
import type { PriceList, PriceSheet, PriceTier } from '#wire/price.ts';
import { toDecimal } from './decimals.ts';
import type { MutableList } from './sources.ts';

interface Services {
  readonly source: string;
  /** ISO date on which the page was read. */
  readonly read: string;
  /** By the name of the tier and the host's id without its date. */
  readonly times: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const HALF = 0.5;

/**
 * OpenAI: flex takes half, as the batch API does. Priority, called fast since 2026-07-30, takes
 * twice the price or what stands here; openai.com/api-fast-mode lists the models with their prices,
 * and litellm has the older ones. 5.5 is 2.5 there, which litellm of 2026-07-24 has wrong.
 */
const OPENAI: Services = {
  source: 'https://developers.openai.com/api/docs/pricing',
  read: '2026-09-03',
  times: {
    flex: {
      o3: HALF,
      'gpt-5': HALF,
      'gpt-5-mini': HALF,
      'gpt-5-nano': HALF,
      'gpt-5.1': HALF,
      'gpt-5.2': HALF,
      'gpt-5.4': HALF,
      'gpt-5.4-mini': HALF,
      'gpt-5.4-nano': HALF,
      'gpt-5.4-pro': HALF,
      'gpt-5.5': HALF,
      'gpt-5.5-pro': HALF,
      'gpt-5.6-sol': HALF,
      'gpt-5.6-terra': HALF,
      'gpt-5.6-luna': HALF,
      'gpt-6-astra': HALF,
    },
    priority: {
      o3: 1.75,
      'gpt-4.1': 1.75,
      'gpt-4.1-mini': 1.75,
      'gpt-4o': 1.7,
      'gpt-4o-mini': 5 / 3,
      'gpt-5': 2,
      'gpt-5-mini': 1.8,
      'gpt-5.1': 2,
      'gpt-5.2': 2,
      'gpt-5.3-codex': 2,
      'gpt-5.4': 2,
      'gpt-5.4-mini': 2,
      'gpt-5.5': 2.5,
      'gpt-5.6-sol': 2,
      'gpt-5.6-terra': 2,
      'gpt-5.6-luna': 2,
      'gpt-6-astra': 2,
    },
  },
};

/**
 * Gemini: ai.google.dev/gemini-api/docs/optimization says half for flex and up to twice for
 * priority; litellm has 1.8 for each model, but none for those that came or changed after it.
 */
const GEMINI: Services = {
  source: 'https://ai.google.dev/gemini-api/docs/pricing (litellm 2026-07-24)',
  read: '2026-07-24',
  times: {
    flex: { 'gemini-3.1-flash-lite': HALF, 'gemini-3.5-flash-lite': HALF },
    priority: {
      'gemini-3-flash-preview': 1.8,
      'gemini-3.1-flash-lite': 1.8,
      'gemini-3.1-pro-preview': 1.8,
      'gemini-3.1-pro-preview-customtools': 1.8,
      'gemini-3.5-flash': 1.8,
      'gemini-3.5-flash-lite': 1.8,
    },
  },
};

/** By provider id. */
const SERVICES: ReadonlyMap<string, Services> = new Map([
  ['openai', OPENAI],
  ['gemini', GEMINI],
]);

/** The sheet with what its model costs in the host's other service tiers. */
export function withServices(providerId: string, id: string, sheet: PriceSheet): PriceSheet {
  const { source, read, times = {} } = SERVICES.get(providerId) ?? {};
  const model = id.replace(/-\d{4}-\d{2}-\d{2}$/, '');
  const services: Record<string, PriceSheet> = {};
  for (const [service, factors] of Object.entries(times)) {
    const factor = factors[model];
    if (factor === undefined || source === undefined || read === undefined) continue;
    const effectiveFrom = read > sheet.effectiveFrom ? read : sheet.effectiveFrom;
    const tiers = sheet.tiers.map((tier) => scaledTier(tier, factor));
    services[service] = { list: scaled(sheet.list, factor), tiers, source, effectiveFrom };
  }
  return Object.keys(services).length === 0 ? sheet : { ...sheet, services };
}

function scaledTier({ aboveInputTokens, ...list }: PriceTier, factor: number): PriceTier {
  return { aboveInputTokens, ...scaled(list, factor) };
}

function scaled(list: PriceList, factor: number): MutableList {
  return Object.fromEntries(
    Object.entries(list).map(([bucket, price]) => [bucket, toDecimal(Number(price) * factor)]),
  );
}
