/**
 * Replays a recorded exchange: the fake upstream says what the host said, the running gateway is
 * between, and the official client asks as it was asked then. Says what came out otherwise than
 * recorded.
 */
import { Agent, request as httpRequest } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import OpenAI, { APIError } from 'openai';
import type { Stream } from 'openai/streaming';
import type { FakeUpstream, Reply, Step } from './fake-upstream.ts';
import { compareMembers, compareReadings, compareRequests } from './recordings-compare.ts';
import { at, parse, stringOf, type JsonObject } from './recordings-json.ts';
import { readAnswer, readRecorded, readSse, type Reading } from './recordings-reading.ts';
import { PLACES, type RecordedExchange } from './recordings-rows.ts';
import type { TestServer } from './server.ts';

export interface Rig {
  readonly fake: FakeUpstream;
  readonly server: TestServer;
  readonly key: string;
}

export interface Replay {
  readonly exchange: RecordedExchange;
  /** Empty: equal to what was recorded. */
  readonly differences: readonly string[];
}

/**
 * Members of a request body that are our own, as OpenRouter's users know them (contract.md): the
 * gateway takes them out or, until their step, refuses them, so they are not sent in a replay.
 */
const OURS = ['models', 'provider', 'transforms', 'preset', 'usage'] as const;
const PAUSE: Step = { do: 'wait', ms: 2 };
const INPUT_PRICE = 1;
const CACHED_PRICE = 0.5;
const OUTPUT_PRICE = 2;
const TOKENS_A_PRICE = 1_000_000;
const NANO_USD = 1e-9;

/** The id under which a recorded model is offered: no two places share one. */
function publicModel(exchange: Pick<RecordedExchange, 'place' | 'model'>): string {
  return `recorded-${exchange.place}--${exchange.model}`;
}

/** A config with one provider for each recorded one and an entry for each recorded model. */
export function configFor(exchanges: readonly RecordedExchange[], origin: string): JsonObject {
  const price = {
    input: String(INPUT_PRICE),
    output: String(OUTPUT_PRICE),
    cache_read: String(CACHED_PRICE),
  };
  const providers: Record<string, unknown> = {};
  for (const { name, type } of PLACES) {
    // Azure's base URL in the style whose paths name the deployment, which is the recorded one.
    const base_url = `${origin}/${name}${name === 'azure' ? '/openai/deployments' : ''}`;
    providers[`at-${name}`] = { type, base_url, api_key: `sk-canary-upstream-${name}` };
  }
  const models: Record<string, unknown> = {};
  for (const exchange of exchanges) {
    const endpoint = { provider: `at-${exchange.place}`, model: exchange.model, price };
    models[publicModel(exchange)] = { endpoints: [endpoint] };
  }
  return { providers, models };
}

/** What the recorded host said, as a script. Where it broke off, what came before came before. */
function recordedReply(exchange: RecordedExchange): Reply {
  const { body, status, headers, streamed } = exchange;
  const broke = streamed && status === 200 && readRecorded(body, true).error !== null;
  const pieces = broke ? body.split(/(?<=\n\n)/) : [body];
  const steps = pieces.flatMap((bytes): Step[] => [
    { do: 'write', bytes },
    ...(broke ? [PAUSE] : []),
  ]);
  return [{ do: 'head', status, headers }, ...steps, { do: 'end' }];
}

/** The recorded body as a caller of the gateway sends it. */
export function requestFor(exchange: RecordedExchange): JsonObject {
  const body: Record<string, unknown> = { ...exchange.request, model: publicModel(exchange) };
  for (const key of OURS) delete body[key];
  return body;
}

export interface ClientView {
  readonly reading: Reading;
  readonly events: readonly unknown[];
  readonly thrown: unknown;
}

/** Replays one exchange. One at a time for each place: the place's path is its script. */
export async function replay(rig: Rig, exchange: RecordedExchange): Promise<Replay> {
  const prefix = `/${exchange.place}/`;
  rig.fake.on(prefix, () => recordedReply(exchange));
  const before = rig.fake.at(prefix).length;
  const view = await ask(rig, requestFor(exchange));
  const received = rig.fake.at(prefix).at(before);
  if (received === undefined) {
    return { exchange, differences: [`nothing reached the upstream: ${describe(view.thrown)}`] };
  }
  const recorded = readRecorded(exchange.body, exchange.streamed && exchange.status === 200);
  const sent = requestFor(exchange);
  const differences = [
    ...compareAddress(exchange, received.path),
    ...compareRequests(sent, parse(received.body.toString('utf8')), view.reading.warned),
    ...(exchange.status === 200
      ? [...compareAnswers(recorded, view), ...compareRest(exchange, view)]
      : compareFailure(exchange.status, recorded.error, view.thrown)),
  ];
  return { exchange, differences };
}

/** Asks with the official client; what it raises is part of the view. */
export async function ask(rig: Rig, body: JsonObject): Promise<ClientView> {
  const client = new OpenAI({ baseURL: rig.server.baseUrl, apiKey: rig.key, maxRetries: 0 });
  const events: unknown[] = [];
  let thrown: unknown = null;
  try {
    if (body['stream'] === true) {
      const stream = await client.post<Stream<unknown>>('/chat/completions', {
        body,
        stream: true,
      });
      for await (const event of stream) events.push(event);
    } else {
      events.push(await client.post<unknown>('/chat/completions', { body }));
    }
  } catch (error) {
    thrown = error;
  }
  return { reading: readAnswer(events), events, thrown };
}

