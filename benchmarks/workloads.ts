/**
 * The requests that the benchmark sends and what a right answer to each looks like. The model's
 * name in the body tells the mock upstream how to answer, so that every gateway is asked the same
 * thing in the same way and needs no route of its own.
 */

export type WorkloadName =
  | 'small'
  | 'tokens_1k'
  | 'tokens_10k'
  | 'tokens_100k'
  | StreamName
  | `${'small' | 'stream_100'}_${UpstreamDialect}`;
export type StreamName = 'stream_100' | 'stream_100_paced' | 'stream_64_slow';
/** Dialects of upstreams that a request has to be translated for. */
export type UpstreamDialect = 'anthropic' | 'gemini';

/** How the mock answers. `eventEveryMs` 0 writes the next event on the next turn of its loop. */
export type Answer = (
  | { readonly kind: 'json'; readonly delayMs: number; readonly answerTokens: number }
  | { readonly kind: 'stream'; readonly events: number; readonly eventEveryMs: number }
) & {
  /** OpenAI's own where there is none. */
  readonly dialect?: UpstreamDialect;
};

/** The public model ids; the mock knows them under the same names. */
export const ANSWERS = {
  'bench-instant': { kind: 'json', delayMs: 0, answerTokens: 12 },
  'bench-delayed': { kind: 'json', delayMs: 20, answerTokens: 12 },
  'bench-real': { kind: 'json', delayMs: 0, answerTokens: 1000 },
  'bench-stream-100': { kind: 'stream', events: 100, eventEveryMs: 0 },
  'bench-stream-100-paced': { kind: 'stream', events: 100, eventEveryMs: 2 },
  'bench-stream-64-slow': { kind: 'stream', events: 64, eventEveryMs: 20 },
  'bench-anthropic': { kind: 'json', delayMs: 0, answerTokens: 12, dialect: 'anthropic' },
  'bench-gemini': { kind: 'json', delayMs: 0, answerTokens: 12, dialect: 'gemini' },
  'bench-anthropic-stream': {
    kind: 'stream',
    events: 96,
    eventEveryMs: 0,
    dialect: 'anthropic',
  },
  'bench-gemini-stream': { kind: 'stream', events: 96, eventEveryMs: 0, dialect: 'gemini' },
} as const satisfies Record<string, Answer>;

export type ModelName = keyof typeof ANSWERS;

export interface Workload {
  readonly model: ModelName;
  readonly promptTokens: number;
  /** Server-sent events that the answer must hold at least; 0 for a JSON answer. */
  readonly eventsMin: number;
}

export const WORKLOADS: Readonly<Record<WorkloadName, Workload>> = {
  small: { model: 'bench-instant', promptTokens: 12, eventsMin: 0 },
  tokens_1k: { model: 'bench-real', promptTokens: 1000, eventsMin: 0 },
  tokens_10k: { model: 'bench-real', promptTokens: 10_000, eventsMin: 0 },
  tokens_100k: { model: 'bench-real', promptTokens: 100_000, eventsMin: 0 },
  stream_100: { model: 'bench-stream-100', promptTokens: 12, eventsMin: 100 },
  stream_100_paced: { model: 'bench-stream-100-paced', promptTokens: 12, eventsMin: 100 },
  stream_64_slow: { model: 'bench-stream-64-slow', promptTokens: 12, eventsMin: 64 },
  small_anthropic: { model: 'bench-anthropic', promptTokens: 12, eventsMin: 0 },
  small_gemini: { model: 'bench-gemini', promptTokens: 12, eventsMin: 0 },
  stream_100_anthropic: { model: 'bench-anthropic-stream', promptTokens: 12, eventsMin: 96 },
  stream_100_gemini: { model: 'bench-gemini-stream', promptTokens: 12, eventsMin: 96 },
};

export function isModelName(value: string): value is ModelName {
  return Object.hasOwn(ANSWERS, value);
}

/** Common English words: with the space before them each is one token for the usual tokenizers. */
const WORDS = [
  'the',
  'river',
  'runs',
  'past',
  'an',
  'old',
  'mill',
  'and',
  'under',
  'the',
  'stone',
  'bridge',
  'where',
  'people',
  'meet',
  'in',
  'the',
  'evening',
  'to',
  'talk',
  'about',
  'work',
  'and',
  'weather',
];

/** About `tokens` tokens of prose. */
export function proseOf(tokens: number): string {
  return Array.from({ length: tokens }, (_, index) => WORDS[index % WORDS.length]).join(' ');
}

/** A conversation rather than one giant message, as long contexts are in practice. */
const TOKENS_PER_MESSAGE = 2000;

function messagesOf(tokens: number): { role: string; content: string }[] {
  const count = Math.max(1, Math.ceil(tokens / TOKENS_PER_MESSAGE));
  return Array.from({ length: count }, (_, index) => ({
    role: (count - index) % 2 === 1 ? 'user' : 'assistant',
    content: proseOf(Math.round(tokens / count)),
  }));
}

/** The request's JSON body. The model stands first, where the mock looks for it. */
export function toRequestBody(workload: Workload): string {
  const stream = workload.eventsMin > 0;
  return JSON.stringify({
    model: workload.model,
    messages: messagesOf(workload.promptTokens),
    max_completion_tokens: 2000,
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
}
