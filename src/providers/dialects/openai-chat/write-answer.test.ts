/** Answers as chat completions: in OpenAI's words, valid by its specification. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { ChatAnswer, ChatChoice, ChatEvent, FinishReason, Part } from '#providers/form.ts';
import { isRecord, listOf, parseJson, recordOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { writeAnswer } from './write-answer.ts';
import { chunkWriter } from './write-stream.ts';

const SHARED = process.env['OMNIX_SHARED'] ?? join(import.meta.dirname, '../../../../../shared');
const SPEC_PATH = join(SHARED, 'openai-spec/openapi.json');
const hasSpec = existsSync(SPEC_PATH);
if (!hasSpec) process.stdout.write(`openapi: ABSENT (${SPEC_PATH})\n`);

const ID = { id: 'gen_1', created: 1_795_000_000, model: 'm' };

function answerOf(parts: readonly Part[], more: Partial<ChatChoice> = {}): ChatAnswer {
  const finish = { reason: 'stop', native: 'end_turn' } as const;
  return {
    id: 'up_1',
    createdAt: 0,
    model: 'up',
    choices: [{ index: 0, parts, finish, ...more }],
    usage: { buckets: {}, source: 'none', flags: [], native: null },
    native: {},
  };
}

function choiceOf(body: JsonRecord): JsonRecord {
  return recordOf(listOf(body['choices'])[0]);
}

function messageOf(parts: readonly Part[]): JsonRecord {
  return recordOf(choiceOf(writeAnswer(answerOf(parts), ID))['message']);
}

const CALL: Part = { type: 'tool_call', id: 'c1', name: 'f', arguments: '{"a":1}', format: 'json' };
const CUSTOM: Part = { type: 'tool_call', id: 'c2', name: 'c', arguments: 'x', format: 'text' };
const SIGNED: Part = {
  type: 'reasoning',
  text: 'Hm',
  summary: false,
  signature: 'sig',
  native: { anthropic: {} },
};
const IMAGE: Part = {
  type: 'image',
  source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' },
};
const AUDIO: Part = {
  type: 'audio',
  source: { kind: 'base64', mediaType: 'audio/wav', data: 'AAAA' },
  transcript: 'Hi',
};
const CITED: Part = {
  type: 'text',
  text: 'cited',
  citations: [
    { kind: 'url', url: 'https://a', title: 'A', start: 1, end: 3 },
    { kind: 'document', title: 'Doc', documentIndex: 0, citedText: 'from it' },
  ],
};
const LOGPROBS = { content: [{ token: 'a', logprob: -0.1 }] };

describe('an answer becomes a chat completion', () => {
  it('with what was said, thought and called in their places', () => {
    const parts: readonly Part[] = [
      SIGNED,
      { type: 'text', text: 'Plain, ' },
      CITED,
      { ...CALL, native: { google: { thought_signature: 's' } } },
      CUSTOM,
    ];
    expect(writeAnswer({ ...answerOf(parts), serviceTier: 'standard' }, ID)).toEqual({
      ...ID,
      object: 'chat.completion',
      service_tier: 'default',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Plain, cited',
            refusal: null,
            reasoning_content: 'Hm',
            reasoning_details: [
              {
                type: 'reasoning.text',
                text: 'Hm',
                signature: 'sig',
                format: 'anthropic-claude-v1',
                index: 0,
              },
            ],
            annotations: [
              {
                type: 'url_citation',
                url_citation: { start_index: 8, end_index: 10, url: 'https://a', title: 'A' },
              },
              {
                type: 'url_citation',
                url_citation: {
                  start_index: 7,
                  end_index: 12,
                  url: '',
                  title: 'Doc',
                  content: 'from it',
                  document_index: 0,
                },
              },
            ],
            tool_calls: [
              {
                id: 'c1',
                type: 'function',
                function: { name: 'f', arguments: '{"a":1}' },
                extra_content: { google: { thought_signature: 's' } },
              },
              { id: 'c2', type: 'custom', custom: { name: 'c', input: 'x' } },
            ],
          },
          finish_reason: 'tool_calls',
          native_finish_reason: 'end_turn',
          logprobs: null,
        },
      ],
    });
  });

  it('with media, of which every field is there', () => {
    expect(messageOf([IMAGE, AUDIO])).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' }, index: 0 }],
      audio: { id: 'audio_gen_1', data: 'AAAA', expires_at: ID.created, transcript: 'Hi' },
    });
  });

  it('reasoning of no known maker is told in plain words alone', () => {
    const message = messageOf([{ type: 'reasoning', text: 'Hm', summary: false }]);
    expect(message['reasoning_content']).toBe('Hm');
    expect(message).not.toHaveProperty('reasoning_details');
  });

  it('a summary and its blob share a place; a redacted block is a blob alone', () => {
    const made = { native: { 'openai-responses': {} }, id: 'rs_1' };
    const message = messageOf([
      { type: 'reasoning', text: 'Sum', summary: true, encrypted: 'blob', ...made },
      { type: 'reasoning', text: '', summary: false, encrypted: 'x', native: { anthropic: {} } },
    ]);
    const format = 'openai-responses-v1';
    expect(message['reasoning_details']).toEqual([
      { type: 'reasoning.summary', summary: 'Sum', id: 'rs_1', format, index: 0 },
      { type: 'reasoning.encrypted', data: 'blob', id: 'rs_1', format, index: 0 },
      { type: 'reasoning.encrypted', data: 'x', format: 'anthropic-claude-v1', index: 1 },
    ]);
  });

  it('to a caller of the legacy form with function_call', () => {
    const body = writeAnswer(answerOf([CALL]), { ...ID, functionCall: true });
    expect(choiceOf(body)).toMatchObject({
      finish_reason: 'function_call',
      message: { function_call: { name: 'f', arguments: '{"a":1}' } },
    });
    expect(choiceOf(body)['message']).not.toHaveProperty('tool_calls');
  });
});

describe('why it ended, in OpenAI’s words', () => {
  const refused: Part = { type: 'refusal', text: 'No' };
  it.each<[FinishReason, readonly Part[], string]>([
    ['stop', [], 'stop'],
    ['stop', [CALL], 'tool_calls'],
    ['length', [CALL], 'length'],
    ['tool_calls', [CALL], 'tool_calls'],
    ['content_filter', [], 'content_filter'],
    ['refusal', [], 'content_filter'],
    ['refusal', [refused], 'stop'],
    ['pause', [], 'length'],
    ['error', [], 'length'],
    ['cancelled', [], 'length'],
  ])('%s %j is %s', (reason, parts, word) => {
    const finish = { reason, native: 'theirs' };
    const choice = choiceOf(writeAnswer(answerOf(parts, { finish }), ID));
    expect(choice).toMatchObject({ finish_reason: word, native_finish_reason: 'theirs' });
  });
});

/** Some schemas of the spec still say `nullable`, which JSON Schema 2020 does not know. */
function withoutNullable(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutNullable);
  if (!isRecord(schema)) return schema;
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, withoutNullable(value)]),
  );
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest;
}

