/**
 * One attempt's request: where it goes, who we are there, and the caller's body as that host wants
 * it: spliced where it speaks the caller's dialect, translated where it does not.
 */
import { toBytes } from '#base/bytes.ts';
import { describeError } from '#base/describe-error.ts';
import { editJson, type JsonEdit } from '#base/json-edit.ts';
import type { JsonIndex } from '#base/json-index.ts';
import type { Awaitable } from '#base/result.ts';
import type { UpstreamRequest } from '#base/transport.ts';
import {
  CannotSay,
  type BodyEdit,
  type BodyMembers,
  type Credentials,
  type Encoded,
  type HeaderPairs,
  type Operation,
  type UpstreamAddress,
  type Warning,
} from '#providers/provider.ts';
import type { ChatForm } from '#providers/form.ts';
import { recordOf } from '#providers/json.ts';
import { unsaid } from '#providers/dialects/openai-chat/read-form.ts';
import { OWN_FIELDS } from '#wire/chat/request.ts';
import type { ChatRequestReading } from '../chat/read-request.ts';
import { formOf } from '../chat/request-form.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Candidate } from '../plan.ts';
import { NotDispatched, unreadable } from './failure.ts';
import type { TokenExchange } from './token-exchange.ts';

export interface PreparedRequest {
  readonly request: UpstreamRequest;
  readonly warnings: readonly Warning[];
  /** Of the token that stands in the secret's place, if one does. */
  readonly tokenKey: string | null;
}

/** Both names of the bound on generated tokens: where we set one, neither may say otherwise. */
const LIMIT_KEYS = ['max_tokens', 'max_completion_tokens'];

const USER_AGENT = 'omnix/0.1';

function membersOf(index: JsonIndex): BodyMembers {
  return {
    has: (key) => index.member(0, key) >= 0,
    raw: (key) => {
      const node = index.member(0, key);
      return node < 0 ? undefined : index.raw(node);
    },
  };
}

/** The sandbox reads its parameters off the name: `sandbox/slow?ms=50`. */
function upstreamModel({ endpoint, requestedName }: Candidate): string {
  const query = requestedName.indexOf('?');
  const model = endpoint.target.model;
  return query < 0 || endpoint.book === 'live' ? model : model + requestedName.slice(query);
}

function limitEdits(key: string, tokens: number): JsonEdit[] {
  const others = LIMIT_KEYS.filter((other) => other !== key);
  return [
    { op: 'set', key, json: String(tokens) },
    ...others.map((other): JsonEdit => ({ op: 'remove', key: other })),
  ];
}

function limitWarning(tokens: number): Warning {
  return {
    code: 'clamped',
    param: 'max_completion_tokens',
    message:
      `The answer was limited to ${tokens} tokens: more the credit, or the limit of the key, does not ` +
      'pay for. Raise it, or send a limit of your own.',
  };
}

function editsFor(
  { index }: ChatRequestReading,
  candidate: Candidate,
  adapted: readonly BodyEdit[],
): JsonEdit[] {
  const model = upstreamModel(candidate);
  const edits: JsonEdit[] = [...adapted];
  if (index.string(index.member(0, 'model')) !== model) {
    edits.push({ op: 'set', key: 'model', json: JSON.stringify(model) });
  }
  for (const key of OWN_FIELDS) {
    if (index.member(0, key) >= 0) edits.push({ op: 'remove', key });
  }
  return edits;
}

/** The caller's request as one host wants it. */
interface HostBody {
  readonly body: Uint8Array;
  readonly warnings: readonly Warning[];
  /** Headers that this body needs. */
  readonly headers: HeaderPairs;
}

const NO_HEADERS: HeaderPairs = [];

/** What the caller asked for and would not get. A name or a way of ours that does it is no loss. */
const LOSSES: ReadonlySet<Warning['code']> = new Set(['dropped', 'clamped', 'ignored']);

/** `provider.require_parameters`: a host that would take less than was said is not asked. */
function refuseLoss({ requireParameters }: ChatRequestReading, warnings: readonly Warning[]): void {
  if (!requireParameters) return;
  const loss = warnings.find(({ code }) => LOSSES.has(code));
  if (loss === undefined) return;
  throw new CannotSay(
    loss.param,
    `${loss.message} As provider.require_parameters is true, it is not left out.`,
  );
}

