/**
 * The most input tokens that a chat request can have, read off its raw bytes at no cost: a token
 * covers at least one byte of text, and a medium has a known maximum (money.md, rule 4).
 */
import { JSON_ARRAY, JSON_OBJECT, type JsonIndex } from '#base/json-index.ts';

export interface PromptBound {
  readonly tokensMax: number;
  /** The part of it that media may have; the rest bounds text, and can be counted. */
  readonly mediaTokensMax: number;
  /** Whether images, sound or files are in it: their prices may be others. */
  readonly media: boolean;
}

/** What templates of models add around the messages: 70 tokens, recorded of gpt-oss (2026-11). */
const FRAME_TOKENS = 128;
/**
 * What they tell a model of the tools and forms that it may use: 680 tokens, recorded of llama-4
 * at Groq with one small tool (2026-11).
 */
const EXPLAINED_TOKENS = 1_024;
const EXPLAINED: readonly string[] = ['tools', 'functions', 'response_format'];
const MESSAGE_TOKENS = 16;
/**
 * The dearest published image: 48,169 tokens (gpt-4o-mini, 2048 x 2048 at high detail, 2024-07).
 */
export const IMAGE_TOKENS_MAX = 50_000;
/** Sound inline: a second of it is at least 1 kB and at most 64 tokens. */
const SOUND_BYTES_PER_TOKEN = 16;
/**
 * A file, or what is behind an address: 1,000 pages at 258 tokens (Gemini) and 100 pages at 3,000
 * (Anthropic) are the largest documents that hosts take (2026-11). Where the model's context is
 * known and smaller, it bounds the sum.
 */
const UNKNOWABLE_TOKENS = 400_000;

interface Tally {
  /** Of media. */
  tokens: number;
  /** Of the body, that are addresses or encoded media and no text. */
  bytes: number;
}

const IMAGE_KEYS: readonly string[] = ['image_url', 'image'];
const SOUND_KEY = 'input_audio';
const UNKNOWABLE_KEYS: readonly string[] = [
  'file',
  'input_file',
  'video_url',
  'document',
  'audio_url',
];

const MEDIUM_KEYS: readonly string[] = [...IMAGE_KEYS, SOUND_KEY, ...UNKNOWABLE_KEYS];

/** Whether a member of a message's part is a medium and not text. */
export function isMedium(key: string, isObject: boolean): boolean {
  return IMAGE_KEYS.includes(key) || key === SOUND_KEY || (isObject && isUnknowable(key));
}

function isUnknowable(key: string): boolean {
  return UNKNOWABLE_KEYS.includes(key);
}

function addMember(index: JsonIndex, part: number, tally: Tally): void {
  for (let node = index.firstChild(part); node >= 0; node = index.nextChild(part, node)) {
    const key = MEDIUM_KEYS.find((name) => index.keyIs(node, name));
    if (key === undefined || !isMedium(key, index.kind(node) === JSON_OBJECT)) continue;
    const bytes = index.end(node) - index.start(node);
    tally.bytes += bytes;
    if (isUnknowable(key)) tally.tokens += UNKNOWABLE_TOKENS;
    else if (key === SOUND_KEY) tally.tokens += Math.ceil(bytes / SOUND_BYTES_PER_TOKEN);
    else tally.tokens += IMAGE_TOKENS_MAX;
  }
}

/** Tokens that a template may add, of which the body says nothing. */
export function frameTokens(index: JsonIndex): number {
  const isExplained = EXPLAINED.some((key) => index.member(0, key) >= 0);
  return isExplained ? FRAME_TOKENS + EXPLAINED_TOKENS : FRAME_TOKENS;
}

/**
 * `messages` is the node of the array, or -1. Bounds the whole body, so tools and schemas are in
 * it.
 */
export function boundPrompt(index: JsonIndex, messages: number): PromptBound {
  const tally: Tally = { tokens: 0, bytes: 0 };
  let textTokens = frameTokens(index) + index.bytes.length;
  for (let node = index.firstChild(messages); node >= 0; node = index.nextChild(messages, node)) {
    textTokens += MESSAGE_TOKENS;
    // Sound that the upstream made and keeps.
    if (index.kind(index.member(node, 'audio')) === JSON_OBJECT) tally.tokens += UNKNOWABLE_TOKENS;
    const content = index.member(node, 'content');
    if (content < 0 || index.kind(content) !== JSON_ARRAY) continue;
    for (let part = index.firstChild(content); part >= 0; part = index.nextChild(content, part)) {
      addMember(index, part, tally);
    }
  }
  const mediaTokensMax = tally.tokens;
  const tokensMax = textTokens - tally.bytes + mediaTokensMax;
  return { tokensMax, mediaTokensMax, media: mediaTokensMax > 0 };
}
