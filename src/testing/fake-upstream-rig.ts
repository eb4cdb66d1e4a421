/**
 * The running gateway between a client and a fake upstream with two hosts, A (which a test makes
 * fail) and B (which is well), and the questions that every fault test asks of an answer.
 */
import { goodReply, modeOf, type Mode } from './fake-upstream-replies.ts';
import {
  refusedPort,
  startFakeUpstream,
  type Answerer,
  type FakeUpstream,
} from './fake-upstream.ts';
import {
  at,
  listOf,
  numberOf,
  objectOf,
  parse,
  stringOf,
  type JsonObject,
} from './recordings-json.ts';
import { readRecorded, readSse, type Reading } from './recordings-reading.ts';
import { startServer, type TestServer } from './server.ts';

/** Names of the places in the rig's config. All but the last three speak to the fake. */
type Host = 'a' | 'b' | 'stops' | 'refused' | 'no-tls' | 'no-dns';

export interface FaultRig {
  readonly fake: FakeUpstream;
  /** Nothing may ever reach it. */
  readonly stranger: FakeUpstream;
  readonly server: TestServer;
  readonly key: string;
  readonly secrets: readonly string[];
  ask(model: string, mode: Mode, more?: JsonObject): Promise<FaultAnswer>;
  dispose(): Promise<void>;
}

export interface FaultAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body, where it is JSON. */
  readonly json: unknown;
  readonly reading: Reading;
  readonly done: boolean;
  readonly generationId: string;
}

export const SILENCE_MS = 1_000;
export const PROMPT = 'prompt-canary-7c1f: say hello';
export const TEXT_OF_B = 'served by B';
export const PRICE = { input: '1', output: '2' };
/** Dollars a token, as in `PRICE`. */
export const OUTPUT_USD = 2e-6;
export const INPUT_USD = 1e-6;

const UPSTREAM_KEYS = {
  a: 'sk-canary-upstream-a-3f9d0c',
  b: 'sk-canary-upstream-b-81e2aa',
  stops: 'sk-canary-upstream-stops-55d1',
};
const GRANTED_USD = '100000';

/** Starts two fakes and the gateway. Models: `<host>-alone`, `<host>-then-b`, and `good`. */
export async function startFaultRig(): Promise<FaultRig> {
  const fake = await startFakeUpstream();
  const stranger = await startFakeUpstream();
  fake.on('/b', goodB);
  fake.on('/stops', answerWell);
  fake.on('/a', answerWell);
  const server = await startServer({ config: await configOf(fake) });
  await server.grant(GRANTED_USD);
  const { key } = await server.createKey();
  return {
    fake,
    stranger,
    server,
    key,
    secrets: [...Object.values(UPSTREAM_KEYS), key, server.managementKey],
    ask: (model, mode, more = {}) => ask({ server, key }, { model, mode, more }),
    dispose: async () => {
      await server.dispose();
      await fake.close();
      await stranger.close();
    },
  };
}

export const answerWell: Answerer = (request) => goodReply(modeOf(request.body));

const goodB: Answerer = (request) => goodReply(modeOf(request.body), { pieces: [TEXT_OF_B] });

async function configOf(fake: FakeUpstream): Promise<JsonObject> {
  const silent = { timeout_ms: SILENCE_MS };
  const type = 'openai-compatible';
  const providers: Record<Host, JsonObject> = {
    a: { type, base_url: `${fake.origin}/a`, api_key: UPSTREAM_KEYS.a, ...silent },
    b: { type, base_url: `${fake.origin}/b`, api_key: UPSTREAM_KEYS.b },
    // A host whose bill stops when the connection does.
    stops: { type: 'openai', base_url: `${fake.origin}/stops`, api_key: UPSTREAM_KEYS.stops },
    refused: { type, base_url: `http://127.0.0.1:${await refusedPort()}`, api_key: 'x', ...silent },
    'no-tls': { type, base_url: `https://127.0.0.1:${fake.port}/a`, api_key: 'x', ...silent },
    'no-dns': { type, base_url: 'http://nowhere.invalid/v1', api_key: 'x', ...silent },
  };
  const models: Record<string, unknown> = {};
  const second = { provider: 'b', model: 'model-at-b', price: PRICE };
  for (const host of Object.keys(providers)) {
    const first = { provider: host, model: `model-at-${host}`, price: PRICE };
    models[`${host}-alone`] = { endpoints: [first] };
    models[`${host}-then-b`] = { endpoints: [first, second] };
  }
  return { providers, models };
}

interface Question {
  readonly model: string;
  readonly mode: Mode;
  readonly more: JsonObject;
}

/** The body of an ordinary request. */
export function requestBody(model: string, mode: Mode, more: JsonObject = {}): JsonObject {
  const messages = [{ role: 'user', content: PROMPT }];
  return {
    model,
    messages,
    max_tokens: 200,
    ...(mode === 'stream' ? { stream: true } : {}),
    ...more,
  };
}

async function ask(
  place: { readonly server: TestServer; readonly key: string },
  { model, mode, more }: Question,
): Promise<FaultAnswer> {
  const body = requestBody(model, mode, more);
  const { status, headers, text, json } = await place.server.call('/v1/chat/completions', {
    key: place.key,
    body,
  });
  const streamed = headers.get('content-type')?.includes('text/event-stream') === true;
  return {
    status,
    headers,
    text,
    json,
    reading: readRecorded(text, streamed),
    done: text.includes('data: [DONE]'),
    generationId: headers.get('x-generation-id') ?? '',
  };
}

/** The last event of a stream, parsed. */
export function lastEvent(text: string): unknown {
  return parse(readSse(text).at(-1) ?? '');
}

/** What an error must carry (contract.md, "Errors"); empty when it does. */
export function wrongInError(json: unknown): string[] {
  const error = objectOf(at(json, 'error'));
  const wrong: string[] = [];
  for (const field of ['message', 'type', 'param', 'code']) {
    if (!(field in error)) wrong.push(`error.${field} is missing`);
  }
  const metadata = objectOf(at(json, 'error', 'metadata') ?? at(json, 'metadata'));
  for (const field of ['error_type', 'retryable', 'request_id']) {
    if (!(field in metadata)) wrong.push(`metadata.${field} is missing`);
  }
  return wrong;
}

/** Attempts on a receipt: the names of the endpoints that were tried, in order. */
export function attemptsOf(receipt: JsonObject): readonly JsonObject[] {
  return listOf(receipt['attempts']).map(objectOf);
}

export function costOf(receipt: JsonObject): number {
  const cost = numberOf(receipt['total_cost']);
  if (cost === null) throw new Error(`a receipt without total_cost: ${JSON.stringify(receipt)}`);
  return cost;
}

export function errorCode(json: unknown): string {
  return stringOf(at(json, 'error', 'code'));
}
