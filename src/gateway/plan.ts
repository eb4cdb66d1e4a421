/**
 * Plan: which targets can serve a request, in order, and the most that each can cost. Pure. Scores,
 * health and preferences will order the candidates here; what is tried later is decided before the
 * first attempt.
 */
import { formatUsd, maxUsd, ZERO_USD, type NanoUsd } from '#base/money.ts';
import { highestCost } from '#catalog/pricing.ts';
import type { Caller } from '#identity/identity.ts';
import type { Book } from '#ledger/ledger.ts';
import { GatewayError } from '#wire/errors.ts';
import { modelNotFound } from '#wire/refusals.ts';
import type { ChatRequestReading } from './chat/read-request.ts';
import type { Directory, Endpoint, PublicModel } from './endpoint.ts';

/**
 * Without a limit in the request, credit is held for so many generated tokens at most (money.md,
 * rule 4).
 */
export const ASSUMED_OUTPUT_TOKENS_MAX = 32_768;

export interface Candidate {
  readonly model: PublicModel;
  /** The name that the caller used; the sandbox reads its parameters. */
  readonly requestedName: string;
  readonly endpoint: Endpoint;
  readonly inputTokensMax: number;
  readonly inputMedia: boolean;
  readonly outputMedia: boolean;
  readonly choices: number;
  /** Of one choice, as held for. */
  readonly outputTokensMax: number;
  readonly holdCost: NanoUsd;
  /** At the model's true maximum; more than `holdCost` only where no limit was sent. */
  readonly trueMaxCost: NanoUsd;
  /** Of the input alone: what the platform may lose should the process die. */
  readonly inputCost: NanoUsd;
}

export interface Plan {
  readonly candidates: readonly [Candidate, ...Candidate[]];
  readonly book: Book;
  /** The dearest candidate's: any of them can be paid from it. */
  readonly holdCost: NanoUsd;
  readonly trueMaxCost: NanoUsd;
  /** Whether the caller bounded the output himself. */
  readonly limited: boolean;
}

/** Used where neither the lab nor the host says how much a model can generate. */
const UNKNOWN_OUTPUT_TOKENS_MAX = 131_072;

function toCandidate(
  request: ChatRequestReading,
  requestedName: string,
  place: { readonly model: PublicModel; readonly endpoint: Endpoint },
): Candidate {
  const { endpoint } = place;
  const context = endpoint.context ?? Number.MAX_SAFE_INTEGER;
  const inputTokensMax = Math.min(request.inputTokensMax, context);
  const modelMax = endpoint.maxOutput ?? Math.min(context, UNKNOWN_OUTPUT_TOKENS_MAX);
  const trueMax = request.outputTokensMax ?? modelMax;
  const outputTokensMax = request.outputTokensMax ?? Math.min(modelMax, ASSUMED_OUTPUT_TOKENS_MAX);
  const { choices, inputMedia } = request;
  // A model that can answer in sound or images does so only when asked, but then at those prices.
  const outputMedia = place.model.outputModalities.some((modality) => modality !== 'text');
  const bounds = { inputTokensMax, requests: choices, inputMedia, outputMedia };
  const costAt = (outputTokens: number): NanoUsd =>
    highestCost(endpoint.price, { ...bounds, outputTokensMax: outputTokens * choices });
  const holdCost = costAt(outputTokensMax);
  return {
    ...place,
    requestedName,
    inputTokensMax,
    inputMedia,
    outputMedia,
    choices,
    outputTokensMax,
    holdCost,
    trueMaxCost: trueMax === outputTokensMax ? holdCost : costAt(trueMax),
    inputCost: costAt(0),
  };
}

function modelsOf(
  directory: Directory,
  caller: Caller,
  names: readonly string[],
): readonly { readonly name: string; readonly model: PublicModel }[] {
  const found: { name: string; model: PublicModel }[] = [];
  for (const name of names) {
    const models = directory.resolve(name);
    if (models.length === 0) {
      const usable = directory.available().filter((model) => mayUse(caller, model));
      throw modelNotFound(name, directory.nearest(name, usable));
    }
    for (const model of models) found.push({ name, model });
  }
  return found;
}

/** Test keys reach the sandbox only. */
export function mayUse(caller: Caller, model: PublicModel): boolean {
  return caller.kind !== 'test' || model.endpoints.every((endpoint) => endpoint.book === 'test');
}

function refuseTestKey(model: PublicModel): GatewayError {
  return new GatewayError('permission_denied', {
    message:
      `A test-mode key reaches only the models under 'sandbox/', not '${model.id}'. ` +
      'Make a live key with POST /v1/keys.',
    param: 'model',
  });
}

function refuseUnplanned(names: readonly string[]): GatewayError {
  return new GatewayError('no_healthy_endpoint', {
    message:
      `No configured provider serves '${names.join("', '")}'. Set the API key of a provider that does ` +
      '(GET /v1/models?available=all lists them), or name another model.',
    param: 'model',
    shouldRetry: false,
  });
}

/** Throws a GatewayError when a name is unknown, is not for this caller, or has nowhere to run. */
export function planRequest(
  directory: Directory,
  caller: Caller,
  request: ChatRequestReading,
): Plan {
  const candidates: Candidate[] = [];
  for (const { name, model } of modelsOf(directory, caller, request.names)) {
    if (!mayUse(caller, model)) throw refuseTestKey(model);
    for (const endpoint of model.endpoints) {
      candidates.push(toCandidate(request, name, { model, endpoint }));
    }
  }
  const [first] = candidates;
  if (first === undefined) throw refuseUnplanned(request.names);
  const { book } = first.endpoint;
  // The two books never meet, not even in a chain of fallbacks.
  const sameBook = candidates.filter((candidate) => candidate.endpoint.book === book);
  let [holdCost, trueMaxCost] = [ZERO_USD, ZERO_USD];
  for (const candidate of sameBook) {
    holdCost = maxUsd(holdCost, candidate.holdCost);
    trueMaxCost = maxUsd(trueMaxCost, candidate.trueMaxCost);
  }
  return {
    candidates: [first, ...sameBook.slice(1)],
    book,
    holdCost,
    trueMaxCost,
    limited: request.outputTokensMax !== null,
  };
}

/** For messages: "$0.0123". */
export function usdText(amount: NanoUsd): string {
  return `$${formatUsd(amount)}`;
}
