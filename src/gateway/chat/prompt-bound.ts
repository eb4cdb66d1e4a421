/**
 * The most input tokens that a chat request can have, read off its raw bytes at no cost: a token
 * covers at least one byte of text, and a medium has a known maximum (money.md, rule 4).
 */
import { JSON_ARRAY, JSON_OBJECT, type JsonIndex } from '#base/json-index.ts';

export interface PromptBound {
  readonly tokensMax: number;
  /** Whether images, sound or files are in it: their prices may be others. */
  readonly media: boolean;
}

/** What templates of models add around messages and tools. */
const FRAME_TOKENS = 64;
const MESSAGE_TOKENS = 16;
/**
 * The dearest published image: 48,169 tokens (gpt-4o-mini, 2048 x 2048 at high detail, 2024-07).
 */
const IMAGE_TOKENS_MAX = 50_000;
/** Sound inline: a second of it is at least 1 kB and at most 64 tokens. */
const SOUND_BYTES_PER_TOKEN = 16;
/** What is behind an address or an id can be anything; the model's context is the bound then. */
const UNKNOWABLE_TOKENS = Number.MAX_SAFE_INTEGER;

interface Tally {
  tokens: number;
  media: boolean;
}

function addMember(index: JsonIndex, part: number, tally: Tally): void {
  for (let node = index.firstChild(part); node >= 0; node = index.nextChild(part, node)) {
    const bytes = index.end(node) - index.start(node);
    if (index.keyIs(node, 'image_url') || index.keyIs(node, 'image')) {
      // Its text, an address or base64, is not read as text.
      tally.tokens += IMAGE_TOKENS_MAX - bytes;
      tally.media = true;
    } else if (index.keyIs(node, 'input_audio')) {
      tally.tokens += Math.ceil(bytes / SOUND_BYTES_PER_TOKEN) - bytes;
      tally.media = true;
    } else if (isUnknowable(index, node)) {
      tally.tokens = UNKNOWABLE_TOKENS;
      tally.media = true;
    }
  }
}

function isUnknowable(index: JsonIndex, node: number): boolean {
  if (index.kind(node) !== JSON_OBJECT) return false;
  return ['file', 'input_file', 'video_url', 'document', 'audio_url'].some((key) =>
    index.keyIs(node, key),
  );
}

/**
 * `messages` is the node of the array, or -1. Bounds the whole body, so tools and schemas are in
 * it.
 */
export function boundPrompt(index: JsonIndex, messages: number): PromptBound {
  const tally: Tally = { tokens: FRAME_TOKENS + index.bytes.length, media: false };
  if (messages < 0) return { tokensMax: tally.tokens, media: false };
  for (let node = index.firstChild(messages); node >= 0; node = index.nextChild(messages, node)) {
    tally.tokens += MESSAGE_TOKENS;
    const content = index.member(node, 'content');
    if (content < 0 || index.kind(content) !== JSON_ARRAY) continue;
    for (let part = index.firstChild(content); part >= 0; part = index.nextChild(content, part)) {
      addMember(index, part, tally);
    }
  }
  return { tokensMax: Math.min(tally.tokens, UNKNOWABLE_TOKENS), media: tally.media };
}
