/**
 * One attempt's request: where it goes, who we are there, and the caller's body as that host wants
 * it.
 */
import { editJson, type JsonEdit } from '#base/json-edit.ts';
import type { JsonIndex } from '#base/json-index.ts';
import type { Awaitable } from '#base/result.ts';
import type { UpstreamRequest } from '#base/transport.ts';
import type {
  BodyEdit,
  BodyMembers,
  Credentials,
  UpstreamAddress,
  Warning,
} from '#providers/provider.ts';
import { OWN_FIELDS } from '#wire/chat/request.ts';
import type { ChatRequestReading } from '../chat/read-request.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Candidate } from '../plan.ts';

export interface PreparedRequest {
  readonly request: UpstreamRequest;
  readonly warnings: readonly Warning[];
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

interface EditedBody {
  readonly body: Uint8Array;
  readonly warnings: readonly Warning[];
}

/** The bytes as they came where this host wants nothing else. */
function editBody(
  reading: ChatRequestReading,
  candidate: Candidate,
  outputTokensCap: number | null,
): EditedBody {
  const { index } = reading;
  const { passThrough, target } = candidate.endpoint;
  const { edits: adapted, warnings } = passThrough.adapt(membersOf(index), target);
  if (outputTokensCap === null) {
    const edits = editsFor(reading, candidate, adapted);
    return { body: edits.length === 0 ? index.bytes : editJson(index, edits), warnings };
  }
  const others = adapted.filter(({ key }) => !LIMIT_KEYS.includes(key));
  const edits = editsFor(reading, candidate, others);
  edits.push(...limitEdits(passThrough.maxTokensKey, outputTokensCap));
  return {
    body: editJson(index, edits),
    warnings: [...warnings, limitWarning(outputTokensCap)],
  };
}

/** Endpoints live as long as the process, and what is made of their URLs never changes. */
const addresses = new WeakMap<Endpoint, UpstreamAddress>();

function addressOf(endpoint: Endpoint): UpstreamAddress {
  const known = addresses.get(endpoint);
  if (known !== undefined) return known;
  const address = endpoint.provider.address(endpoint.target, 'chat');
  addresses.set(endpoint, address);
  return address;
}

export interface PrepareOptions {
  /** Set where the account pays for no more. */
  readonly outputTokensCap: number | null;
  readonly nowMs: number;
}

function finishRequest(
  { reading, endpoint }: { readonly reading: ChatRequestReading; readonly endpoint: Endpoint },
  { body, warnings }: EditedBody,
  credentials: Credentials,
): PreparedRequest {
  const { method, url } = addressOf(endpoint);
  if (!('headers' in credentials)) {
    throw new Error(`${endpoint.provider.id}: token exchange is not served`);
  }
  const headers = [
    'content-type',
    'application/json',
    'accept',
    reading.stream ? 'text/event-stream' : 'application/json',
    // Decoding would cost more than the bytes save between two data centres.
    'accept-encoding',
    'identity',
    'user-agent',
    USER_AGENT,
  ];
  for (const [name, value] of credentials.headers) headers.push(name, value);
  for (const [name, value] of endpoint.headers) headers.push(name, value);
  return { request: { method, url, headers, body }, warnings };
}

/**
 * At once, but for hosts that sign in the background. Throws only if a provider does: a defect.
 */
export function prepareRequest(
  reading: ChatRequestReading,
  candidate: Candidate,
  options: PrepareOptions,
): Awaitable<PreparedRequest> {
  const { endpoint } = candidate;
  const { provider, target, secret } = endpoint;
  const edited = editBody(reading, candidate, options.outputTokensCap);
  const address = addressOf(endpoint);
  const { body } = edited;
  const asked = provider.credentials({ secret, target, address, body, nowMs: options.nowMs });
  return asked instanceof Promise
    ? asked.then((credentials) => finishRequest({ reading, endpoint }, edited, credentials))
    : finishRequest({ reading, endpoint }, edited, asked);
}
