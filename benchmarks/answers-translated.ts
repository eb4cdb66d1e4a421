/** What the mock upstream says in other dialects than OpenAI's: as much, in as many pieces. */
import { toEventStream, toJsonAnswer } from './answers.ts';
import type { Answer, ModelName } from './workloads.ts';
import { proseOf } from './workloads.ts';

const PROMPT_TOKENS = 12;

type Json = Readonly<Record<string, unknown>>;

const named = (event: Json): string =>
  `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}`;

function toMessage(model: ModelName, content: readonly Json[], outputTokens: number): Json {
  return {
    id: 'msg_bench',
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: content.length > 0 ? 'end_turn' : null,
    stop_sequence: null,
    usage: {
      input_tokens: PROMPT_TOKENS,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: outputTokens,
      service_tier: 'standard',
    },
  };
}

/** Anthropic's Messages. Six events of a stream are not text. */
function toAnthropic(model: ModelName, answer: Answer): readonly Buffer[] {
  if (answer.kind === 'json') {
    const content = [{ type: 'text', text: proseOf(answer.answerTokens) }];
    return [toJsonAnswer('200 OK', toMessage(model, content, answer.answerTokens))];
  }
  const words = answer.events;
  return toEventStream([
    named({ type: 'message_start', message: toMessage(model, [], 1) }),
    named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    ...proseOf(words)
      .split(' ')
      .map((word) => ({ type: 'text_delta', text: ` ${word}` }))
      .map((delta) => named({ type: 'content_block_delta', index: 0, delta })),
    named({ type: 'content_block_stop', index: 0 }),
    named({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: words },
    }),
    named({ type: 'message_stop' }),
  ]);
}

function toGenerated(
  model: ModelName,
  said: { readonly text: string; readonly outputTokens: number; readonly last: boolean },
): Json {
  const { text, outputTokens, last } = said;
  return {
    candidates: [
      {
        content: { parts: [{ text }], role: 'model' },
        ...(last ? { finishReason: 'STOP' } : {}),
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: PROMPT_TOKENS,
      candidatesTokenCount: outputTokens,
      totalTokenCount: PROMPT_TOKENS + outputTokens,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: PROMPT_TOKENS }],
    },
    modelVersion: model,
    responseId: 'bench',
  };
}

/** Gemini's generateContent: each event is a whole answer of its own, usage included. */
function toGemini(model: ModelName, answer: Answer): readonly Buffer[] {
  if (answer.kind === 'json') {
    const text = proseOf(answer.answerTokens);
    return [
      toJsonAnswer(
        '200 OK',
        toGenerated(model, { text, outputTokens: answer.answerTokens, last: true }),
      ),
    ];
  }
  const words = proseOf(answer.events).split(' ');
  return toEventStream(
    words
      .map((word, at) => {
        const last = at === words.length - 1;
        return toGenerated(model, { text: ` ${word}`, outputTokens: at + 1, last });
      })
      .map((event) => `data: ${JSON.stringify(event)}`),
  );
}

export const TRANSLATED = { anthropic: toAnthropic, gemini: toGemini } as const;
