/**
 * The form of keys: what is made is read back, and what is mistyped is refused with a word that
 * helps.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { generateKey, KEY_LENGTH, labelOf, parseKey } from './api-key.ts';
import type { KeyKind } from './identity.ts';

const KINDS: readonly KeyKind[] = ['live', 'test', 'management'];
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function hintFor(text: string): string {
  const parsed = parseKey(text);
  return parsed.ok ? 'well-formed' : parsed.error;
}

describe('generateKey', () => {
  it.each(KINDS)(
    'makes a key of kind %s that is read back (contract: Keys and callers, forms of keys)',
    (kind) => {
      const key = generateKey(kind);
      expect(key).toHaveLength(KEY_LENGTH);
      expect(key).toMatch(/^sk-omx-(live|test|mgmt)-[0-9A-Za-z]{49}$/);
      expect(parseKey(key)).toEqual({ ok: true, value: kind });
    },
  );

  it('never makes the same twice', () => {
    expect(new Set(Array.from({ length: 1000 }, () => generateKey('live'))).size).toBe(1000);
  });
});

describe('parseKey refuses', () => {
  it('every key of which one character was mistyped', () => {
    const key = generateKey('live');
    fc.assert(
      fc.property(
        fc.integer({ min: 12, max: KEY_LENGTH - 1 }),
        fc.constantFrom(...BASE62.split('')),
        (index, character) => {
          fc.pre(key.charAt(index) !== character);
          const typo = key.slice(0, index) + character + key.slice(index + 1);
          expect(hintFor(typo)).toContain('mistyped');
        },
      ),
    );
  });

  it('every key of which two neighbours were exchanged, or that is cut off', () => {
    const key = generateKey('test');
    for (let index = 12; index < KEY_LENGTH - 1; index += 1) {
      if (key.charAt(index) === key.charAt(index + 1)) continue;
      const swapped = [
        key.slice(0, index),
        key.charAt(index + 1),
        key.charAt(index),
        key.slice(index + 2),
      ];
      expect(hintFor(swapped.join(''))).toContain('mistyped');
    }
    for (let length = 12; length < KEY_LENGTH; length += 1) {
      expect(hintFor(key.slice(0, length))).toContain(`cut off: it has ${length} of 61`);
    }
  });

  it('any other text, without repeating it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (text) => {
        const hint = hintFor(text);
        expect(hint).not.toBe('well-formed');
        expect(hint.includes(text)).toBe(false);
      }),
    );
  });

  it.each([
    ['sk-ant-api03-abcdef', 'Anthropic'],
    ['sk-or-v1-abcdef', 'OpenRouter'],
    ['sk-proj-abcdef', 'OpenAI'],
    ['sk-abcdef', 'OpenAI'],
    ['AIzaSyabcdef', 'Google'],
    ['gsk_abcdef', 'Groq'],
    ['xai-abcdef', 'xAI'],
  ])('%s as a key of its family', (text, family) => {
    expect(hintFor(text)).toContain(`this looks like a key of ${family}`);
  });

  it.each([
    ['', 'begins with sk-omx-live-'],
    ['hello', 'begins with sk-omx-live-'],
    ['sk-omx-prod-abc', 'unknown kind'],
    [' sk-omx-live-abc', 'white space or a quotation mark before it'],
    ['"sk-omx-live-abc', 'white space or a quotation mark before it'],
    ['Bearer sk-omx-live-abc', '"Bearer" twice'],
    [`${generateKey('live')} `, 'white space at its end'],
    [`${generateKey('live')}a`, 'too long: it has 62'],
    [`sk-omx-live-${'-'.repeat(49)}`, 'only letters and digits'],
  ])('%j and says why', (text, hint) => {
    expect(hintFor(text)).toContain(hint);
  });
});

describe('labelOf', () => {
  it('shows four characters at each end', () => {
    const key = generateKey('management');
    expect(labelOf(key)).toBe(`sk-omx-mgmt-${key.slice(12, 16)}...${key.slice(-4)}`);
  });
});
