/**
 * Replays a recorded exchange of a host with a dialect of its own: the fake upstream says the
 * recorded bytes, the running gateway is between, and the official OpenAI client asks what was
 * asked then, in chat form. Says what came out otherwise than recorded, on either way.
 */
import { CannotSay } from '#providers/provider.ts';
import { writeChat } from './chat-writer.ts';
import type { Pairs, Reply } from './fake-upstream.ts';
import { parse, type JsonObject } from './recordings-json.ts';
import { compareNative } from './recordings-native-compare.ts';
import { promptTokens, type NativeReading } from './recordings-native-answer.ts';
import { readNative } from './recordings-native-reading.ts';
import { readNativeRequest } from './recordings-native-readers.ts';
import { compareNativeRequests, type RequestChange } from './recordings-native-requests.ts';
import { NATIVE_PLACES, type NativeExchange } from './recordings-native-rows.ts';
import { ask, compareFailure, describe, type ClientView, type Rig } from './recordings-replay.ts';

export interface NativeReplay {
  readonly exchange: NativeExchange;
  /** Empty: the client got what was recorded. */
  readonly differences: readonly string[];
  /** How the request differs from the recorded one; null where none was recorded. */
  readonly request: NativeRequestReplay | null;
}

export interface NativeRequestReplay {
  readonly changes: readonly RequestChange[];
  /** What chat has no place for. */
  readonly lost: ReadonlySet<string>;
  /** The gateway's own refusal, where the request did not get through. */
  readonly refused: string | null;
}

/** Dollars per million tokens: no two alike, so that no bucket can stand in for another. */
const PRICE = {
  input: 1,
  output: 2,
  cache_read: 0.25,
  cache_write_5m: 1.25,
  cache_write_1h: 1.5,
  audio_input: 3,
  image_output: 5,
} as const;
/** Hosted searches read more than one context of their model: no number here is absurd. */
const CONTEXT = 1_000_000;
const TOKENS_A_PRICE = 1_000_000;
const NANO_USD = 1e-9;

/** The id under which a recorded model is offered: no two places share one. */
function publicModel({ place, model }: Pick<NativeExchange, 'place' | 'model'>): string {
  return `native-${place}--${model}`;
}

/** A config with one provider for each place and an entry for each recorded model. */
export function nativeConfigFor(exchanges: readonly NativeExchange[], origin: string): JsonObject {
  const price = Object.fromEntries(
    Object.entries(PRICE).map(([bucket, rate]) => [bucket, String(rate)]),
  );
  const providers: Record<string, unknown> = {};
  for (const { name } of NATIVE_PLACES) {
    providers[`at-${name}`] = {
      type: name,
      base_url: `${origin}/${name}`,
      api_key: `canary-upstream-${name}`,
      region: 'us-east-1',
      project: 'recorded-project',
    };
  }
  const models: Record<string, unknown> = {};
  for (const exchange of exchanges) {
    const { place, model } = exchange;
    const endpoint = { provider: `at-${place}`, model, price, context: CONTEXT };
    models[publicModel(exchange)] = { endpoints: [endpoint] };
  }
  return { providers, models };
}

/** A small request of ours, for exchanges without one and for those that do not get through. */
export function plainRequest(exchange: NativeExchange): JsonObject {
  const messages = [{ role: 'user', content: 'Answer as you did when you were recorded.' }];
  const model = publicModel(exchange);
  return { model, messages, ...(exchange.streamed ? { stream: true } : {}) };
}

/** What the recorded host said, as a script. */
function replyOf(exchange: NativeExchange): Reply {
  const headers: Pairs = [['content-type', exchange.contentType]];
  return [
    { do: 'head', status: exchange.status, headers },
    { do: 'write', bytes: exchange.body },
    { do: 'end' },
  ];
}

