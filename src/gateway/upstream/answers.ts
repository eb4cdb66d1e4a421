/** Which reader an endpoint's answer needs: the same dialect passes, another is translated. */
import type { Result } from '#base/result.ts';
import { wantsFunctionCall } from '#providers/dialects/openai-chat/read-form.ts';
import type { AnswerId } from '#providers/dialects/openai-chat/write-answer.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import type { AnswerStream, WholeAnswer } from '../chat/answer-form.ts';
import type { ChatRequestReading } from '../chat/read-request.ts';
import { formOf } from '../chat/request-form.ts';
import { PassStream } from '../chat/pass-stream.ts';
import { readPassWhole } from '../chat/pass-whole.ts';
import { TranslateStream } from '../chat/translate-stream.ts';
import { readTranslateWhole } from '../chat/translate-whole.ts';
import type { Endpoint } from '../endpoint.ts';

/** What a translated answer must know of its request. */
export interface AnswerContext {
  readonly endpoint: Endpoint;
  readonly generationId: string;
  readonly reading: ChatRequestReading;
  readonly nowMs: () => number;
}

const MS_PER_SECOND = 1000;

/** What an answer says of itself where its upstream gives no id, no time or no name. */
function statedOf({ endpoint, generationId, reading, nowMs }: AnswerContext): AnswerId {
  return {
    id: `chatcmpl-${generationId.slice(generationId.indexOf('_') + 1)}`,
    created: Math.floor(nowMs() / MS_PER_SECOND),
    model: endpoint.target.model,
    functionCall: wantsFunctionCall(formOf(reading)),
  };
}

export function openAnswerStream(context: AnswerContext, eventBytesMax: number): AnswerStream {
  const { chat } = context.endpoint;
  const { passThrough, codec } = chat;
  if (passThrough !== undefined) return new PassStream({ passThrough, codec, eventBytesMax });
  const { choices } = context.reading;
  return new TranslateStream({ chat, eventBytesMax, choices, stated: statedOf(context) });
}

export function readWholeAnswer(
  context: AnswerContext,
  body: Uint8Array,
): Result<WholeAnswer, UpstreamComplaint> {
  const { passThrough, codec } = context.endpoint.chat;
  return passThrough === undefined
    ? readTranslateWhole(body, codec, statedOf(context))
    : readPassWhole(body, passThrough, codec);
}