function validatorOf(name: string): (value: unknown) => unknown {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const spec = recordOf(withoutNullable(parseJson(readFileSync(SPEC_PATH, 'utf8'))));
  ajv.addSchema({ $id: 'spec', components: spec['components'] });
  const validate = ajv.compile({ $ref: `spec#/components/schemas/${name}` });
  return (value) => (validate(value) ? 'valid' : validate.errors);
}

/** `custom` calls are left out: the specification of chunks does not know them yet. */
const EVERYTHING: readonly Part[] = [
  SIGNED,
  CITED,
  { type: 'refusal', text: 'No' },
  IMAGE,
  AUDIO,
  CALL,
];

describe.skipIf(!hasSpec)('OpenAI’s specification', () => {
  it('accepts a whole answer with everything in it', () => {
    const answer = answerOf([...EVERYTHING, CUSTOM], { logprobs: LOGPROBS });
    const body = writeAnswer({ ...answer, serviceTier: 'unheard of' }, ID);
    expect(validatorOf('CreateChatCompletionResponse')(body)).toBe('valid');
    const filtered = { reason: 'refusal', native: 'SAFETY' } as const;
    const empty = writeAnswer(answerOf([], { finish: filtered }), ID);
    expect(validatorOf('CreateChatCompletionResponse')(empty)).toBe('valid');
  });

  it('accepts every chunk of a stream with everything in it', () => {
    const at = { choice: 0 };
    const events: readonly ChatEvent[] = [
      { type: 'start', id: 'up', createdAt: 0, model: 'up' },
      ...EVERYTHING.flatMap((value, part): ChatEvent[] => [
        { type: 'part_start', ...at, part, value },
        ...growth(value).map((event) => ({ ...event, ...at, part })),
        { type: 'part_stop', ...at, part },
      ]),
      { type: 'logprobs', ...at, value: LOGPROBS },
      { type: 'finish', ...at, finish: { reason: 'stop', native: 'STOP' } },
    ];
    const writer = chunkWriter(ID);
    const chunks = writer.push(events).split('\n\n').slice(0, -1);
    expect(chunks.length).toBeGreaterThan(12);
    const validate = validatorOf('CreateChatCompletionStreamResponse');
    for (const chunk of chunks) {
      expect(validate(parseJson(chunk.replace('data: ', ''))), chunk).toBe('valid');
    }
  });
});

type Growth =
  | { readonly type: 'text_delta' | 'reasoning_delta' | 'refusal_delta'; readonly text: string }
  | { readonly type: 'arguments_delta'; readonly text: string }
  | { readonly type: 'signature'; readonly signature: string };

function growth(value: Part): readonly Growth[] {
  if (value.type === 'text') return [{ type: 'text_delta', text: 'x' }];
  if (value.type === 'refusal') return [{ type: 'refusal_delta', text: 'x' }];
  if (value.type === 'tool_call') return [{ type: 'arguments_delta', text: ' ' }];
  if (value.type !== 'reasoning') return [];
  return [
    { type: 'reasoning_delta', text: 'x' },
    { type: 'signature', signature: 's' },
  ];
}