/** Azure's deployment stands in the path; all others end as the recorded URL does. */
function compareAddress(exchange: RecordedExchange, path: string): string[] {
  const tail = /\/deployments\/[^?]*/.exec(exchange.path)?.[0] ?? '/chat/completions';
  return path.split('?')[0]?.endsWith(tail) === true ? [] : [`path: ${tail} became ${path}`];
}

/** Places whose answers are rewritten because their form would break the official client. */
const REWRITTEN = new Set(['mistral']);

function compareRest(exchange: RecordedExchange, view: ClientView): string[] {
  if (REWRITTEN.has(exchange.place) || view.thrown !== null) return [];
  const { body, streamed } = exchange;
  return compareMembers(streamed ? readSse(body).map(parse) : [parse(body)], view.events);
}

function compareAnswers(recorded: Reading, view: ClientView): string[] {
  if (recorded.error !== null) {
    // It broke in the middle, at the host: the client must see it break there, and nowhere else.
    const broke =
      view.thrown instanceof APIError ? [] : ['the recorded error did not raise APIError'];
    const told = { ...recorded, tokens: null };
    const differences = compareReadings(told, { ...view.reading, tokens: null });
    return [...broke, ...differences.filter((line) => line !== 'usage is missing')];
  }
  if (view.thrown !== null) return [`the client raised ${describe(view.thrown)}`];
  return [...compareReadings(recorded, view.reading), ...compareCost(view.reading)];
}

/** For a line of the report. */
export function describe(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : JSON.stringify(thrown);
}

/** The price of the config times the tokens that the client sees, to the nano-dollar. */
function compareCost(reading: Reading): string[] {
  const { tokens, cost } = reading;
  if (cost === null) return ['usage.cost is missing'];
  if (tokens === null) return [];
  const input = tokens.prompt ?? 0;
  const cached = Math.min(tokens.cached ?? 0, input);
  // Where a host counts reasoning beside the completion, its total tells (xAI).
  const output = Math.max(tokens.completion ?? 0, (tokens.total ?? 0) - input);
  const expected =
    ((input - cached) * INPUT_PRICE + cached * CACHED_PRICE + output * OUTPUT_PRICE) /
    TOKENS_A_PRICE;
  return Math.abs(cost - expected) <= NANO_USD ? [] : [`usage.cost: ${cost} is not ${expected}`];
}

/** How a failure that the host told with `recordedStatus` and `message` must reach the client. */
export function compareFailure(
  recordedStatus: number,
  message: string | null,
  thrown: unknown,
): string[] {
  if (!(thrown instanceof APIError)) return [`no APIError but ${describe(thrown)}`];
  const status: unknown = thrown.status;
  const allowed = STATUS_POLICY[recordedStatus] ?? [recordedStatus];
  if (typeof status !== 'number' || !allowed.includes(status)) {
    return [`status ${recordedStatus} became ${String(status)}: ${thrown.message}`];
  }
  const differences: string[] = [];
  const isCallers = status === 400;
  if (isCallers && !thrown.message.includes(message ?? '')) {
    differences.push(`the caller is not told why: ${thrown.message}`);
  }
  for (const field of ['message', 'type', 'param', 'code']) {
    if (at(thrown.error, field) === undefined) differences.push(`error.${field} is missing`);
  }
  const code = stringOf(at(thrown.error, 'code'));
  if (recordedStatus === 401 && code === 'invalid_api_key') {
    differences.push('an outage of our credential is told as the key of the caller');
  }
  return differences;
}

/**
 * The status that a caller gets for the host's. What is the request's own fault keeps its status;
 * what is wrong between us and the host is a failure of the upstream, never an error of the
 * caller's key.
 */
const STATUS_POLICY: Readonly<Record<number, readonly number[]>> = {
  400: [400],
  401: [502, 503],
  403: [502, 503],
  404: [404, 502, 503],
  429: [429, 503],
};

const agent = new Agent({ keepAlive: true });

/**
 * The text of a streamed answer over a plain socket: cheaper than a client, for thousands of cuts.
 */
export function askPlainly(rig: Rig, body: JsonObject): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      agent,
      method: 'POST',
      headers: { authorization: `Bearer ${rig.key}`, 'content-type': 'application/json' },
    };
    const request = httpRequest(`${rig.server.baseUrl}/chat/completions`, options, (response) => {
      readText(response).then(resolve, reject);
    });
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

/** A recorded stream shortened to `bytesMax` by leaving out whole events of its middle. */
export function abridge(body: string, bytesMax: number): string {
  if (Buffer.byteLength(body) <= bytesMax) return body;
  const events = body.split(/(?<=\n\n)/);
  const head: string[] = [];
  const tail: string[] = [];
  let size = 0;
  for (let turn = 0; events.length > 0; turn += 1) {
    const next = (turn % 2 === 0 ? events.pop() : events.shift()) ?? '';
    size += Buffer.byteLength(next);
    if (size > bytesMax) break;
    if (turn % 2 === 0) tail.unshift(next);
    else head.push(next);
  }
  return [...head, ...tail].join('');
}
