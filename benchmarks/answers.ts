/** The bytes that the mock upstream sends: OpenAI-shaped, built once, never per request. */
import type { ModelName } from './workloads.ts';
import { proseOf } from './workloads.ts';

const CREATED = 1_763_640_000;
const PROMPT_TOKENS = 12;

function toUsage(completionTokens: number) {
  return {
    prompt_tokens: PROMPT_TOKENS,
    completion_tokens: completionTokens,
    total_tokens: PROMPT_TOKENS + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function toHead(status: string, headers: readonly string[]): string {
  return [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n');
}

/** A whole JSON answer, head included. */
export function toJsonAnswer(status: string, body: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(body));
  const head = toHead(status, [
    'content-type: application/json',
    `content-length: ${bytes.length}`,
    'x-request-id: req_bench',
  ]);
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

export function toCompletion(model: ModelName, answerTokens: number): Buffer {
  return toJsonAnswer('200 OK', {
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: CREATED,
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: proseOf(answerTokens), refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: toUsage(answerTokens),
    service_tier: 'default',
    system_fingerprint: 'fp_bench',
  });
}

function toHttpChunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/**
 * A stream as one buffer per write: the head, then `events` events (role, words, finish reason,
 * usage, `[DONE]`), each its own HTTP chunk; the last carries the end of the body.
 */
export function toStreamWrites(model: ModelName, events: number): readonly Buffer[] {
  const base = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: CREATED,
    model,
    service_tier: 'default',
    system_fingerprint: 'fp_bench',
  };
  const chunk = (delta: object, finish: string | null) => ({
    ...base,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: null,
  });
  const words = events - 4;
  const payloads = [
    JSON.stringify(chunk({ role: 'assistant', content: '', refusal: null }, null)),
    ...proseOf(words)
      .split(' ')
      .map((word) => JSON.stringify(chunk({ content: ` ${word}` }, null))),
    JSON.stringify(chunk({}, 'stop')),
    JSON.stringify({ ...base, choices: [], usage: toUsage(words) }),
    '[DONE]',
  ];
  return toEventStream(payloads.map((payload) => `data: ${payload}`));
}

/** One buffer per write: the head, then each event as an HTTP chunk of its own. */
export function toEventStream(events: readonly string[]): readonly Buffer[] {
  const head = toHead('200 OK', [
    'content-type: text/event-stream; charset=utf-8',
    'transfer-encoding: chunked',
    'cache-control: no-cache',
    'x-request-id: req_bench',
  ]);
  const frames = events.map((event, index) => {
    const frame = toHttpChunk(`${event}\n\n`);
    return index === events.length - 1 ? `${frame}0\r\n\r\n` : frame;
  });
  return [head, ...frames].map((text) => Buffer.from(text, 'utf8'));
}
