/**
 * What an upstream of the OpenAI family says when it is well: whole answers, streams and errors, as
 * scripts for the fake. Written by us from the public shapes, with nothing recorded in them.
 */
import type { Pairs, Reply, Step } from './fake-upstream.ts';
import { at, parse } from './recordings-json.ts';

export type Mode = 'json' | 'stream';

export interface UsageReport {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly [more: string]: unknown;
}

export interface AnswerScript {
  readonly model?: string;
  /** The answer's text, a stream's delta each. */
  readonly pieces?: readonly string[];
  /** What stands in the place of usage; undefined leaves the member out. */
  readonly usage?: unknown;
  readonly finish?: string | null;
  readonly toolCalls?: readonly unknown[];
}

export const PIECES: readonly string[] = ['Hello', ', ', 'wörld', ' ', '🌍', '!'];
export const TEXT: string = PIECES.join('');
export const USAGE: UsageReport = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
export const JSON_HEADERS: Pairs = [['content-type', 'application/json']];
export const SSE_HEADERS: Pairs = [['content-type', 'text/event-stream; charset=utf-8']];
export const DONE = 'data: [DONE]\n\n';

const CREATED = 1_790_000_000;
const ID = 'chatcmpl-fake-1';

/** `usage` where a script does not speak of it. */
function usageOf(script: AnswerScript): unknown {
  return 'usage' in script ? script.usage : USAGE;
}

/** The body of a whole answer. */
export function completionBody(script: AnswerScript = {}): string {
  const content = (script.pieces ?? PIECES).join('');
  const message = {
    role: 'assistant',
    content: script.toolCalls === undefined ? content : null,
    refusal: null,
    ...(script.toolCalls === undefined ? {} : { tool_calls: script.toolCalls }),
  };
  const finish = script.finish === undefined ? 'stop' : script.finish;
  return JSON.stringify({
    id: ID,
    object: 'chat.completion',
    created: CREATED,
    model: script.model ?? 'fake-model',
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    usage: usageOf(script),
  });
}

/** One chunk as an SSE event. `more` stands beside `choices`. */
export function chunkEvent(
  choices: readonly unknown[],
  more: Readonly<Record<string, unknown>> = {},
  model = 'fake-model',
): string {
  const chunk = {
    id: ID,
    object: 'chat.completion.chunk',
    created: CREATED,
    model,
    choices,
    ...more,
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** A chunk that carries one delta of choice 0. */
export function deltaEvent(delta: unknown, finish: string | null = null): string {
  return chunkEvent([{ index: 0, delta, logprobs: null, finish_reason: finish }]);
}

/** The events of a whole stream: role, text or tool calls, finish, usage, [DONE]. */
export function streamEvents(script: AnswerScript = {}): string[] {
  const usage = usageOf(script);
  const body =
    script.toolCalls === undefined
      ? (script.pieces ?? PIECES).map((piece) => deltaEvent({ content: piece }))
      : script.toolCalls.map((call) => deltaEvent({ tool_calls: [call] }));
  return [
    deltaEvent({ role: 'assistant', content: '' }),
    ...body,
    deltaEvent({}, script.finish === undefined ? 'stop' : script.finish),
    ...(usage === undefined ? [] : [chunkEvent([], { usage })]),
    DONE,
  ];
}

/** A whole JSON answer of any status. */
export function jsonReply(status: number, body: string, headers: Pairs = []): Reply {
  return [
    { do: 'head', status, headers: [...JSON_HEADERS, ...headers] },
    { do: 'write', bytes: body },
    { do: 'end' },
  ];
}

/** Bytes of a 200 stream, each piece a write of its own. */
export function writes(pieces: readonly (string | Uint8Array)[]): Step[] {
  return pieces.map((bytes) => ({ do: 'write', bytes }));
}

/** A 200 stream whose last step is `last` (`end` where it is well). */
export function sseReply(
  pieces: readonly (string | Uint8Array)[],
  last: readonly Step[] = [{ do: 'end' }],
): Reply {
  return [{ do: 'head', status: 200, headers: SSE_HEADERS }, ...writes(pieces), ...last];
}

/** A good answer in the mode that the request asks for. */
export function goodReply(mode: Mode, script: AnswerScript = {}): Reply {
  return mode === 'stream'
    ? sseReply(streamEvents(script))
    : jsonReply(200, completionBody(script));
}

/** OpenAI's error envelope. */
export function errorBody(message: string, code: string | null, type = 'server_error'): string {
  return JSON.stringify({ error: { message, type, param: null, code } });
}

/** Whether a request body asks for a stream. */
export function modeOf(body: Buffer): Mode {
  return at(parse(body.toString('utf8')), 'stream') === true ? 'stream' : 'json';
}
