/** Endpoints of what an operator configured: one model at one host with one credential each. */
import { isChatModel, type ModelFacts } from '#catalog/models.ts';
import type { Price } from '#catalog/pricing.ts';
import type { Book } from '#ledger/ledger.ts';
import type { EmbeddingsSupport } from '#providers/embeddings.ts';
import type { ChatSupport, HeaderPairs, Provider, Target } from '#providers/provider.ts';
import type { Endpoint, SilenceLimits } from './endpoint.ts';
import type { Modality } from './inference.ts';

export type Modalities = ReadonlySet<Modality>;

export const ALL_MODALITIES: Modalities = new Set<Modality>(['chat', 'embeddings']);

/** What a model of the catalog can be asked for. */
export function modalitiesOf(facts: Pick<ModelFacts, 'input' | 'output'>): Modalities {
  const modalities = new Set<Modality>();
  if (isChatModel(facts)) modalities.add('chat');
  if (facts.output.includes('embedding')) modalities.add('embeddings');
  return modalities;
}

/** One credential set and place, under a name of the operator's choosing. */
export interface ConfiguredProvider {
  readonly name: string;
  readonly provider: Provider;
  readonly baseUrl: string;
  /** One endpoint each, tried in order; a host without keys has one empty secret. */
  readonly secrets: readonly string[];
  readonly region: string | null;
  readonly project: string | null;
  readonly account: string | null;
  readonly headers: HeaderPairs;
  /** Larger first, strictly. */
  readonly priority: number;
  readonly timeoutMs: number | null;
  /** Whose money its models cost: the sandbox has its own. */
  readonly book: Book;
}

const SILENCE: SilenceLimits = { firstEvent: 120_000, wholeAnswer: 600_000, idle: 120_000 };
function silenceOf(timeoutMs: number | null): SilenceLimits {
  if (timeoutMs === null) return SILENCE;
  return { firstEvent: timeoutMs, wholeAnswer: timeoutMs, idle: timeoutMs };
}

export interface Placed {
  readonly upstreamModel: string;
  readonly price: Price;
  readonly context: number | null;
  readonly maxOutput: number | null;
  readonly shutdown: string | null;
}

function chatAt({ chat }: Provider, target: Target): ChatSupport | null {
  return (typeof chat === 'function' ? chat(target) : chat) ?? null;
}

function embeddingsAt({ embeddings }: Provider, target: Target): EmbeddingsSupport | null {
  return (typeof embeddings === 'function' ? embeddings(target) : embeddings) ?? null;
}

/** One endpoint for each credential. None where the provider does nothing that the model does. */
export function toEndpoints(
  configured: ConfiguredProvider,
  placed: Placed,
  modalities: Modalities,
): Endpoint[] {
  const { provider, name, baseUrl, region, project, account } = configured;
  const target = { baseUrl, model: placed.upstreamModel, region, project, account };
  const chat = modalities.has('chat') ? chatAt(provider, target) : null;
  const embeddings = modalities.has('embeddings') ? embeddingsAt(provider, target) : null;
  if (chat === null && embeddings === null) return [];
  return configured.secrets.map((secret) => ({
    id: `${name}/${placed.upstreamModel}`,
    providerName: name,
    provider,
    chat,
    embeddings,
    target,
    secret,
    headers: configured.headers,
    price: placed.price,
    context: placed.context,
    maxOutput: placed.maxOutput,
    shutdown: placed.shutdown,
    silenceMs: silenceOf(configured.timeoutMs),
    book: configured.book,
  }));
}
