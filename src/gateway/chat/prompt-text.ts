/**
 * The text of a chat request, for counting its tokens where no upstream counted them. Never on the
 * hot path.
 */
import { isRecord } from '#providers/json.ts';
import { toText } from '#base/bytes.ts';
import type { JsonIndex } from '#base/json-index.ts';
import type { TokenCounter } from '../tokens.ts';
import { frameTokens, isMedium } from './prompt-bound.ts';

/** Settings of the request that no model is shown: a price must not hang on them. */
const UNSEEN: ReadonlySet<string> = new Set([
  'model',
  'models',
  'stream',
  'stream_options',
  'n',
  'max_tokens',
  'max_completion_tokens',
]);
const DEFINITIONS = ['tools', 'functions', 'response_format'] as const;
/** What a chat template adds to each message (OpenAI's cookbook, 2024-07). */
const TOKENS_PER_MESSAGE = 4;
/** A medium that nobody counted is taken at a usual size: 1024 x 1024 at high detail. */
export const TOKENS_PER_MEDIUM = 765;

function gather(value: unknown, into: string[]): void {
  if (typeof value === 'string') into.push(value);
  else if (Array.isArray(value)) for (const element of value) gather(element, into);
  else if (isRecord(value)) for (const member of Object.values(value)) gather(member, into);
}

/** The messages without what is in their parts and no text, and how many such media there were. */
function withoutMedia(messages: unknown): { readonly messages: unknown[]; readonly media: number } {
  let media = 0;
  const kept = (Array.isArray(messages) ? messages : []).map((message: unknown) => {
    if (!isRecord(message) || !Array.isArray(message['content'])) return message;
    const content = message['content'].map((part: unknown) => {
      if (!isRecord(part)) return part;
      const members = Object.entries(part);
      const text = members.filter(([key, member]) => !isMedium(key, isRecord(member)));
      media += members.length - text.length;
      return Object.fromEntries(text);
    });
    return { ...message, content };
  });
  return { messages: kept, media };
}

function parseMembers(index: JsonIndex): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(toText(index.bytes));
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

/** Input tokens of a request, as near as the o200k_base tokenizer comes. */
export async function countPrompt(index: JsonIndex, tokens: TokenCounter): Promise<number> {
  const body = parseMembers(index);
  const { messages, media } = withoutMedia(body['messages']);
  const texts: string[] = [];
  gather(messages, texts);
  for (const member of DEFINITIONS) gather(body[member], texts);
  const text = await tokens.count(texts.join('\n'));
  return text + messages.length * TOKENS_PER_MESSAGE + media * TOKENS_PER_MEDIUM;
}

/**
 * Tokens of everything in a request that is not a medium, names and signs included: for holding
 * credit, where it must not be less than what a template makes of it.
 */
export async function countText(index: JsonIndex, tokens: TokenCounter): Promise<number> {
  const body = parseMembers(index);
  const { messages } = withoutMedia(body['messages']);
  const seen = Object.entries({ ...body, messages }).filter(([key]) => !UNSEEN.has(key));
  const text = await tokens.count(JSON.stringify(Object.fromEntries(seen)));
  return text + messages.length * TOKENS_PER_MESSAGE + frameTokens(index);
}
