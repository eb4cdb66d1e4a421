/**
 * Against the outside world: OpenAI's specification and recorded traffic of the hosts of its
 * family. Both live beside the project and may be absent; then the suite says so and does
 * nothing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { toBytes } from '#base/bytes.ts';
import { scanJson } from '#base/json-scan.ts';
import { ERROR_TABLE, GatewayError, type ErrorCode } from '../errors.ts';
import { modelListResponseSchema } from '../models.ts';
import { toOpenAiErrorBody } from '../openai-error.ts';
import { z } from '../z.ts';
import { quickCheck } from './quick-check.ts';
import { findLaterField } from './later.ts';
import { chatRequestSchema, parseChatRequest } from './request.ts';
import { chatChunkSchema, chatResponseSchema } from './response.ts';

const SHARED = process.env['OMNIX_SHARED'] ?? join(import.meta.dirname, '../../../../shared');
const SPEC_PATH = join(SHARED, 'openai-spec/openapi.json');
const RECORDINGS_PATH = join(SHARED, 'recordings');
const hasSpec = existsSync(SPEC_PATH);
const hasRecordings = existsSync(RECORDINGS_PATH);

if (!hasSpec) process.stdout.write(`openapi: ABSENT (${SPEC_PATH})\n`);
if (!hasRecordings) process.stdout.write(`recordings: ABSENT (${RECORDINGS_PATH})\n`);

const exampleSchema = z.object({ request: z.object({ curl: z.string() }), response: z.string() });
const specSchema = z.looseObject({
  paths: z.looseObject({
    '/chat/completions': z.looseObject({
      post: z.looseObject({ 'x-oaiMeta': z.looseObject({ examples: z.array(exampleSchema) }) }),
    }),
  }),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});

/** Some schemas of the spec still say `nullable`, which JSON Schema 2020 does not know. */
function withoutNullable(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutNullable);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, withoutNullable(value)]);
  const { nullable, ...rest } = z.looseObject({}).parse(Object.fromEntries(entries));
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest;
}

function readSpec() {
  return specSchema.parse(withoutNullable(JSON.parse(readFileSync(SPEC_PATH, 'utf8'))));
}

/** All properties that a schema of the spec names, through its `allOf`s. */
function propertiesOf(schemas: Record<string, unknown>, schema: unknown): string[] {
  const parsed = z
    .looseObject({
      $ref: z.string().optional(),
      allOf: z.array(z.unknown()).optional(),
      properties: z.record(z.string(), z.unknown()).optional(),
    })
    .parse(schema);
  const referred =
    parsed.$ref === undefined ? undefined : schemas[parsed.$ref.split('/').at(-1) ?? ''];
  return [
    ...Object.keys(parsed.properties ?? {}),
    ...(parsed.allOf ?? []).flatMap((part) => propertiesOf(schemas, part)),
    ...(referred === undefined ? [] : propertiesOf(schemas, referred)),
  ];
}

function explain(body: unknown): string {
  try {
    parseChatRequest(body);
    return 'taken';
  } catch (error) {
    return error instanceof GatewayError ? error.message : String(error);
  }
}

