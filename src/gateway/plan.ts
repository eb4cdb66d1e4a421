/**
 * Plan: which targets can serve a request, in order, and the most that each can cost. Pure. Scores,
 * health and preferences will order the candidates here; what is tried later is decided before the
 * first attempt.
 */
import { maxUsd, ZERO_USD, type NanoUsd } from '#base/money.ts';
import { endMessage } from '#catalog/lifecycle.ts';
import type { Price } from '#catalog/pricing.ts';
import { askedPrice } from '#catalog/tier-prices.ts';
import type { Caller } from '#identity/identity.ts';
import type { Book } from '#ledger/ledger.ts';
import { GatewayError } from '#wire/errors.ts';
import { modelNotFound, modelShutDown, quote } from '#wire/refusals.ts';
import { costWith } from './affordable.ts';
import type { Directory, Endpoint, PublicModel } from './endpoint.ts';
import type { Modality, RequestedName, RequestFacts } from './inference.ts';
import { reachable, refuseModel, refuseProviders, usableModels } from './reach.ts';

/**
 * Without a limit in the request, credit is held for so many generated tokens at most (money.md,
 * rule 4).
 */
const ASSUMED_OUTPUT_TOKENS_MAX = 32_768;

export interface Candidate {
  readonly model: PublicModel;
  /** The name that the caller used; the sandbox reads its parameters. */
  readonly requestedName: string;
  readonly endpoint: Endpoint;
  readonly inputTokensMax: number;
  readonly inputMedia: boolean;
  readonly outputMedia: boolean;
  readonly choices: number;
  /** The price of the service tier that is asked for; null where that is the standard one. */
  readonly asked: Price | null;
  /** Of one choice, as held for. */
  readonly outputTokensMax: number;
  /** Of one choice, at the model's true maximum where no limit was sent. */
  readonly trueOutputTokensMax: number;
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
export const UNKNOWN_OUTPUT_TOKENS_MAX = 131_072;

/** Of a context that nobody states: the largest that is common (2026-11). */
export const UNKNOWN_CONTEXT = 1_048_576;

/** What a caller may ask for beyond what is known, as catalogs err; nothing generates more. */
function askedOutput(asked: number | null, { context, maxOutput }: Endpoint): number | null {
  if (asked === null) return null;
  return Math.min(asked, Math.max(maxOutput ?? 0, context ?? UNKNOWN_CONTEXT));
}

function toCandidate(
  request: RequestFacts,
  requestedName: string,
  place: { readonly model: PublicModel; readonly endpoint: Endpoint },
): Candidate {
  const { endpoint } = place;
  const context = endpoint.context ?? Number.MAX_SAFE_INTEGER;
  const inputTokensMax = Math.min(request.inputTokensMax, context * request.inputs);
  const modelMax = endpoint.maxOutput ?? Math.min(context, UNKNOWN_OUTPUT_TOKENS_MAX);
  const askedMax = askedOutput(request.outputTokensMax, endpoint);
  const trueMax = askedMax ?? modelMax;
  const outputTokensMax = askedMax ?? Math.min(modelMax, ASSUMED_OUTPUT_TOKENS_MAX);
  const { choices, inputMedia } = request;
  const asked = askedPrice(endpoint.price, request.serviceTier);
  // A model that can answer in sound or images does so only when asked, but then at those prices.
  const outputMedia = place.model.outputModalities.some((modality) => modality !== 'text');
  const priced = { endpoint, asked, inputTokensMax, choices, inputMedia, outputMedia };
  const holdCost = costWith(priced, outputTokensMax);
  return {
    ...priced,
    model: place.model,
    requestedName,
    outputTokensMax,
    trueOutputTokensMax: trueMax,
    holdCost,
    trueMaxCost: trueMax === outputTokensMax ? holdCost : costWith(priced, trueMax),
    inputCost: costWith(priced, 0),
  };
}

interface NamedModel extends RequestedName {
  readonly model: PublicModel;
}

function modelsOf(
  directory: Directory,
  caller: Caller,
  names: readonly RequestedName[],
): readonly NamedModel[] {
  return names.flatMap(({ name, param }) => {
    const models = directory.resolve(name);
    if (models.length > 0) return models.map((model) => ({ name, param, model }));
    const retired = directory.retired(name);
    if (retired !== undefined) throw modelShutDown(endMessage(retired, 'ended'), param);
    throw modelNotFound(name, directory.nearest(name, usableModels(directory, caller)), param);
  });
}

const DOORS: Readonly<Record<Modality, string>> = {
  chat: 'POST /v1/chat/completions',
  embeddings: 'POST /v1/embeddings',
};

/** The model is served, but does something else. */
function refuseModality({ name, param }: NamedModel, modality: Modality): GatewayError {
  const [door, other] =
    modality === 'chat' ? [DOORS.chat, DOORS.embeddings] : [DOORS.embeddings, DOORS.chat];
  return new GatewayError('model_not_found', {
    message: `The model ${quote(name)} is not one for ${door}. Did you mean ${other}?`,
    param,
  });
}

/** The model is known, but nobody whom the operator configured serves it. */
function refuseUnplanned(named: readonly NamedModel[], modality: Modality): GatewayError {
  const elsewhere = named.find(({ model }) => model.endpoints.length > 0);
  if (elsewhere !== undefined) return refuseModality(elsewhere, modality);
  const hosts = new Set(named.flatMap(({ model }) => model.hosts));
  const list = hosts.size === 0 ? 'a provider' : [...hosts].join(', ');
  const names = named.map(({ name }) => quote(name)).join(', ');
  return new GatewayError('model_not_found', {
    message:
      `No provider that is configured here serves ${names}. The operator can add one that does ` +
      `(${list}), or name another model: GET /v1/models lists those that you can use.`,
    param: named[0]?.param ?? 'model',
  });
}

function refuseMixedBooks(): GatewayError {
  return new GatewayError('invalid_value', {
    message: "Models of the sandbox and others cannot stand in one 'models' list.",
    param: 'models',
  });
}

/** Throws a GatewayError when a name is unknown, is not for this caller, or has nowhere to run. */
export function planRequest(directory: Directory, caller: Caller, request: RequestFacts): Plan {
  const candidates: Candidate[] = [];
  const named = modelsOf(directory, caller, request.names);
  for (const one of named) {
    if (!request.anyModel && candidates.length > 0) break;
    const model = reachable(directory, caller, one.model);
    if (model === null) throw refuseModel(caller, one);
    for (const endpoint of model.endpoints) {
      if (endpoint[request.modality] === null) continue;
      candidates.push(toCandidate(request, one.name, { model, endpoint }));
    }
  }
  const [first, ...others] = candidates;
  if (first === undefined) {
    const served = named.find(({ model }) =>
      model.endpoints.some((endpoint) => endpoint[request.modality] !== null),
    );
    throw served === undefined
      ? refuseUnplanned(named, request.modality)
      : refuseProviders(caller, served);
  }
  const { book } = first.endpoint;
  if (others.some(({ endpoint }) => endpoint.book !== book)) throw refuseMixedBooks();
  return planOf([first, ...others], request.outputTokensMax !== null);
}

/** The plan of these candidates; all of one book. */
export function planOf(candidates: Plan['candidates'], limited: boolean): Plan {
  let [holdCost, trueMaxCost] = [ZERO_USD, ZERO_USD];
  for (const candidate of candidates) {
    holdCost = maxUsd(holdCost, candidate.holdCost);
    trueMaxCost = maxUsd(trueMaxCost, candidate.trueMaxCost);
  }
  return { candidates, book: candidates[0].endpoint.book, holdCost, trueMaxCost, limited };
}
