/**
 * What a recorded answer of a host with a dialect of its own says, read from its own words by
 * plain readers that share nothing with `src/providers`: a mistake there cannot excuse itself
 * here. Finish reasons and token counts are told as the OpenAI contract has them.
 */
import { readAnthropic } from './recordings-native-anthropic.ts';
import { readBedrock } from './recordings-native-bedrock.ts';
import { readCohere } from './recordings-native-cohere.ts';
import { readGemini } from './recordings-native-gemini.ts';
import type { NativeReading } from './recordings-native-answer.ts';
import { answersOf, type NativeDialect, type NativeExchange } from './recordings-native-rows.ts';

type NativeReader = (answers: readonly unknown[], into: NativeReading) => void;

const READERS: Readonly<Record<NativeDialect, NativeReader>> = {
  anthropic: readAnthropic,
  gemini: readGemini,
  bedrock: readBedrock,
  cohere: readCohere,
};

/** Reads the recorded answer, whole or streamed. */
export function readNative(exchange: NativeExchange): NativeReading {
  return readNativeAnswers(answersOf(exchange), exchange.dialect);
}

export function readNativeAnswers(
  answers: readonly unknown[],
  dialect: NativeDialect,
): NativeReading {
  const into: NativeReading = {
    text: '',
    refusal: '',
    reasoning: '',
    signatures: [],
    calls: [],
    sources: new Set(),
    images: 0,
    finish: null,
    failed: false,
    tokens: null,
    error: null,
  };
  READERS[dialect](answers, into);
  // Google says STOP also where a tool is called; OpenAI's clients go by the word.
  if (into.finish === 'stop' && into.calls.length > 0) into.finish = 'tool_calls';
  return into;
}
