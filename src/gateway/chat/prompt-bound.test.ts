/** Credit is held for the bound: it may be generous and is never below what a model counts. */
import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { countTokens as countOldTokens } from 'gpt-tokenizer/encoding/cl100k_base';
import { describe, expect, it } from 'vitest';
import { toBytes } from '#base/bytes.ts';
import { readChatRequest } from './read-request.ts';

const ANY = { disallowedSpecial: new Set<string>() };

/** What OpenAI's cookbook adds for each message, and for the answer's start. */
const PER_MESSAGE = 4;
const PER_ANSWER = 3;

function boundOf(body: unknown) {
  const { inputTokensMax, inputMedia } = readChatRequest(toBytes(JSON.stringify(body)));
  return { tokens: inputTokensMax, media: inputMedia };
}

/** Every text that a template can show to a model: strings and names, as text and as JSON. */
function realTokens(
  body: { readonly messages: readonly unknown[]; readonly tools?: unknown },
  count: typeof countTokens,
): number {
  const messages = body.messages.map((message) => {
    const texts: string[] = [];
    collect(message, texts);
    return texts.reduce((sum, text) => sum + count(text, ANY), PER_MESSAGE);
  });
  const tools = body.tools === undefined ? 0 : count(JSON.stringify(body.tools), ANY);
  return messages.reduce((sum, tokens) => sum + tokens, PER_ANSWER + tools);
}

function collect(value: unknown, into: string[]): void {
  if (typeof value === 'string') into.push(value);
  else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) collect(member, into);
  }
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ maxLength: 200 }),
  fc.constantFrom('<|endoftext|>', '\u0000\u0001\u001f', '\ud800', '﷽'.repeat(30), '𒐫𒈙⸻꧅'),
);
const message = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), content: text }),
  fc.record({ role: fc.constant('tool'), tool_call_id: text, content: text }),
  fc.record({
    role: fc.constant('user'),
    content: fc.array(fc.record({ type: fc.constant('text'), text }), { maxLength: 3 }),
  }),
  fc.record({
    role: fc.constant('assistant'),
    content: fc.constant(null),
    tool_calls: fc.array(
      fc.record({
        id: text,
        type: fc.constant('function'),
        function: fc.record({ name: text, arguments: text }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  }),
);
const tool = fc.record({
  type: fc.constant('function'),
  function: fc.record({
    name: fc.string({ minLength: 1, maxLength: 20 }),
    description: text,
    parameters: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
  }),
});

describe('the bound of a prompt', () => {
  it.each([
    ['o200k_base', countTokens],
    ['cl100k_base', countOldTokens],
  ])('is never below what %s counts', (_encoding, count) => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 6 }),
        fc.option(fc.array(tool, { minLength: 1, maxLength: 3 }), { nil: undefined }),
        (messages, tools) => {
          const body = { messages, ...(tools === undefined ? {} : { tools }) };
          const bound = boundOf({ model: 'm', ...body });
          expect(bound.tokens).toBeGreaterThanOrEqual(realTokens(body, count));
          expect(bound.media).toBe(false);
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['functions', { functions: [{ name: 'f' }] }],
    ['a format', { response_format: { type: 'json_object' } }],
  ])('leaves room for what a template tells of %s', (_kind, more) => {
    const messages = [{ role: 'user', content: 'a' }];
    const without = boundOf({ model: 'm', messages }).tokens;
    expect(boundOf({ model: 'm', messages, ...more }).tokens - without).toBeGreaterThan(1_000);
  });

  it('holds for many tiny messages too', () => {
    const messages = Array.from({ length: 1_000 }, () => ({ role: 'user', content: 'a' }));
    expect(boundOf({ model: 'm', messages }).tokens).toBeGreaterThan(
      realTokens({ messages }, countTokens),
    );
  });
});

function partsBound(...content: readonly unknown[]) {
  return boundOf({ model: 'm', messages: [{ role: 'user', content }] });
}

const IMAGE = { type: 'image_url', image_url: { url: 'https://x.test/a.png' } };

describe('media', () => {
  it('have a maximum each, whatever the length of their address or bytes', () => {
    const one = partsBound(IMAGE);
    expect(one).toMatchObject({ media: true });
    expect(one.tokens).toBeGreaterThanOrEqual(48_169);
    const inline = partsBound({
      type: 'image_url',
      image_url: { url: `data:image/png;base64,${'A'.repeat(500_000)}` },
    });
    expect(inline.tokens).toBeLessThan(60_000);
    expect(partsBound(IMAGE, IMAGE).tokens).toBeGreaterThanOrEqual(2 * 48_169);
  });

  it('are found beside text, in any role, and also where the type lies', () => {
    const content = [{ type: 'text', text: 'see', image_url: { url: 'x' } }];
    expect(boundOf({ model: 'm', messages: [{ role: 'user', content }] }).media).toBe(true);
  });

  it('in sound count by their length', () => {
    const data = 'A'.repeat(160_000);
    const sound = partsBound({ type: 'input_audio', input_audio: { data, format: 'wav' } });
    expect(sound.media).toBe(true);
    expect(sound.tokens).toBeGreaterThanOrEqual(10_000);
    expect(sound.tokens).toBeLessThan(20_000);
  });

  it.each([
    ['a file', { type: 'file', file: { file_id: 'f' } }],
    ['a video', { type: 'video_url', video_url: { url: 'x' } }],
    ['a document', { type: 'document', document: { url: 'x' } }],
  ])('behind %s have the largest that any host takes', (_kind, part) => {
    const bound = partsBound(part, IMAGE);
    expect(bound.media).toBe(true);
    expect(bound.tokens).toBeGreaterThanOrEqual(400_000 + 48_169);
  });

  it('that the upstream keeps of an earlier answer have it too', () => {
    const messages = [
      { role: 'assistant', content: null, audio: { id: 'audio_1' } },
      { role: 'user', content: 'go on' },
    ];
    const bound = boundOf({ model: 'm', messages });
    expect(bound.media).toBe(true);
    expect(bound.tokens).toBeGreaterThanOrEqual(400_000);
  });
});
