/**
 * A made-up host with a dialect of its own that is no door's: what the gateway does with any
 * translated endpoint can be tested with it, whatever the real dialects do.
 *
 *   {"model", "lines": [{"who", "text"}], "most"?}  ->  {"said", "why", "used": {"in", "out"}}
 *   streamed: {"begin": id, "in"?} {"text"}* {"why", "used"?} | {"oops": code}
 */
import type { ChatAnswer, ChatEvent, ChatForm, Part } from '#providers/form.ts';
import { isRecord, numberOf, parseJson, recordOf, textOf } from '#providers/json.ts';
import {
  CannotSay,
  type ChatCodec,
  type ChatStreamDecoder,
  type Credentials,
  type Encoded,
  type Provider,
  type StreamFraming,
  type Target,
  type UpstreamError,
  type Warning,
} from '#providers/provider.ts';
import type { Usage } from '#wire/usage.ts';
import { awsEventFrame, awsExceptionFrame } from './aws-event-frames.ts';
import type { Pairs, Reply, Step } from './fake-upstream.ts';
import { jsonReply, SSE_HEADERS, writes, type Mode } from './fake-upstream-replies.ts';

export interface TalkOptions {
  readonly framing?: StreamFraming;
  readonly onCancel?: Provider['onCancel'];
  /** The secret is of no use, and the provider says so. */
  readonly unusable?: boolean;
  /** Where tokens are exchanged for the secret; null where the secret itself is sent. */
  readonly tokenUrl?: () => string;
}

export const TALK_HEADERS: Pairs = [['x-talk-beta', 'lines-2']];

function wordsOf(part: Part): string {
  if (part.type === 'text') return part.text;
  throw new CannotSay(part.path ?? 'messages', 'This host takes text only.');
}

function encode(form: ChatForm, target: Target): Encoded {
  const warnings: Warning[] = [];
  if (form.sampling.seed !== undefined) {
    warnings.push({ code: 'dropped', param: 'seed', message: 'This host takes no seed.' });
  }
  if (form.output.kind === 'json') {
    const message = 'The host was asked for JSON in words.';
    warnings.push({ code: 'emulated', param: 'response_format', message });
  }
  const lines = form.turns.map(({ role, parts }) => ({
    who: role,
    text: parts.map(wordsOf).join(''),
  }));
  const most = form.maxOutputTokens === undefined ? {} : { most: form.maxOutputTokens };
  return { body: { model: target.model, lines, ...most }, warnings, headers: TALK_HEADERS };
}

function usageOf(used: unknown): Usage | null {
  if (!isRecord(used)) return null;
  const input = numberOf(used['in']);
  const output = numberOf(used['out']);
  return {
    buckets: { input: input ?? 0, cache_read: numberOf(used['kept']) ?? 0, output: output ?? 0 },
    source: output === undefined ? 'none' : 'upstream',
    flags: [],
    native: used,
  };
}

function finishOf(why: string) {
  const reason = why === 'end' ? 'stop' : 'length';
  return { reason, native: why } as const;
}

function decode(body: unknown): ChatAnswer {
  const { said, why, used, id } = recordOf(body);
  if (typeof said !== 'string') throw new Error('no answer');
  const finish = typeof why === 'string' ? finishOf(why) : null;
  return {
    id: textOf(id) ?? '',
    createdAt: 0,
    model: '',
    choices: [{ index: 0, parts: [{ type: 'text', text: said }], finish }],
    usage: usageOf(used) ?? { buckets: {}, source: 'none', flags: ['missing'], native: null },
    native: {},
  };
}

function streamDecoder(): ChatStreamDecoder {
  let open = false;
  const at = { choice: 0, part: 0 } as const;
  const stop = (): ChatEvent[] => {
    if (!open) return [];
    open = false;
    return [{ type: 'part_stop', ...at }];
  };
  return {
    push({ event, data }) {
      const said = parseJson(data);
      const events: ChatEvent[] = [];
      if (!isRecord(said)) throw new Error('not JSON');
      const code = textOf(said['oops']);
      if (code !== undefined && event !== 'unknownException') {
        const complaint = { code, message: 'it broke', status: null };
        return [...stop(), { type: 'complaint', complaint }];
      }
      if (typeof said['begin'] === 'string') {
        events.push({ type: 'start', id: said['begin'], createdAt: 0, model: '' });
      }
      const text = textOf(said['text']);
      if (text !== undefined && !open) {
        open = true;
        events.push({ type: 'part_start', value: { type: 'text', text: '' }, ...at });
      }
      if (text !== undefined) events.push({ type: 'text_delta', text, ...at });
      if (typeof said['why'] === 'string') {
        const finish = finishOf(said['why']);
        events.push(...stop(), { type: 'finish', choice: 0, finish });
      }
      const usage = usageOf(said['used']);
      if (usage !== null) events.push({ type: 'usage', usage });
      return events;
    },
    end: stop,
  };
}

