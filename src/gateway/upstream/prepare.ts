/**
 * One attempt's request: where it goes, who we are there, and the caller's body as that host wants
 * it, which its modality makes.
 */
import { describeError } from '#base/describe-error.ts';
import type { Awaitable } from '#base/result.ts';
import type { UpstreamRequest } from '#base/transport.ts';
import type {
  Credentials,
  HeaderPairs,
  Operation,
  UpstreamAddress,
  Warning,
} from '#providers/provider.ts';
import type { Endpoint } from '../endpoint.ts';
import type { HostBody, InferenceRequest } from '../inference.ts';
import type { Candidate } from '../plan.ts';
import { NotDispatched, unreadable } from './failure.ts';
import type { TokenExchange } from './token-exchange.ts';

export interface PreparedRequest {
  readonly request: UpstreamRequest;
  readonly warnings: readonly Warning[];
  /** Of the token that stands in the secret's place, if one does. */
  readonly tokenKey: string | null;
  /** The calls that the attempt is made of where it takes several; empty where it is one. */
  readonly pieces: readonly Piece[];
}

/** A part of a request, as a call of its own. */
export interface Piece {
  readonly request: InferenceRequest;
  readonly prepared: PreparedRequest;
}

const ONE_CALL: readonly Piece[] = [];

const USER_AGENT = 'omnix/0.1';

/** Endpoints live as long as the process, and what is made of their URLs never changes. */
const addresses: Readonly<Record<Operation, WeakMap<Endpoint, UpstreamAddress>>> = {
  chat: new WeakMap(),
  chat_stream: new WeakMap(),
  responses: new WeakMap(),
  embeddings: new WeakMap(),
};

function addressOf(endpoint: Endpoint, operation: Operation): UpstreamAddress {
  const known = addresses[operation].get(endpoint);
  if (known !== undefined) return known;
  const address = endpoint.provider.address(endpoint.target, operation);
  addresses[operation].set(endpoint, address);
  return address;
}

export interface PrepareOptions {
  /** Set where the account pays for no more. */
  readonly outputTokensCap: number | null;
  readonly nowMs: number;
  readonly tokenExchange: TokenExchange;
}

/** Repeated headers are lists (RFC 9110, 5.3): what the operator set there stays beside ours. */
function addHeaders(headers: string[], added: HeaderPairs): void {
  for (const [name, value] of added) {
    const at = headers.findIndex((other, index) => index % 2 === 0 && other === name);
    if (at < 0) headers.push(name, value);
    else headers[at + 1] = `${headers[at + 1] ?? ''},${value}`;
  }
}

interface Draft {
  readonly endpoint: Endpoint;
  readonly address: UpstreamAddress;
  readonly said: HostBody;
}

function finishRequest(
  { endpoint, address, said }: Draft,
  credentials: HeaderPairs,
  tokenKey: string | null,
): PreparedRequest {
  const { method, url } = address;
  const headers = [
    'content-type',
    'application/json',
    'accept',
    said.accept,
    // Decoding would cost more than the bytes save between two data centres.
    'accept-encoding',
    'identity',
    'user-agent',
    USER_AGENT,
  ];
  for (const [name, value] of credentials) headers.push(name, value);
  for (const [name, value] of endpoint.headers) headers.push(name, value);
  if (said.headers.length > 0) addHeaders(headers, said.headers);
  const request = { method, url, headers, body: said.body };
  return { request, warnings: said.warnings, tokenKey, pieces: ONE_CALL };
}

function identify(
  draft: Draft,
  credentials: Credentials,
  { tokenExchange, nowMs }: PrepareOptions,
): Awaitable<PreparedRequest> {
  if ('headers' in credentials) return finishRequest(draft, credentials.headers, null);
  const { exchange } = credentials;
  const token = tokenExchange.headersFor(draft.endpoint, exchange, nowMs);
  return token instanceof Promise
    ? token.then((headers) => finishRequest(draft, headers, exchange.cacheKey))
    : finishRequest(draft, token, exchange.cacheKey);
}

/** A secret that cannot be used is the operator's to mend, as one that is refused. */
function unusable(thrown: unknown): NotDispatched {
  return new NotDispatched(unreadable('authentication', describeError(thrown)));
}

function askCredentials(draft: Draft, nowMs: number): Awaitable<Credentials> {
  const { endpoint, address, said } = draft;
  const { provider, target, secret } = endpoint;
  try {
    const asked = provider.credentials({ secret, target, address, body: said.body, nowMs });
    if (!(asked instanceof Promise)) return asked;
    return asked.catch((thrown: unknown) => Promise.reject(unusable(thrown)));
  } catch (thrown) {
    throw unusable(thrown);
  }
}

/**
 * At once, but for hosts that sign in the background or want a token first. Throws CannotSay where
 * this host cannot take the request, NotDispatched where we cannot say who we are; anything else is
 * a provider's defect.
 */
export function prepareRequest(
  request: InferenceRequest,
  candidate: Candidate,
  options: PrepareOptions,
): Awaitable<PreparedRequest> {
  const { endpoint } = candidate;
  const said = request.bodyFor(candidate, options.outputTokensCap);
  const address = addressOf(endpoint, said.operation ?? request.operation);
  const draft = { endpoint, address, said };
  const held = options.tokenExchange.held(endpoint, options.nowMs);
  if (held !== null) return finishRequest(draft, held.headers, held.cacheKey);
  const asked = askCredentials(draft, options.nowMs);
  return asked instanceof Promise
    ? asked.then((credentials) => identify(draft, credentials, options))
    : identify(draft, asked, options);
}
