/** Which reader an endpoint's answer needs: the same dialect passes, another is translated. */
import type { Result } from '#base/result.ts';
import { wantsFunctionCall } from '#providers/dialects/openai-chat/read-form.ts';
import type { AnswerId } from '#providers/dialects/openai-chat/write-answer.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import type { AnswerStream, WholeAnswer } from '../answer.ts';
import type { AnswerContext } from '../inference.ts';
import { PassStream } from './pass-stream.ts';
import { readPassWhole } from './pass-whole.ts';
import { chatFor, formOf, type FormSource } from './request-form.ts';
import { TranslateStream } from './translate-stream.ts';
import { readTranslateWhole } from './translate-whole.ts';

const MS_PER_SECOND = 1000;

/** What an answer says of itself where its upstream gives no id, no time or no name. */
function statedOf(source: FormSource, { endpoint, generationId, nowMs }: AnswerContext): AnswerId {
  return {
    id: `chatcmpl-${generationId.slice(generationId.indexOf('_') + 1)}`,
    created: Math.floor(nowMs() / MS_PER_SECOND),
    model: endpoint.target.model,
    functionCall: wantsFunctionCall(formOf(source)),
  };
}

export function openAnswerStream(
  source: FormSource & { readonly choices: number },
  context: AnswerContext,
  eventBytesMax: number,
): AnswerStream {
  const chat = chatFor(source, context.endpoint);
  const { passThrough, codec } = chat;
  const { choices } = source;
  if (passThrough !== undefined) {
    return new PassStream({ passThrough, codec, eventBytesMax, choices });
  }
  return new TranslateStream({ chat, eventBytesMax, choices, stated: statedOf(source, context) });
}

export function readWholeAnswer(
  source: FormSource,
  context: AnswerContext,
  body: Uint8Array,
): Result<WholeAnswer, UpstreamComplaint> {
  const { passThrough, codec } = chatFor(source, context.endpoint);
  return passThrough === undefined
    ? readTranslateWhole(body, codec, statedOf(source, context))
    : readPassWhole(body, passThrough, codec);
}
