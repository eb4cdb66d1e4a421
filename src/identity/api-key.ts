/**
 * The form of our keys: `sk-omx-live-`, `sk-omx-test-` or `sk-omx-mgmt-`, 43 characters that carry
 * 256 random bits, and a checksum of 6, so that a mistyped key, or somebody else's, is refused with
 * a helpful word and without asking anybody.
 */
import { bytesToBase62, isBase62, toBase62 } from '#base/base62.ts';
import { crc32 } from '#base/crc32.ts';
import { err, ok, type Result } from '#base/result.ts';

import type { KeyKind } from './identity.ts';

const PREFIXES: Readonly<Record<KeyKind, string>> = {
  live: 'sk-omx-live-',
  test: 'sk-omx-test-',
  management: 'sk-omx-mgmt-',
};
const KINDS: readonly KeyKind[] = ['live', 'test', 'management'];
const OURS = 'sk-omx-';
const OUR_FORM = 'an OmniX key begins with sk-omx-live-, sk-omx-test- or sk-omx-mgmt-';
const PREFIX_LENGTH = PREFIXES.live.length;
const RANDOM_BYTES = 32;
const RANDOM_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const LABEL_LENGTH = 4;

/** Every key has this many characters. */
export const KEY_LENGTH = PREFIX_LENGTH + RANDOM_LENGTH + CHECKSUM_LENGTH;

/**
 * How keys of others begin, the longer prefix first; the reader learns which key was pasted where.
 */
const FAMILIES: readonly (readonly [prefix: string, family: string])[] = [
  ['sk-ant-', 'Anthropic'],
  ['sk-or-', 'OpenRouter'],
  ['sk-proj-', 'OpenAI'],
  ['sk-svcacct-', 'OpenAI'],
  ['sk-admin-', 'OpenAI'],
  ['AIza', 'Google'],
  ['gsk_', 'Groq'],
  ['xai-', 'xAI'],
  ['pplx-', 'Perplexity'],
  ['csk-', 'Cerebras'],
  ['fw_', 'Fireworks'],
  ['tgp_', 'Together'],
  ['nvapi-', 'NVIDIA'],
  ['hf_', 'Hugging Face'],
  ['r8_', 'Replicate'],
  ['sk_live_', 'Stripe'],
  ['sk_test_', 'Stripe'],
  ['sk-', 'OpenAI or one of the providers that copy its form'],
];

function checksum(text: string): string {
  return toBase62(BigInt(crc32(text)), CHECKSUM_LENGTH);
}

/** A new key of 256 random bits. The only copy: nothing here keeps it. */
export function generateKey(kind: KeyKind): string {
  const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  const body = PREFIXES[kind] + bytesToBase62(bytes, RANDOM_LENGTH);
  return body + checksum(body);
}

/**
 * The kind of a well-formed key, or a hint for whoever sent another text. The hint never repeats
 * that text.
 */
export function parseKey(text: string): Result<KeyKind, string> {
  const kind = KINDS.find((candidate) => text.startsWith(PREFIXES[candidate]));
  if (kind === undefined) return err(hintForForeign(text));
  if (text !== text.trim()) return err('the key has white space at its end');
  if (text.length < KEY_LENGTH) {
    return err(`the key is cut off: it has ${text.length} of ${KEY_LENGTH} characters`);
  }
  if (text.length > KEY_LENGTH) {
    return err(`the key is too long: it has ${text.length} characters instead of ${KEY_LENGTH}`);
  }
  if (!isBase62(text.slice(PREFIX_LENGTH))) {
    return err(
      'the key holds a character that no key has: only letters and digits follow its prefix',
    );
  }
  const body = text.slice(0, -CHECKSUM_LENGTH);
  if (checksum(body) !== text.slice(-CHECKSUM_LENGTH)) {
    return err('the key is mistyped: its checksum does not fit');
  }
  return ok(kind);
}

function hintForForeign(text: string): string {
  const bare = text.replace(/^[\s"'<[]+/, '');
  if (bare !== text && bare.startsWith(OURS))
    return 'the key has white space or a quotation mark before it';
  if (/^bearer\s/i.test(text)) return 'the key has the word "Bearer" twice before it';
  if (text.startsWith(OURS)) {
    return `the key has an unknown kind: ${OUR_FORM}`;
  }
  const family = FAMILIES.find(([prefix]) => text.startsWith(prefix))?.[1];
  return family === undefined
    ? OUR_FORM
    : `this looks like a key of ${family}, not of OmniX (ours begin with sk-omx-)`;
}

/**
 * What people recognise a well-formed key by: its prefix, and the first and last four characters of
 * the rest.
 */
export function labelOf(key: string): string {
  const start = key.slice(0, PREFIX_LENGTH + LABEL_LENGTH);
  return `${start}...${key.slice(-LABEL_LENGTH)}`;
}
