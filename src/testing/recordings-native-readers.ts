/** How a request of each dialect is read into the common form: what the replays begin with. */
import { readRequest as readAnthropic } from '#providers/dialects/anthropic/read-request.ts';
import { readRequest as readBedrock } from '#providers/dialects/bedrock-converse/read-request.ts';
import { readRequest as readCohere } from '#providers/dialects/cohere-chat/read-request.ts';
import { readRequest as readGemini } from '#providers/dialects/gemini/read-request.ts';
import type { ChatForm } from '#providers/form.ts';
import type { JsonObject } from './recordings-json.ts';
import type { NativeDialect } from './recordings-native-rows.ts';

const READERS: Readonly<Record<NativeDialect, (body: JsonObject) => ChatForm>> = {
  anthropic: readAnthropic,
  gemini: readGemini,
  bedrock: readBedrock,
  cohere: readCohere,
};

export function readNativeRequest(body: JsonObject, dialect: NativeDialect): ChatForm {
  return READERS[dialect](body);
}
