/**
 * One attempt's request: where it goes, who we are there, and the caller's body as that host wants
 * it.
 */
import { concatBytes } from '#base/bytes.ts';
import { editJson, type JsonEdit } from '#base/json-edit.ts';
import type { JsonIndex } from '#base/json-index.ts';
import type { UpstreamRequest } from '#base/transport.ts';
import type { BodyMembers, Credentials, Warning } from '#providers/provider.ts';
import { OWN_FIELDS } from '#wire/chat/request.ts';
import type { ChatRequestReading } from '../chat/read-request.ts';
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
      `The answer was limited to ${tokens} tokens, which is what the credit pays for. ` +
      'Add credit or send a limit of your own.',
  };
}

function editBody(
  { index }: ChatRequestReading,
  candidate: Candidate,
  outputTokensCap: number | null,
): { readonly body: Uint8Array; readonly warnings: readonly Warning[] } {
  const { passThrough, target } = candidate.endpoint;
  const adaptation = passThrough.adapt(membersOf(index), target);
  const edits: JsonEdit[] = [
    { op: 'set', key: 'model', json: JSON.stringify(upstreamModel(candidate)) },
  ];
  for (const key of OWN_FIELDS) edits.push({ op: 'remove', key });
  if (outputTokensCap === null) {
    edits.push(...adaptation.edits);
    return { body: editJson(index, edits), warnings: adaptation.warnings };
  }
  edits.push(...adaptation.edits.filter(({ key }) => !LIMIT_KEYS.includes(key)));
  edits.push(...limitEdits(passThrough.maxTokensKey, outputTokensCap));
  const warnings = [...adaptation.warnings, limitWarning(outputTokensCap)];
  return { body: editJson(index, edits), warnings };
}

export interface PrepareOptions {
  /** Set where the account pays for no more. */
  readonly outputTokensCap: number | null;
  readonly nowMs: number;
}

/** Throws only if a provider does; that is a defect and becomes a 500. */
export async function prepareRequest(
  reading: ChatRequestReading,
  candidate: Candidate,
  options: PrepareOptions,
): Promise<PreparedRequest> {
  const { endpoint } = candidate;
  const { provider, target, secret } = endpoint;
  const { body, warnings } = editBody(reading, candidate, options.outputTokensCap);
  const address = provider.address(target, 'chat');
  const asked = provider.credentials({ secret, target, address, body, nowMs: options.nowMs });
  const credentials: Credentials = asked instanceof Promise ? await asked : asked;
  if (!('headers' in credentials)) throw new Error(`${provider.id}: token exchange is not served`);
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
  const { method, url } = address;
  return { request: { method, url, headers, body }, warnings };
}