/** Replays one exchange. One at a time for each place: the place's path is its script. */
export async function replayNative(rig: Rig, exchange: NativeExchange): Promise<NativeReplay> {
  rig.fake.on(`/${exchange.place}/`, () => replyOf(exchange));
  const asked = await askAsRecorded(rig, exchange);
  const view = asked?.view ?? (await send(rig, exchange, plainRequest(exchange))).view;
  const recorded = readNative(exchange);
  const differences =
    exchange.status === 200
      ? compareAnswers(recorded, view)
      : compareFailure(statusOf(exchange, recorded), recorded.error, view.thrown);
  return { exchange, differences, request: asked?.request ?? null };
}

/** Bedrock says 400 of a model that it does not know, where others say 404. */
function statusOf({ status }: NativeExchange, { error }: NativeReading): number {
  return error === 'The provided model identifier is invalid.' ? 404 : status;
}

interface Sent {
  readonly view: ClientView;
  /** What reached the fake; undefined where nothing did. */
  readonly received: unknown;
}

async function send(rig: Rig, exchange: NativeExchange, body: JsonObject): Promise<Sent> {
  const prefix = `/${exchange.place}/`;
  const before = rig.fake.at(prefix).length;
  const view = await ask(rig, body);
  const received = rig.fake.at(prefix).at(before);
  return { view, received: received && parse(received.body.toString('utf8')) };
}

interface Asked {
  readonly view: ClientView | null;
  readonly request: NativeRequestReplay;
}

/** Null where no request was recorded. */
async function askAsRecorded(rig: Rig, exchange: NativeExchange): Promise<Asked | null> {
  const { request: native, dialect, streamed } = exchange;
  if (native === null) return null;
  let chat;
  try {
    const form = { ...readNativeRequest(native, dialect), stream: streamed };
    chat = writeChat(form, publicModel(exchange));
  } catch (error) {
    const refused = `reading: ${describe(error)}${error instanceof CannotSay ? ` at ${error.param}` : ''}`;
    return { view: null, request: { changes: [], lost: new Set(), refused } };
  }
  const { lost } = chat;
  const { view, received } = await send(rig, exchange, chat.body);
  if (received === undefined) {
    return { view: null, request: { changes: [], lost, refused: describe(view.thrown) } };
  }
  const { warned } = view.reading;
  const changes = compareNativeRequests(native, received, dialect).map((change) =>
    isSilent(change, chat.body, warned) ? { ...change, path: `${change.path}, silently` } : change,
  );
  return { view, request: { changes, lost, refused: null } };
}

/** A member of the body that we sent, lost without a warning of it. */
function isSilent(
  { path, kind }: RequestChange,
  sent: JsonObject,
  warned: ReadonlySet<string>,
): boolean {
  const [member = ''] = path.split(/[.[]/);
  const root = member === 'generationConfig' ? member : path;
  return kind === 'lost' && root in sent && ![...warned].some((param) => param.startsWith(root));
}

function compareAnswers(recorded: NativeReading, view: ClientView): string[] {
  if (view.thrown !== null) return [`the client raised ${describe(view.thrown)}`];
  return [...compareNative(recorded, view), ...compareCost(recorded, view)];
}

/** The price of the config times the recorded tokens, to the nano-dollar. */
function compareCost(recorded: NativeReading, { reading }: ClientView): string[] {
  const { tokens } = recorded;
  const { cost } = reading;
  if (cost === null) return ['usage.cost is missing'];
  if (tokens === null) return [];
  if (recorded.failed) return cost === 0 ? [] : [`a failed answer costs ${cost}`];
  const plainInput = promptTokens(tokens) - tokens.cacheRead - tokens.cacheWrite5m;
  const expected =
    ((plainInput - tokens.cacheWrite1h - tokens.audioInput) * PRICE.input +
      tokens.audioInput * PRICE.audio_input +
      tokens.cacheRead * PRICE.cache_read +
      tokens.cacheWrite5m * PRICE.cache_write_5m +
      tokens.cacheWrite1h * PRICE.cache_write_1h +
      (tokens.generated - tokens.imageOutput) * PRICE.output +
      tokens.imageOutput * PRICE.image_output) /
    TOKENS_A_PRICE;
  return Math.abs(cost - expected) <= NANO_USD ? [] : [`usage.cost: ${cost} is not ${expected}`];
}
