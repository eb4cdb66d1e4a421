/**
 * Every recorded embedding through the running gateway, over real sockets, with the official
 * client: the vectors and the tokens are those that were recorded, and the bill is of exactly them.
 */
import { fileURLToPath } from 'node:url';
import OpenAI, { APIError } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fromVectorBase64 } from '#base/vector-base64.ts';
import type { EmbeddingInput } from '#providers/embeddings.ts';
import { jsonReply } from '#testing/fake-upstream-replies.ts';
import {
  loadEmbeddings,
  loadFamilyEmbeddings,
  type RecordedEmbeddings,
} from '#testing/recordings-embeddings.ts';
import { listOf, type JsonObject } from '#testing/recordings-json.ts';
import { findRecordings } from '#testing/recordings-rows.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

const folder = findRecordings(fileURLToPath(new URL('..', import.meta.url)));
const mayBeAbsent = process.env['OMNIX_NO_RECORDINGS'] === '1';
const recorded =
  folder === null ? [] : [...loadEmbeddings(folder), ...loadFamilyEmbeddings(folder)];

/** Exchanges at the least, so that none is lost unseen. */
const FLOORS: Readonly<Record<string, number>> = {
  gemini: 21,
  vertex: 3,
  cohere: 11,
  bedrock: 31,
  voyage: 7,
  openai: 25,
  azure: 4,
  mistral: 5,
  openrouter: 6,
};

const TYPES: Readonly<Record<string, string>> = { azure: 'azure-openai' };

/** An application's profile does not tell which model is behind it. */
const rows = recorded.filter(({ model }) => !model.includes('application-inference'));
const nameOf = ({ place, model }: RecordedEmbeddings): string => `${place}-${model}`;

function inputOf(input: EmbeddingInput): unknown {
  if (input.kind === 'text') return input.text;
  if (input.kind === 'tokens') return input.tokens;
  return { content: input.parts.map(partOf) };
}

function partOf(part: Extract<EmbeddingInput, { kind: 'parts' }>['parts'][number]): JsonObject {
  if (part.type === 'text') return { type: 'text', text: part.text };
  const { source } = part;
  if (source.kind !== 'base64') throw new Error('recorded images are inline');
  const url = `data:${source.mediaType};base64,${source.data}`;
  return { type: 'image_url', image_url: { url } };
}

/** The recorded form as a caller of ours says it. */
function bodyOf(exchange: RecordedEmbeddings): JsonObject {
  const { inputs, dimensions, purpose, extras } = exchange.form;
  return {
    ...extras,
    model: nameOf(exchange),
    input: inputs.map(inputOf),
    ...(dimensions === null ? {} : { dimensions }),
    ...(purpose === null ? {} : { input_type: purpose }),
  };
}

/** As 32-bit floats, which is what a client of base64 can see. */
function floatsOf(vectors: readonly unknown[]): readonly (readonly number[])[] {
  return vectors.map((vector) => {
    const numbers = typeof vector === 'string' ? fromVectorBase64(vector) : listOf(vector);
    return (numbers ?? []).map((value) => Math.fround(Number(value)));
  });
}

it('the recordings are there, or their absence is wanted', () => {
  if (folder === null) process.stdout.write('recordings: ABSENT\n');
  expect(folder !== null || mayBeAbsent, 'set OMNIX_NO_RECORDINGS=1 to go without').toBe(true);
});

describe.runIf(folder !== null)('recorded embeddings', () => {
  let house: TestGateway;
  let client: OpenAI;

  beforeAll(async () => {
    const places = [...new Set(rows.map(({ place }) => place))].map((place) => {
      const host = { type: TYPES[place] ?? place, base_url: `/${place}`, api_key: 'sk-canary' };
      return [place, { ...host, region: 'our-region', project: 'our-project' }] as const;
    });
    const models = rows.map((row) => {
      const price = { input: '1', output: '0' };
      const endpoint = { provider: row.place, model: row.model, price };
      return [nameOf(row), { endpoints: [endpoint] }] as const;
    });
    house = await createTestGateway({
      providers: Object.fromEntries(places),
      models: Object.fromEntries(models),
    });
    const { url } = await house.listen();
    client = new OpenAI({ baseURL: `${url}/v1`, apiKey: house.keys.live, maxRetries: 0 });
  });
  afterEach(() => house.untilSettled());
  afterAll(async () => {
    await house?.close();
  });

  it.each(Object.entries(FLOORS))('of %s are all here: %i', (place, floor) => {
    const own = rows.filter((row) => row.place === place);
    const whole = own.filter(({ vectors }) => vectors !== null);
    process.stdout.write(`${place}: ${own.length} exchanges, ${whole.length} with vectors\n`);
    expect(own.length).toBe(floor);
  });

  const answered = rows.filter(({ status, vectors }) => status === 200 && vectors !== null);
  it.each(answered)('$label reaches the client as it was', async (exchange) => {
    const { place, body, headers, vectors, tokens } = exchange;
    house.fake.on(`/${place}`, () =>
      jsonReply(200, JSON.stringify(body), Object.entries(headers).filter(isForwarded)),
    );
    const answer = await client.post<OpenAI.CreateEmbeddingResponse>('/embeddings', {
      body: { ...bodyOf(exchange), encoding_format: 'base64' },
    });
    const got = floatsOf(answer.data.map(({ embedding }) => embedding));
    expect(got).toEqual(floatsOf(listOf(vectors)));
    // Where the host does not count, we do.
    const counted = tokens ?? answer.usage.prompt_tokens;
    expect(answer.usage).toMatchObject({ prompt_tokens: counted, total_tokens: counted });
    expect(Reflect.get(answer.usage, 'cost')).toBe(counted / 1_000_000);
  });

  it.each(rows.filter(({ status }) => status >= 400))('$label is refused', async (exchange) => {
    const { place, body, status } = exchange;
    house.fake.on(`/${place}`, () => jsonReply(status, JSON.stringify(body)));
    const asked = client.post('/embeddings', { body: bodyOf(exchange) });
    await expect(asked).rejects.toBeInstanceOf(APIError);
    const before = await house.credits();
    expect(before['held']).toBe(0);
  });
});

/** Those of the connection are the fake's own. */
function isForwarded([name]: readonly [string, string]): boolean {
  return name.startsWith('x-');
}
