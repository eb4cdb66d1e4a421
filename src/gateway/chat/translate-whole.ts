/**
 * A whole chat answer whose upstream speaks another dialect than the client: read by the host's
 * codec and written anew, with our members at its end.
 */
import { toBytes, toText } from '#base/bytes.ts';
import { err, ok, type Result } from '#base/result.ts';
import type { ChatAnswer, UpstreamComplaint } from '#providers/form.ts';
import { isRecord, parseJson } from '#providers/json.ts';
import type { ChatCodec } from '#providers/provider.ts';
import { writeAnswer, type AnswerId } from '#providers/dialects/openai-chat/write-answer.ts';
import type { Usage } from '#wire/usage.ts';
import type { AnswerTail, WholeAnswer } from '../answer.ts';
import { partText } from './produced-text.ts';
import { finishWord, identify } from './translate-stream.ts';
import { translatedTail } from './translated-tail.ts';

function complaint(code: string, message: string): Result<never, UpstreamComplaint> {
  return err({ code, message, status: null });
}

/** Reads an upstream's 200; the error is what it complained of, or what is wrong with it. */
export function readTranslateWhole(
  body: Uint8Array,
  codec: ChatCodec,
  stated: AnswerId,
): Result<WholeAnswer, UpstreamComplaint> {
  const parsed = parseJson(toText(body));
  if (!isRecord(parsed)) {
    const what = body.length === 0 ? 'an empty answer' : 'an answer that is not JSON';
    return complaint('malformed_answer', `The provider sent ${what}.`);
  }
  try {
    const said = codec.readComplaint?.(parsed) ?? null;
    if (said !== null) return err(said);
    const answer = codec.decode(parsed);
    if (answer.choices.length === 0) {
      return complaint('empty_answer', 'The provider sent an answer without choices.');
    }
    const written = writeAnswer(answer, identify(answer, stated));
    return ok(new TranslateWhole(answer, JSON.stringify(written)));
  } catch {
    // A codec throws at what is no answer of its dialect: the words could quote it.
    return complaint('malformed_answer', 'The provider sent an answer that cannot be read.');
  }
}

class TranslateWhole implements WholeAnswer {
  readonly #answer: ChatAnswer;
  readonly #written: string;
  readonly usage: Usage;
  readonly usageText = null;
  readonly finish: string | null;

  constructor(answer: ChatAnswer, written: string) {
    this.#answer = answer;
    this.#written = written;
    this.usage = answer.usage;
    const finishes = answer.choices.flatMap(({ finish }) => (finish === null ? [] : [finish]));
    const [first] = finishes;
    this.finish = first === undefined ? null : finishWord(first);
  }

  serviceTier(): string | null {
    return this.#answer.serviceTier ?? null;
  }

  closing(tail: AnswerTail): Uint8Array {
    return toBytes(`${this.#written.slice(0, -1)}${translatedTail(tail)}}`);
  }

  producedText(): string {
    return this.#answer.choices
      .flatMap(({ parts }) => parts)
      .map((part) => partText(part))
      .join('');
  }
}
