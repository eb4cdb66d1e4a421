/**
 * Ids of everything we name: a prefix that says what it is, and 26 characters that sort by time (48
 * bits of milliseconds, 80 random bits), so that new rows land at the hot end of every B-tree. The
 * alphabet is Crockford's base32 in lower case: it sorts the same under every collation of a
 * database.
 */

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const SUFFIX_LENGTH = 26;
const TIME_LENGTH = 10;
const RANDOM_WORDS = 8;
const WORD_BITS = 10;
const WORD_MASK = 2 ** WORD_BITS - 1;
const DIGIT_BITS = 5;
const DIGIT_MASK = 2 ** DIGIT_BITS - 1;
/** One call to the random source serves this many ids: the call costs more than the id. */
const IDS_PER_REFILL = 256;
const SUFFIX = /^[0-9a-hjkmnp-tv-z]{26}$/;
const REQUEST_PREFIX = 'req_';
const GENERATION_PREFIX = 'gen_';

/** Two digits for each 10-bit word. */
const PAIRS = Array.from(
  { length: WORD_MASK + 1 },
  (_, word) => ALPHABET.charAt(word >> DIGIT_BITS) + ALPHABET.charAt(word & DIGIT_MASK),
);

/**
 * Unused randomness and the last rendered millisecond: a buffer, not a state that anybody can
 * observe.
 */
const buffer = {
  words: new Uint16Array(RANDOM_WORDS * IDS_PER_REFILL),
  next: RANDOM_WORDS * IDS_PER_REFILL,
  timeMs: -1,
  time: '',
};

function renderTime(timeMs: number): string {
  let rest = timeMs;
  let text = '';
  for (let digit = 0; digit < TIME_LENGTH; digit += 1) {
    text = ALPHABET.charAt(rest % ALPHABET.length) + text;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}

function pair(word: number | undefined): string {
  return PAIRS[(word ?? 0) & WORD_MASK] ?? '';
}

function newSuffix(): string {
  const { words } = buffer;
  if (buffer.next >= words.length) {
    // Filled on first use, not when the module loads: Workers give no randomness at load time.
    crypto.getRandomValues(words);
    buffer.next = 0;
  }
  const nowMs = Date.now();
  if (nowMs !== buffer.timeMs) {
    buffer.timeMs = nowMs;
    buffer.time = renderTime(nowMs);
  }
  let text = buffer.time;
  const end = buffer.next + RANDOM_WORDS;
  for (let index = buffer.next; index < end; index += 1) text += pair(words[index]);
  buffer.next = end;
  return text;
}

/** A new id such as `req_01jd3k...`: the prefix, which ends in an underscore, and 26 characters. */
export function newId<Prefix extends `${string}_`>(prefix: Prefix): `${Prefix}${string}` {
  return `${prefix}${newSuffix()}`;
}

/** True for the prefix followed by a suffix of our form. */
export function isId(text: string, prefix: `${string}_`): boolean {
  return (
    text.length === prefix.length + SUFFIX_LENGTH &&
    text.startsWith(prefix) &&
    SUFFIX.test(text.slice(prefix.length))
  );
}

/** `req_X` -> `gen_X`: what a request generated is known by the request's own suffix. */
export function generationIdOf(requestId: string): string {
  return GENERATION_PREFIX + requestId.slice(REQUEST_PREFIX.length);
}

/** `gen_X` -> `req_X`. Null: not an id of ours. */
export function requestIdOf(generationId: string): string | null {
  return isId(generationId, GENERATION_PREFIX)
    ? REQUEST_PREFIX + generationId.slice(GENERATION_PREFIX.length)
    : null;
}
