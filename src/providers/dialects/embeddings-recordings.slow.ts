/**
 * Every recorded embedding of the hosts with dialects of their own, through the codecs alone: the
 * vectors and tokens are those that were recorded, and what was asked, brought into the common form
 * and encoded again, is what was asked then but for what is explained here.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { EmbeddingsSupport } from '#providers/embeddings.ts';
import { isRecord } from '#providers/json.ts';
import type { Provider, Target } from '#providers/provider.ts';
import { providers } from '#providers/registry.ts';
import { loadEmbeddings, type RecordedEmbeddings } from '#testing/recordings-embeddings.ts';
import { findRecordings } from '#testing/recordings-rows.ts';
import { inputTokens } from '#wire/usage.ts';

const folder = findRecordings(fileURLToPath(new URL('../../..', import.meta.url)));
const mayBeAbsent = process.env['OMNIX_NO_RECORDINGS'] === '1';
const recorded = folder === null ? [] : loadEmbeddings(folder);

/** Exchanges at the least, so that none is lost unseen. */
const FLOORS: Readonly<Record<string, number>> = {
  gemini: 21,
  vertex: 3,
  cohere: 11,
  bedrock: 32,
  voyage: 7,
};

interface Explanation {
  readonly place: string;
  readonly model?: string;
  readonly path: RegExp;
  readonly why: string;
}

/** Why a recorded request says what stands at `path` otherwise than ours. */
const EXPLAINED: readonly Explanation[] = [
  {
    place: 'gemini',
    model: 'gemini-embedding-2-preview',
    path: /\.(taskType|text)$/,
    why: 'told in words, as its successor; the recording sent a type',
  },
  { place: 'gemini', path: /\.inline_?data\./i, why: 'Google takes both spellings' },
  { place: 'vertex', path: /\.autoTruncate$/, why: 'what is too long is refused, as by OpenAI' },
  { place: 'cohere', path: /^truncate$/, why: 'what is too long is refused, as by OpenAI' },
  { place: 'bedrock', path: /^truncate$/, why: 'what is too long is refused, as by OpenAI' },
];

function targetOf(model: string): Target {
  const baseUrl = 'https://host.example';
  return { baseUrl, model, region: null, project: null, account: null };
}

function providerOf(place: string): Provider {
  const provider = Object.values<Provider>(providers).find(({ id }) => id === place);
  if (provider === undefined) throw new Error(`no provider is called ${place}`);
  return provider;
}

function supportOf({ place, model }: RecordedEmbeddings): EmbeddingsSupport {
  // The recorded profile of an application holds a Titan, which its name does not tell.
  const known = model.includes('application-inference') ? 'amazon.titan-embed-text-v2:0' : model;
  const { embeddings } = providerOf(place);
  const support = typeof embeddings === 'function' ? embeddings(targetOf(known)) : embeddings;
  if (support === undefined) throw new Error(`${place}/${model} makes no vectors`);
  return support;
}

/** Paths of what is not the same. */
function differences(one: unknown, other: unknown, path = ''): readonly string[] {
  const [a, b] = [one, other].map((value) => (value === null ? undefined : value));
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  const [left, right] = [membersOf(a ?? {}), membersOf(b ?? {})];
  if (left === undefined || right === undefined) return [path];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].flatMap((key) =>
    differences(left[key], right[key], path === '' ? key : `${path}.${key}`),
  );
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (Array.isArray(value)) return Object.fromEntries(value.map((item, at) => [at, item]));
  return isRecord(value) ? value : undefined;
}

/** Where the recorded request and ours differ, each with the explanation that fits. */
function compare(exchange: RecordedEmbeddings) {
  const { form, model, place, request } = exchange;
  const { body } = supportOf(exchange).codec.encode(form, targetOf(model));
  return differences(request, body).map((path) => {
    const explanation = EXPLAINED.find(
      (one) => one.place === place && (one.model ?? model) === model && one.path.test(path),
    );
    return { path, explanation };
  });
}

it('the recordings are there, or their absence is wanted', () => {
  if (folder === null) process.stdout.write('recordings: ABSENT\n');
  expect(folder !== null || mayBeAbsent, 'set OMNIX_NO_RECORDINGS=1 to go without').toBe(true);
});

describe.runIf(folder !== null).each(Object.keys(FLOORS))('recorded embeddings of %s', (place) => {
  const own = recorded.filter((exchange) => exchange.place === place);
  const answered = own.filter(({ status }) => status === 200);

  it('are all here', () => {
    const counted = answered.filter(({ tokens }) => tokens !== null);
    process.stdout.write(`${place}: ${own.length} exchanges, ${counted.length} with tokens\n`);
    expect(own.length).toBe(FLOORS[place]);
  });

  it.each(answered.filter(({ vectors }) => vectors !== null))('$label reads', (exchange) => {
    const { codec } = supportOf(exchange);
    const { body, headers, form, vectors, tokens } = exchange;
    const answer = codec.decode(body, headers, form);
    expect(answer.vectors).toEqual(vectors);
    expect(answer.vectors.length).toBe(form.inputs.length);
    const counted = answer.usage === null ? null : inputTokens(answer.usage.buckets);
    expect(counted).toBe(tokens);
    expect(answer.usage?.flags ?? []).toEqual([]);
    expect(codec.readComplaint?.(body) ?? null).toBeNull();
  });

  it.each(answered.filter(({ vectors }) => vectors === null))('$label counts', (exchange) => {
    const usage = supportOf(exchange).passThrough?.readUsage(exchange.body);
    expect(usage?.buckets).toEqual({ input: exchange.tokens });
  });

  it.each(answered.filter(({ request }) => request !== null))('$label is asked again', (one) => {
    const unexplained = compare(one).filter(({ explanation }) => explanation === undefined);
    expect(unexplained).toEqual([]);
  });

  it.each(own.filter(({ status }) => status !== 200))('$label was refused', (exchange) => {
    const { body, headers, status } = exchange;
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    const refused = providerOf(place).readError({ status, headers, body: bytes, nowMs: 0 });
    expect(refused).toMatchObject({ kind: 'model_not_found', retry: 'elsewhere' });
  });
});

it.runIf(folder !== null)('explains nothing that is not there', () => {
  const requests = recorded.filter(({ request, status }) => request !== null && status === 200);
  const found = requests.flatMap(compare);
  for (const explanation of EXPLAINED) {
    const count = found.filter((one) => one.explanation === explanation).length;
    const { place, path, why } = explanation;
    process.stdout.write(`${place} ${String(path)}: ${count} (${why})\n`);
    expect(count, why).toBeGreaterThan(0);
  }
});
