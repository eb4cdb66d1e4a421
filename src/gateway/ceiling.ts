/**
 * Ceiling: what a caller lets a request cost at the most (`x-omnix-max-cost`), compared with the
 * highest cost of each candidate before anything is held or sent.
 */
import { formatUsd, parseUsd, subtractUsd, type NanoUsd } from '#base/money.ts';
import { GatewayError } from '#wire/errors.ts';
import { invalidValue, quote } from '#wire/refusals.ts';
import { affordableTokens, costWith } from './affordable.ts';
import type { Inbound } from './call.ts';
import type { InferenceRequest } from './inference.ts';
import { planOf, UNKNOWN_CONTEXT, type Candidate, type Plan } from './plan.ts';

export const MAX_COST_HEADER = 'x-omnix-max-cost';

/** Signs, exponents and spaces are no amounts. */
const AMOUNT = /^\d+(?:\.\d+)?$/;

/** Nano-dollars; null where the caller set none. Throws a GatewayError (400). */
export function readCeiling(inbound: Inbound): NanoUsd | null {
  const text = inbound.header(MAX_COST_HEADER);
  if (text === null) return null;
  const parsed = AMOUNT.test(text) ? parseUsd(text) : null;
  if (parsed?.ok === true) return parsed.value;
  throw invalidValue(
    MAX_COST_HEADER,
    'expected US dollars as a decimal number such as 0.01, with at most 9 decimal places, ' +
      'and no sign, exponent or currency',
  );
}

/** The most that a candidate can use and cost, whatever the request turns out to need. */
export interface Highest {
  readonly inputTokens: number;
  /** Of all choices. */
  readonly outputTokens: number;
  readonly cost: NanoUsd;
}

/** Hosted tools read on: then the input is bounded by what a bill is (`believe`), not by bytes. */
function highestInput(request: InferenceRequest, { endpoint, inputTokensMax }: Candidate): number {
  const rounds = request.inputRounds();
  if (rounds === 1) return inputTokensMax;
  return Math.max(endpoint.context ?? UNKNOWN_CONTEXT, inputTokensMax) * request.inputs * rounds;
}

/** What a ceiling is compared with. */
export function highestOf(request: InferenceRequest, candidate: Candidate): Highest {
  const { trueOutputTokensMax, trueMaxCost, inputTokensMax, choices } = candidate;
  const inputTokens = highestInput(request, candidate);
  const outputTokens = trueOutputTokensMax * choices;
  if (inputTokens === inputTokensMax) return { inputTokens, outputTokens, cost: trueMaxCost };
  return { inputTokens, outputTokens, cost: costWith(candidate, trueOutputTokensMax, inputTokens) };
}

export interface Ceiling {
  readonly request: InferenceRequest;
  readonly ceiling: NanoUsd;
}

/** Whether a candidate would fit if its text came to next to nothing. */
function mayFit({ request, ceiling }: Ceiling, candidate: Candidate): boolean {
  if (request.inputRounds() > 1) return false;
  const least = costWith(candidate, candidate.trueOutputTokensMax, request.mediaTokensMax);
  return least <= ceiling;
}

/**
 * The plan with the candidates that cannot cost more than the ceiling; null where none is left, or
 * where one was left out that may come back once the tokens are counted.
 */
export function planWithin(asked: Ceiling, plan: Plan, isCounted: boolean): Plan | null {
  const { request, ceiling } = asked;
  const kept: Candidate[] = [];
  for (const candidate of plan.candidates) {
    if (highestOf(request, candidate).cost <= ceiling) kept.push(candidate);
    else if (!isCounted && mayFit(asked, candidate)) return null;
  }
  const [first, ...others] = kept;
  if (first === undefined) return null;
  return kept.length === plan.candidates.length ? plan : planOf([first, ...others], plan.limited);
}

/** The limit itself is a part of the body that is counted. */
const LIMIT_FIELD_TOKENS = 32;

/** The longest answer that would fit at some candidate, each choice; 0 where none does. */
function longestFit({ request, ceiling }: Ceiling, plan: Plan): number {
  const fits = plan.candidates.map((candidate) => {
    const field = plan.limited ? 0 : LIMIT_FIELD_TOKENS;
    const inputTokensMax = highestInput(request, candidate) + field;
    const told = { ...candidate, inputTokensMax };
    return affordableTokens(told, ceiling, candidate.trueOutputTokensMax);
  });
  return Math.max(...fits);
}

function drivers(request: InferenceRequest, candidate: Candidate, limited: boolean): string {
  const { inputTokens, outputTokens, cost } = highestOf(request, candidate);
  const inputCost = costWith(candidate, 0, inputTokens);
  const rounds = request.inputRounds();
  const again = rounds === 1 ? '' : `, as tools of the host may read ${rounds} contexts`;
  const input = `up to ${inputTokens} input tokens ($${formatUsd(inputCost)}${again})`;
  if (outputTokens === 0) return input;
  const why = limited ? '' : ', the maximum of the model, as the request sets no limit';
  const choices = candidate.choices === 1 ? '' : ` in ${candidate.choices} choices`;
  const outputCost = formatUsd(subtractUsd(cost, inputCost));
  return `${input} and ${outputTokens} output tokens${choices} ($${outputCost}${why})`;
}

/** 402: no candidate of the plan is within the ceiling. */
export function refuseCost(asked: Ceiling, plan: Plan): GatewayError {
  const { request, ceiling } = asked;
  const costOf = (candidate: Candidate): NanoUsd => highestOf(request, candidate).cost;
  const cheapest = plan.candidates.reduce((a, b) => (costOf(b) < costOf(a) ? b : a));
  const only = plan.candidates.length === 1 ? '' : ', the cheapest place that could serve it';
  const tokens = longestFit(asked, plan);
  const step =
    tokens > 0
      ? `Set max_completion_tokens to at most ${tokens}`
      : 'Shorten the input, name a cheaper model';
  return new GatewayError('max_cost_exceeded', {
    message:
      `The request could cost $${formatUsd(costOf(cheapest))} at ` +
      `${quote(cheapest.endpoint.id)}${only}, and ${MAX_COST_HEADER} allows ` +
      `$${formatUsd(ceiling)}. That is for ${drivers(request, cheapest, plan.limited)}. ` +
      `Nothing was sent or spent. ${step}, or raise the header.`,
    param: MAX_COST_HEADER,
    limitSource: 'request',
  });
}
