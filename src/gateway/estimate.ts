/**
 * Estimate: what a request would cost at each place where it would be tried. The same plan, bounds
 * and prices as running it, without a hold and without an upstream.
 */
import { formatUsd, maxUsd, type NanoUsd } from '#base/money.ts';
import { costOfUsage, priceUsage } from '#catalog/pricing.ts';
import type { Caller } from '#identity/identity.ts';
import { CannotSay, type Warning } from '#providers/provider.ts';
import type { Estimate, EstimateCandidate } from '#wire/estimate.ts';
import { highestOf, planWithin, refuseCost, type Highest } from './ceiling.ts';
import type { GatewayServices } from './dependencies.ts';
import { fewWarnings } from './few-warnings.ts';
import { countPlan } from './hold.ts';
import type { InferenceRequest } from './inference.ts';
import { planRequest, type Candidate, type Plan } from './plan.ts';
import { fromCannotSay, toClientError } from './upstream/failure.ts';

/** A usual answer, in each choice: most answers of chats are shorter, most essays longer. */
const USUAL_OUTPUT_TOKENS = 512;

export interface EstimateAsked {
  readonly caller: Caller;
  readonly request: InferenceRequest;
  /** Nano-dollars; null where the caller set none. */
  readonly ceiling: NanoUsd | null;
}

type EstimateServices = Pick<GatewayServices, 'directory' | 'tokens'>;

interface Priced {
  readonly lowest: NanoUsd;
  readonly likely: NanoUsd;
  readonly highest: Highest;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly shown: EstimateCandidate;
}

/** Plans by bytes and by counted tokens. Throws a GatewayError (402) if a ceiling leaves none. */
async function plansOf(
  services: EstimateServices,
  { caller, request, ceiling }: EstimateAsked,
): Promise<{ readonly held: Plan; readonly exact: Plan }> {
  const bound = planRequest(services.directory, caller, request);
  const exact = (await countPlan(services, { caller, request })) ?? bound;
  if (ceiling === null) return { held: bound, exact };
  const kept = planWithin({ request, ceiling }, exact, true);
  if (kept === null) throw refuseCost({ request, ceiling }, exact);
  return { held: planWithin({ request, ceiling }, bound, false) ?? kept, exact: kept };
}

/** What the host would not take as it stands. Throws CannotSay where it takes none of it. */
function warningsOf(request: InferenceRequest, candidate: Candidate): readonly Warning[] {
  const [first = []] = request
    .piecesFor(candidate.endpoint)
    .map((piece) => piece.bodyFor(candidate, null).warnings);
  return fewWarnings(first);
}

function price(
  { request, counted }: { readonly request: InferenceRequest; readonly counted: number },
  candidate: Candidate,
): Priced {
  const warnings = warningsOf(request, candidate);
  const { asked, endpoint, choices, model } = candidate;
  const { sheet, version } = asked ?? endpoint.price;
  const highest = highestOf(request, candidate);
  const inputTokens = Math.min(counted, highest.inputTokens);
  const usual = Math.min(candidate.trueOutputTokensMax, USUAL_OUTPUT_TOKENS);
  const outputTokens = usual * choices;
  const usage = { input: inputTokens, output: outputTokens, request: choices };
  const { cost: likely, lines } = priceUsage(asked ?? endpoint.price, usage);
  const cached = { cache_read: inputTokens, request: choices };
  // A host may give the standard tier in place of a dearer one.
  const lowest = [endpoint.price, asked ?? endpoint.price]
    .map((either) => costOfUsage(either, cached))
    .reduce((least, cost) => (cost < least ? cost : least), likely);
  const shown = {
    model: model.id,
    provider: endpoint.providerName,
    endpoint: endpoint.id,
    lowest: formatUsd(lowest),
    likely: formatUsd(likely),
    highest: formatUsd(highest.cost),
    drivers: [...lines],
    price: { version, source: sheet.source, effective_date: sheet.effectiveFrom },
    ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
  };
  return { lowest, likely, highest, inputTokens, outputTokens, shown };
}

/** A place that cannot take the request is not tried. Throws a GatewayError where none can. */
function priceAll(
  asked: { readonly request: InferenceRequest; readonly counted: number },
  plan: Plan,
): readonly [Priced, ...Priced[]] {
  const priced: Priced[] = [];
  let refused: { readonly reason: CannotSay; readonly provider: string } | null = null;
  for (const candidate of plan.candidates) {
    try {
      priced.push(price(asked, candidate));
    } catch (thrown) {
      if (!(thrown instanceof CannotSay)) throw thrown;
      refused = { reason: thrown, provider: candidate.endpoint.providerName };
    }
  }
  const [first, ...others] = priced;
  if (first !== undefined) return [first, ...others];
  if (refused === null) throw new Error('a plan without candidates');
  throw toClientError(fromCannotSay(refused.reason), refused.provider, plan.candidates.length);
}

/** Throws a GatewayError, the one that running the request would end in before anything is sent. */
export async function estimate(
  services: EstimateServices,
  asked: EstimateAsked,
): Promise<Omit<Estimate, 'endpoint'>> {
  const { request } = asked;
  const { held, exact } = await plansOf(services, asked);
  const counted = await request.countInput(services.tokens);
  const priced = priceAll({ request, counted }, exact);
  const [first] = priced;
  const most = (of: (one: Priced) => number): number => Math.max(...priced.map(of));
  return {
    object: 'estimate',
    currency: 'usd',
    input_tokens: {
      likely: first.inputTokens,
      highest: most(({ highest }) => highest.inputTokens),
    },
    output_tokens: {
      likely: first.outputTokens,
      highest: most(({ highest }) => highest.outputTokens),
    },
    lowest: formatUsd(priced.reduce((a, b) => (b.lowest < a.lowest ? b : a)).lowest),
    likely: formatUsd(first.likely),
    highest: formatUsd(
      priced.reduce((sum, one) => maxUsd(sum, one.highest.cost), first.highest.cost),
    ),
    held: formatUsd(held.holdCost),
    candidates: priced.map(({ shown }) => shown),
  };
}