/** The caller's request for one candidate; the cap is set where the account pays for no more. */
function bodyFor(
  reading: ChatRequestReading,
  candidate: Candidate,
  outputTokensCap: number | null,
): HostBody {
  const { chat, target } = candidate.endpoint;
  const { passThrough } = chat;
  if (passThrough === undefined) return translateBody(reading, candidate, outputTokensCap);
  const { index } = reading;
  const { edits: adapted, warnings } = passThrough.adapt(membersOf(index), target);
  refuseLoss(reading, warnings);
  const headers = NO_HEADERS;
  if (outputTokensCap === null) {
    const edits = editsFor(reading, candidate, adapted);
    // The bytes as they came where this host wants nothing else.
    return { body: edits.length === 0 ? index.bytes : editJson(index, edits), warnings, headers };
  }
  const others = adapted.filter(({ key }) => !LIMIT_KEYS.includes(key));
  const edits = editsFor(reading, candidate, others);
  edits.push(...limitEdits(passThrough.maxTokensKey, outputTokensCap));
  return {
    body: editJson(index, edits),
    warnings: [...warnings, limitWarning(outputTokensCap)],
    headers,
  };
}

/** Members of the caller's body that neither reach the host nor were spoken of by the codec. */
function losses(form: ChatForm, encoded: Encoded): readonly Warning[] {
  const known = new Set(encoded.said);
  for (const { param } of encoded.warnings) known.add(param);
  const body = recordOf(encoded.body);
  return unsaid(form).filter(({ param }) => !known.has(param) && !Object.hasOwn(body, param));
}

/** Throws CannotSay. */
function translateBody(
  reading: ChatRequestReading,
  candidate: Candidate,
  outputTokensCap: number | null,
): HostBody {
  const { chat, target } = candidate.endpoint;
  const form = formOf(reading);
  const capped = outputTokensCap === null ? form : { ...form, maxOutputTokens: outputTokensCap };
  const encoded = chat.codec.encode(capped, target);
  const warnings = [...encoded.warnings, ...losses(form, encoded)];
  refuseLoss(reading, warnings);
  if (outputTokensCap !== null) warnings.push(limitWarning(outputTokensCap));
  const body = toBytes(JSON.stringify(encoded.body));
  return { body, warnings, headers: encoded.headers ?? NO_HEADERS };
}

/** Endpoints live as long as the process, and what is made of their URLs never changes. */
const addresses: Readonly<Record<Operation, WeakMap<Endpoint, UpstreamAddress>>> = {
  chat: new WeakMap(),
  chat_stream: new WeakMap(),
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

function acceptOf({ chat }: Endpoint, stream: boolean): string {
  if (!stream) return 'application/json';
  return chat.framing === 'aws-event-stream'
    ? 'application/vnd.amazon.eventstream'
    : 'text/event-stream';
}

interface Draft {
  readonly endpoint: Endpoint;
  readonly stream: boolean;
  readonly address: UpstreamAddress;
  readonly said: HostBody;
}

function finishRequest(
  { endpoint, stream, address, said }: Draft,
  credentials: HeaderPairs,
  tokenKey: string | null,
): PreparedRequest {
  const { method, url } = address;
  const headers = [
    'content-type',
    'application/json',
    'accept',
    acceptOf(endpoint, stream),
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
  return { request, warnings: said.warnings, tokenKey };
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
  reading: ChatRequestReading,
  candidate: Candidate,
  options: PrepareOptions,
): Awaitable<PreparedRequest> {
  const { endpoint } = candidate;
  const { stream } = reading;
  const said = bodyFor(reading, candidate, options.outputTokensCap);
  const address = addressOf(endpoint, stream ? 'chat_stream' : 'chat');
  const draft = { endpoint, stream, address, said };
  const held = options.tokenExchange.held(endpoint, options.nowMs);
  if (held !== null) return finishRequest(draft, held.headers, held.cacheKey);
  const asked = askCredentials(draft, options.nowMs);
  return asked instanceof Promise
    ? asked.then((credentials) => identify(draft, credentials, options))
    : identify(draft, asked, options);
}
