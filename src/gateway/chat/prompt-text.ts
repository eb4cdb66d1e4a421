/**
 * The text of a chat request, for counting its tokens where no upstream counted them. Never on the
 * hot path.
 */
import { toText } from '#base/bytes.ts';
import type { JsonIndex } from '#base/json-index.ts';
import type { TokenCounter } from '../tokens.ts';

/** Members of a part whose strings are addresses or encoded media and not text. */
const MEDIA_KEYS = new Set([
  'image_url',
  'input_audio',
  'file',
  'image',
  'video_url',
  'data',
  'url',
]);
const TEXT_MEMBERS = ['messages', 'tools', 'functions', 'response_format'] as const;
/** What a chat template adds to each message (OpenAI's cookbook, 2024-07). */
const TOKENS_PER_MESSAGE = 4;
/** A medium that nobody counted is taken at a usual size: 1024 x 1024 at high detail. */
const TOKENS_PER_MEDIUM = 765;

interface Gathered {
  readonly texts: string[];
  media: number;
}

function gather(value: unknown, into: Gathered): void {
  if (typeof value === 'string') into.texts.push(value);
  else if (Array.isArray(value)) for (const element of value) gather(element, into);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (MEDIA_KEYS.has(key)) into.media += 1;
      else gather(member, into);
    }
  }
}

function parseMembers(index: JsonIndex): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(toText(index.bytes));
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

/** Input tokens of a request, as near as the o200k_base tokenizer comes. */
export async function countPrompt(index: JsonIndex, tokens: TokenCounter): Promise<number> {
  const body = parseMembers(index);
  const gathered: Gathered = { texts: [], media: 0 };
  for (const member of TEXT_MEMBERS) gather(body[member], gathered);
  const messages = Array.isArray(body['messages']) ? body['messages'].length : 0;
  const text = await tokens.count(gathered.texts.join('\n'));
  return text + messages * TOKENS_PER_MESSAGE + gathered.media * TOKENS_PER_MEDIUM;
}
