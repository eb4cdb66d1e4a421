/** Hold: credit for the highest cost, before anything is sent (money.md, rule 4). */
import type { NanoUsd } from '#base/money.ts';
import type { Awaitable, Result } from '#base/result.ts';
import type { Caller } from '#identity/identity.ts';
import type { Hold, HoldRefusal, RequestLedger } from '#ledger/ledger.ts';
import { GatewayError } from '#wire/errors.ts';
import { insufficientCredits, keyLimitExceeded } from '#wire/refusals.ts';
import { affordableTokens, costWith } from './affordable.ts';
import type { Call } from './call.ts';
import { planWithin, refuseCost } from './ceiling.ts';
import type { InferenceRequest } from './inference.ts';
import { planRequest, type Plan } from './plan.ts';
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

interface TooDear {
  readonly reason: 'max_cost_exceeded';
  readonly ceiling: NanoUsd;
  readonly plan: Plan;
}

type Refusal = HoldRefusal | TooDear;

type Attempted =
  | { readonly ok: true; readonly held: Held }
  | { readonly ok: false; readonly refusal: Refusal };

interface HoldContext {
  readonly ledger: RequestLedger;
  readonly call: Call;
  readonly caller: Caller;
}

/** At once where the lease has enough. */
function take(
  { ledger, call, caller }: HoldContext,
  plan: Plan,
  amount: NanoUsd,
): ReturnType<RequestLedger['hold']> {
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

function toAttempted(plan: Plan, held: Result<Hold, HoldRefusal>): Attempted {
  return held.ok
    ? { ok: true, held: { hold: held.value, plan, capped: false } }
    : { ok: false, refusal: held.error };
}

function holdPlan(context: HoldContext, plan: Plan): Awaitable<Attempted> {
  if (!plan.limited) return holdUnlimited(context, plan);
  const held = take(context, plan, plan.holdCost);
  return held instanceof Promise
    ? held.then((late) => toAttempted(plan, late))
    : toAttempted(plan, held);
}

/** What is to be paid, at most how much, and by whom. */
export interface Asked {
  readonly caller: Caller;
  readonly request: InferenceRequest;
  /** Nano-dollars; null where the caller set none. */
  readonly ceiling: NanoUsd | null;
  readonly plan: Plan;
}

/** The plan by counted tokens, for where that by bytes would refuse; null if it is no lower. */
export async function countPlan(
  services: Pick<GatewayServices, 'directory' | 'tokens'>,
  { caller, request }: Pick<Asked, 'caller' | 'request'>,
): Promise<Plan | null> {
  const counted = await request.countText(services.tokens);
  const { mediaTokensMax } = request;
  const inputTokensMax = Math.ceil((counted * COUNT_RESERVE_PERCENT) / 100) + mediaTokensMax;
  if (inputTokensMax >= request.inputTokensMax) return null;
  return planRequest(services.directory, caller, { ...request, inputTokensMax });
}

/** The caller's ceiling first: what is above it needs no credit. */
function holdWithin(context: HoldContext, asked: Asked, isCounted: boolean): Awaitable<Attempted> {
  const { ceiling, request, plan } = asked;
  if (ceiling === null) return holdPlan(context, plan);
  const kept = planWithin({ request, ceiling }, plan, isCounted);
  if (kept !== null) return holdPlan(context, kept);
  return { ok: false, refusal: { reason: 'max_cost_exceeded', ceiling, plan } };
}

/**
 * Throws a GatewayError (402, 503) when the request cannot be paid for. At once where the lease has
 * enough.
 */
export function holdCredit(services: GatewayServices, call: Call, asked: Asked): Awaitable<Held> {
  const context: HoldContext = { ledger: services.ledger, call, caller: asked.caller };
  const first = holdWithin(context, asked, false);
  const atOnce = !(first instanceof Promise) && first.ok;
  return atOnce ? first.held : holdCounted(services, context, { asked, first });
}

async function holdCounted(
  services: GatewayServices,
  context: HoldContext,
  tried: { readonly asked: Asked; readonly first: Awaitable<Attempted> },
): Promise<Held> {
  const { asked } = tried;
  const first = await tried.first;
  if (first.ok) return first.held;
  const { refusal } = first;
  if (refusal.reason === 'unavailable') throw refuseHold(asked, refusal);
  // The bound by bytes would refuse: the tokens are worth counting.
  const counted = await countPlan(services, asked);
  // A ceiling may still leave candidates that counting brought no nearer.
  if (counted === null && refusal.reason !== 'max_cost_exceeded') throw refuseHold(asked, refusal);
  const second = await holdWithin(context, { ...asked, plan: counted ?? asked.plan }, true);
  if (second.ok) return second.held;
  throw refuseHold(asked, second.refusal);
}

function refuseHold({ request, plan }: Asked, refusal: Refusal): GatewayError {
  switch (refusal.reason) {
    case 'max_cost_exceeded':
      return refuseCost({ request, ceiling: refusal.ceiling }, refusal.plan);
    case 'unavailable':
      return new GatewayError('service_unavailable', {
        message: 'Credit cannot be checked now, and nothing runs unpaid. Try again in a moment.',
        cause: refusal.cause,
      });
    case 'key_limit_exceeded':
      return keyLimitExceeded(refusal);
    case 'insufficient_credits':
      return insufficientCredits(refusal, plan.book);
  }
}