describe.skipIf(!hasSpec)('OpenAI’s specification', () => {
  it('names no parameter of a chat request that the schema does not check', () => {
    const { schemas } = readSpec().components;
    const named = propertiesOf(schemas, schemas['CreateChatCompletionRequest']);
    expect(named.length).toBeGreaterThan(30);
    const known = Object.keys(chatRequestSchema.shape);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('has only example requests that are taken', () => {
    const { examples } = readSpec().paths['/chat/completions'].post['x-oaiMeta'];
    const bodies = examples.map(({ request }) => /-d '([\s\S]*?)'\s*$/.exec(request.curl)?.[1]);
    expect(bodies.length).toBeGreaterThan(3);
    for (const body of bodies) expect(explain(JSON.parse(body ?? ''))).toBe('taken');
  });

  function validatorOf(name: string) {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    ajv.addSchema({ $id: 'spec', components: readSpec().components });
    const validate = ajv.compile({ $ref: `spec#/components/schemas/${name}` });
    return (value: unknown): unknown => (validate(value) ? 'valid' : validate.errors);
  }

  const usage = {
    prompt_tokens: 9,
    completion_tokens: 2,
    total_tokens: 11,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
    cost: 0.00000285,
    cost_details: { input: 0.00000135, output: 0.0000015 },
  };

  it('accepts an answer of ours', () => {
    const answer = {
      id: 'gen_1',
      object: 'chat.completion',
      created: 1_795_000_000,
      model: 'gpt-4o-mini',
      choices: [
        {
          index: 0,
          finish_reason: 'tool_calls',
          logprobs: null,
          message: {
            role: 'assistant',
            content: null,
            refusal: null,
            tool_calls: [
              { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } },
            ],
          },
        },
      ],
      usage,
      provider: 'sandbox',
      warnings: [{ code: 'dropped', param: 'seed', message: 'The host has no seed.' }],
    };
    expect(chatResponseSchema.parse(answer)).toEqual(answer);
    expect(validatorOf('CreateChatCompletionResponse')(answer)).toBe('valid');
  });

  it('accepts chunks of ours, the last with usage and without choices', () => {
    const head = { id: 'gen_1', object: 'chat.completion.chunk', created: 1, model: 'm' };
    const validate = validatorOf('CreateChatCompletionStreamResponse');
    const choice = { index: 0, delta: { role: 'assistant', content: 'a' }, finish_reason: null };
    for (const chunk of [
      { ...head, choices: [choice] },
      { ...head, choices: [], usage, provider: 'sandbox' },
    ]) {
      expect(chatChunkSchema.parse(chunk)).toEqual(chunk);
      expect(validate(chunk)).toBe('valid');
    }
  });

  it('accepts every error of the table', () => {
    const validate = validatorOf('ErrorResponse');
    const codes = Object.keys(ERROR_TABLE).filter((code): code is ErrorCode => code in ERROR_TABLE);
    for (const code of codes) {
      expect(validate(toOpenAiErrorBody(new GatewayError(code), 'req_1'))).toBe('valid');
    }
  });

  it('accepts a list of models of ours', () => {
    const list = {
      object: 'list',
      data: [
        {
          id: 'sandbox/echo',
          object: 'model',
          created: 0,
          owned_by: 'sandbox',
          shutdown_date: null,
          context_length: 128_000,
          pricing: { prompt: '0.00000015', completion: '0.0000006' },
        },
      ],
    };
    expect(modelListResponseSchema.parse(list)).toEqual(list);
    expect(validatorOf('ListModelsResponse')(list)).toBe('valid');
  });
});

const exchangeSchema = z.looseObject({
  id: z.string(),
  api: z.string(),
  request: z.looseObject({ bodyKind: z.string(), body: z.unknown() }),
});

const recordedBodySchema = z.looseObject({ model: z.string().nullish() });

interface RecordedRequest {
  readonly provider: string;
  readonly id: string;
  readonly body: z.infer<typeof recordedBodySchema>;
}

function readRecordedRequests(): RecordedRequest[] {
  const files = readdirSync(RECORDINGS_PATH, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('exchanges.jsonl'))
    .flatMap((file) =>
      readFileSync(join(RECORDINGS_PATH, file), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"api": "chat.completions"'))
        .map((line) => exchangeSchema.parse(JSON.parse(line)))
        .filter(({ request }) => request.bodyKind === 'json')
        .map(({ id, request }) => ({
          provider: file.split('/').at(-2) ?? file,
          id,
          body: recordedBodySchema.parse(request.body),
        })),
    );
}

describe.skipIf(!hasRecordings)('recorded requests of the family', () => {
  it('are all taken, but for settings that are refused by name', { timeout: 60_000 }, () => {
    const counts = new Map<string, { taken: number; later: number; fine: number }>();
    const refused: string[] = [];
    for (const { provider, id, body } of readRecordedRequests()) {
      const count = counts.get(provider) ?? { taken: 0, later: 0, fine: 0 };
      counts.set(provider, count);
      // On a URL that names a deployment the model may be left out; here it is always named.
      const named = { ...body, model: body.model ?? 'deployment' };
      if (findLaterField(named) !== null) {
        count.later += 1;
        continue;
      }
      const words = explain(named);
      if (words === 'taken') count.taken += 1;
      else refused.push(`${id}: ${words}`);
      const scanned = scanJson(toBytes(JSON.stringify(named)));
      if (scanned.ok && quickCheck(scanned.value) === 'fine') count.fine += 1;
    }
    for (const [provider, { taken, later, fine }] of counts) {
      const line = `requests ${provider}: ${taken} taken (${fine} by the quick check), ${later} later`;
      process.stdout.write(`${line}\n`);
    }
    expect(refused).toEqual([]);
    const taken = [...counts.values()].reduce((sum, count) => sum + count.taken, 0);
    expect(taken).toBeGreaterThanOrEqual(590);
  });
});