export const talkCodec: ChatCodec = {
  encode,
  decode,
  readComplaint: (body) => {
    const code = textOf(recordOf(body)['oops']);
    return code === undefined ? null : { code, message: 'it broke', status: null };
  },
  stream: streamDecoder,
};

function exchangeFor(secret: string, url: string): Credentials {
  return {
    exchange: {
      cacheKey: `talk:${secret}`,
      url,
      headers: [['content-type', 'text/plain']],
      body: secret,
      read: (bytes) => {
        const said = recordOf(parseJson(new TextDecoder().decode(bytes)));
        const token = textOf(said['token']);
        const expiresAtMs = numberOf(said['until']);
        if (token === undefined || expiresAtMs === undefined) return null;
        return { headers: [['authorization', `Token ${token}`]], expiresAtMs };
      },
    },
  };
}

/** The provider: for `spoken` of a test gateway. */
const ERROR_KINDS: ReadonlyMap<number, UpstreamError['kind']> = new Map([
  [400, 'invalid_request'],
  [401, 'authentication'],
  [503, 'overloaded'],
]);

export function talkProvider(options: TalkOptions = {}): Provider {
  const { framing = 'sse', onCancel = 'bills_on', tokenUrl, unusable = false } = options;
  return {
    id: 'talk',
    name: 'Talk',
    docs: 'https://talk.invalid/docs',
    baseUrl: null,
    env: { apiKey: [] },
    needsKey: true,
    onCancel,
    address: ({ baseUrl }, operation) => ({
      method: 'POST',
      url: `${baseUrl}/${operation === 'chat' ? 'talk' : 'talk-live'}`,
    }),
    credentials: ({ secret }) => {
      if (unusable) throw new Error('The secret is no secret.');
      if (tokenUrl !== undefined) return exchangeFor(secret, tokenUrl());
      return { headers: [['x-talk-key', secret]] };
    },
    readError: ({ status, body }) => ({
      kind: ERROR_KINDS.get(status) ?? 'server_error',
      retry: status === 400 ? 'never' : 'elsewhere',
      status,
      message: new TextDecoder().decode(body),
      code: null,
      param: null,
      retryAfterMs: null,
    }),
    offers: [],
    chat: () => ({ dialect: 'cohere-chat', codec: talkCodec, framing }),
  };
}

export const TALK_PIECES: readonly string[] = ['Hello', ', ', 'wörld', ' ', '🌍', '!'];
export const TALK_USED = { in: 11, kept: 3, out: 7 };

/** The events of a whole stream, as JSON. */
export function talkEvents(pieces: readonly string[] = TALK_PIECES): unknown[] {
  return [
    { begin: 't1', used: { in: 11, kept: 3 } },
    ...pieces.map((text) => ({ text })),
    { why: 'end' },
    { used: TALK_USED },
  ];
}

/** Bytes of each event. */
export function talkBytes(events: readonly unknown[], framing: StreamFraming = 'sse'): Buffer[] {
  return events.map((event) => {
    const text = JSON.stringify(event);
    if (framing === 'sse') return Buffer.from(`data: ${text}\n\n`);
    return isRecord(event) && event['oops'] !== undefined
      ? awsExceptionFrame('oopsException', text)
      : awsEventFrame('talk', text);
  });
}

const AWS_HEADERS: Pairs = [['content-type', 'application/vnd.amazon.eventstream']];

export function talkStream(
  pieces: readonly (string | Uint8Array)[],
  last: readonly Step[] = [{ do: 'end' }],
  framing: StreamFraming = 'sse',
): Reply {
  const headers = framing === 'sse' ? SSE_HEADERS : AWS_HEADERS;
  return [{ do: 'head', status: 200, headers }, ...writes(pieces), ...last];
}

export function talkReply(mode: Mode, framing: StreamFraming = 'sse'): Reply {
  if (mode === 'stream') return talkStream(talkBytes(talkEvents(), framing), undefined, framing);
  const said = TALK_PIECES.join('');
  return jsonReply(200, JSON.stringify({ id: 't1', said, why: 'end', used: TALK_USED }));
}
