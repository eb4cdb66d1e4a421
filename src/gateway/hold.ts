/** Hold: credit for the highest cost, before anything is sent (money.md, rule 4). */
import type { NanoUsd } from '#base/money.ts';
import { highestCost } from '#catalog/pricing.ts';
import type { Caller } from '#identity/identity.ts';
import type { Hold, HoldRefusal, Ledger } from '#ledger/ledger.ts';
import { GatewayError } from '#wire/errors.ts';
import { insufficientCredits, keyLimitExceeded } from '#wire/refusals.ts';
import type { Call } from './call.ts';
import type { InferenceRequest } from './inference.ts';
import { planRequest, type Candidate, type Plan } from './plan.ts';
import type { GatewayServices } from './dependencies.ts';

export interface Held {
  readonly hold: Hold;
  readonly plan: Plan;
  /** The account cannot pay the model's true maximum: the affordable limit is set upstream. */
  readonly capped: boolean;
}

/** A shorter answer than this is not worth having: the request is refused instead. */
const AFFORDABLE_TOKENS_MIN = 256;
/**
 * Our tokenizer is not every model's: what it counts is taken with this much in reserve, percent.
 */
const COUNT_RESERVE_PERCENT = 125;

type Attempted =
  | { readonly ok: true; readonly held: Held }
  | { readonly ok: false; readonly refusal: HoldRefusal };

interface HoldContext {
  readonly ledger: Ledger;
  readonly call: Call;
  readonly caller: Caller;
}

/** At once where the lease has enough. */
function take(
  { ledger, call, caller }: HoldContext,
  plan: Plan,
  amount: NanoUsd,
): ReturnType<Ledger['hold']> {
  return ledger.hold({
    requestId: call.id,
    organizationId: caller.organizationId,
    keyId: caller.keyId,
    keyLimited: caller.limit !== null,
    book: plan.book,
    amount,
  });
}

/**
 * Without a limit in the request, the account must be able to pay the model's true maximum for the
 * body to go upstream unchanged; only the assumed maximum is then held.
 */
async function holdUnlimited(context: HoldContext, plan: Plan): Promise<Attempted> {
  const whole = await take(context, plan, plan.trueMaxCost);
  if (whole.ok) {
    if (plan.trueMaxCost === plan.holdCost)
      return { ok: true, held: { hold: whole.value, plan, capped: false } };
    context.ledger.release(whole.value);
  }
  const part = await take(context, plan, plan.holdCost);
  if (part.ok) return { ok: true, held: { hold: part.value, plan, capped: !whole.ok } };
  return holdAffordable(context, plan, part.error);
}

async function holdAffordable(
  context: HoldContext,
  plan: Plan,
  refusal: HoldRefusal,
): Promise<Attempted> {
  if (refusal.reason === 'unavailable') return { ok: false, refusal };
  const [first] = plan.candidates;
  const tokens = affordableTokens(first, refusal.available);
  if (tokens < AFFORDABLE_TOKENS_MIN) return { ok: false, refusal };
  const amount = costWith(first, tokens);
  const retry = await take(context, plan, amount);
  if (!retry.ok) return { ok: false, refusal: retry.error };
  // A dearer fallback, of which this pays next to nothing, is none.
  const fallbacks = plan.candidates
    .slice(1)
    .filter((other) => affordableTokens(other, amount) >= AFFORDABLE_TOKENS_MIN);
  const affordable: Plan = { ...plan, candidates: [first, ...fallbacks] };
  return { ok: true, held: { hold: retry.value, plan: affordable, capped: true } };
}

function costWith(candidate: Candidate, outputTokens: number): NanoUsd {
  return highestCost(candidate.endpoint.price, {
    inputTokensMax: candidate.inputTokensMax,
    outputTokensMax: outputTokens * candidate.choices,
    requests: candidate.choices,
    inputMedia: candidate.inputMedia,
    outputMedia: candidate.outputMedia,
  });
}

/**
 * The most generated tokens that `amount` pays for, at most what the candidate was planned with.
 */
export function affordableTokens(candidate: Candidate, amount: NanoUsd): number {
  let [low, high] = [0, candidate.outputTokensMax];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (costWith(candidate, middle) <= amount) low = middle;
    else high = middle - 1;
  }
  return low;
}

async function holdPlan(context: HoldContext, plan: Plan): Promise<Attempted> {
  if (!plan.limited) return holdUnlimited(context, plan);
  const held = await take(context, plan, plan.holdCost);
  return held.ok
    ? { ok: true, held: { hold: held.value, plan, capped: false } }
    : { ok: false, refusal: held.error };
}

/** Throws a GatewayError (402, 503) when the request cannot be paid for. */
export async function holdCredit(
  services: GatewayServices,
  call: Call,
  asked: { readonly caller: Caller; readonly request: InferenceRequest; readonly plan: Plan },
): Promise<Held> {
  const context: HoldContext = { ledger: services.ledger, call, caller: asked.caller };
  const first = await holdPlan(context, asked.plan);
  if (first.ok) return first.held;
  if (first.refusal.reason === 'unavailable') throw refuseHold(first.refusal);
  // The bound by bytes would refuse: the tokens are worth counting.
  const counted = await asked.request.countText(services.tokens);
  const { mediaTokensMax } = asked.request;
  const inputTokensMax = Math.ceil((counted * COUNT_RESERVE_PERCENT) / 100) + mediaTokensMax;
  if (inputTokensMax >= asked.request.inputTokensMax) throw refuseHold(first.refusal);
  const request = { ...asked.request, inputTokensMax };
  const second = await holdPlan(context, planRequest(services.directory, asked.caller, request));
  if (second.ok) return second.held;
  throw refuseHold(second.refusal);
}

function refuseHold(refusal: HoldRefusal): GatewayError {
  switch (refusal.reason) {
    case 'unavailable':
      return new GatewayError('service_unavailable', {
        message: 'Credit cannot be checked now, and nothing runs unpaid. Try again in a moment.',
        cause: refusal.cause,
      });
    case 'key_limit_exceeded':
      return keyLimitExceeded(refusal);
    case 'insufficient_credits':
      return insufficientCredits(refusal);
  }
}
