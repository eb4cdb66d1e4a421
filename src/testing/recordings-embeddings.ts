/**
 * The recorded embeddings of hosts that speak no OpenAI: what was asked, brought into the common
 * form by hand, and what was answered. Nothing here goes through the codecs, which it judges.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddingInput, EmbeddingPurpose, EmbeddingsForm } from '#providers/embeddings.ts';
import { at, isObject, listOf, numberOf, objectOf, parse, stringOf } from './recordings-json.ts';
import type { JsonObject } from './recordings-json.ts';

export interface RecordedEmbeddings {
  readonly label: string;
  readonly place: string;
  /** The host's id of the model. */
  readonly model: string;
  /** Null where only the answer was recorded. */
  readonly request: JsonObject | null;
  readonly form: EmbeddingsForm;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** As they stand in the answer; null where the recording cut them off. */
  readonly vectors: readonly unknown[] | null;
  /** Tokens of the input, images and all; null where the host says nothing. */
  readonly tokens: number | null;
}

const FILES = ['exchanges.jsonl', 'media.jsonl'] as const;
const SOURCES = ['pydantic-ai', 'dd-trace-py', 'ruby_llm'] as const;
const ANSWERS: readonly (readonly [place: string, model: string, file: string])[] = [
  ['vertex', 'text-embedding-005', 'google-vertex/google-vertex-embedding.json'],
  ['cohere', 'embed-v4.0', 'cohere/cohere-embedding.json'],
  ['voyage', 'voyage-3.5', 'voyage/voyage-embedding.json'],
];
const EMPTY: EmbeddingsForm = { inputs: [], dimensions: null, purpose: null, extras: {} };

/** Every exchange of the places below `folder`, and the answers that were recorded alone. */
export function loadEmbeddings(folder: string): readonly RecordedEmbeddings[] {
  const exchanges = SOURCES.flatMap((source) =>
    Object.keys(PLACES).flatMap((place) =>
      FILES.flatMap((file) => {
        const path = join(folder, source, place, file);
        const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
        return lines.flatMap((line, index) =>
          readExchange(parse(line), { place, label: `${source}/${place}:${index + 1}` }),
        );
      }),
    ),
  );
  const answers = ANSWERS.map(([place, model, file]): RecordedEmbeddings => {
    const body = parse(readFileSync(join(folder, 'vercel-ai', file), 'utf8'));
    const read = PLACES[place]?.answer(body, {}) ?? { vectors: null, tokens: null };
    const inputs = listOf(read.vectors).map((_vector, index) => textInput('x', index));
    const form = { ...EMPTY, inputs };
    const label = `vercel-ai/${file}`;
    return { label, place, model, request: null, form, status: 200, headers: {}, body, ...read };
  });
  return [...exchanges, ...answers];
}

function readExchange(
  row: unknown,
  { place, label }: { readonly place: string; readonly label: string },
): readonly RecordedEmbeddings[] {
  const url = stringOf(at(row, 'request', 'url'));
  const request = at(row, 'request', 'body');
  const reader = PLACES[place];
  const path = decodeURIComponent(url === '' ? '' : new URL(url).pathname);
  const named = reader?.path.exec(path);
  if (reader === undefined || named === null || named === undefined || !isObject(request))
    return [];
  const model = named[1] ?? stringOf(request['model']);
  if (reader.isOther?.(model, request) === true) return [];
  const headers = Object.fromEntries(
    Object.entries(objectOf(at(row, 'response', 'headers'))).map(([k, v]) => [k, String(v)]),
  );
  const body = at(row, 'response', 'body');
  const status = numberOf(at(row, 'response', 'status')) ?? 0;
  const form = { ...EMPTY, ...reader.form(request, model) };
  const answer = reader.answer(body, headers);
  return [{ label, place, model, request, form, status, headers, body, ...answer }];
}

interface Answer {
  readonly vectors: readonly unknown[] | null;
  readonly tokens: number | null;
}

interface PlaceReader {
  /** Of the recorded address; its group is the model, if it stands there. */
  readonly path: RegExp;
  readonly isOther?: (model: string, request: JsonObject) => boolean;
  readonly form: (request: JsonObject, model: string) => Partial<EmbeddingsForm>;
  readonly answer: (body: unknown, headers: Readonly<Record<string, string>>) => Answer;
}

const INPUT_TYPES: Readonly<Record<string, EmbeddingPurpose>> = {
  search_query: 'query',
  search_document: 'document',
  query: 'query',
  document: 'document',
  classification: 'classification',
  clustering: 'clustering',
  GENERIC_RETRIEVAL: 'query',
  GENERIC_INDEX: 'document',
  RETRIEVAL_QUERY: 'query',
  RETRIEVAL_DOCUMENT: 'document',
  'search result': 'query',
  'question answering': 'question_answering',
  'sentence similarity': 'similarity',
};

function textInput(text: unknown, index: number): EmbeddingInput {
  return { kind: 'text', path: `input[${index}]`, text: stringOf(text) };
}

/** The purpose that a word means, or the word as the host's own. */
function purposeOf(word: unknown): Pick<EmbeddingsForm, 'purpose' | 'extras'> {
  const purpose = INPUT_TYPES[stringOf(word)] ?? null;
  const isOwn = purpose === null && typeof word === 'string';
  return { purpose, extras: isOwn ? { input_type: word } : {} };
}

/** Members that are no part of the form; null says the same as nothing. */
function extrasOf(request: JsonObject, known: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(request).filter(([key, value]) => !known.includes(key) && value !== null),
  );
}

/** What Google's newer models are told in words. */
function readPrefixed(text: string): Pick<EmbeddingsForm, 'purpose'> & { readonly text: string } {
  const [, task, asked] = /^task: (.*?) \| query: (.*)$/s.exec(text) ?? [];
  if (task !== undefined) return { purpose: INPUT_TYPES[task] ?? null, text: asked ?? '' };
  const [, kept] = /^title: none \| text: (.*)$/s.exec(text) ?? [];
  return kept === undefined ? { purpose: null, text } : { purpose: 'document', text: kept };
}

function readContent(content: unknown, index: number) {
  const parts = listOf(at(content, 'parts'));
  const path = `input[${index}]`;
  if (parts.length === 1) {
    const { purpose, text } = readPrefixed(stringOf(at(parts, 0, 'text')));
    return { purpose, input: textInput(text, index) };
  }
  const input: EmbeddingInput = {
    kind: 'parts',
    path,
    parts: parts.map((part) => {
      const data = objectOf(at(part, 'inline_data'));
      const mediaType = stringOf(data['mime_type']);
      if (mediaType === '') return { type: 'text', text: stringOf(at(part, 'text')) };
      return { type: 'image', source: { kind: 'base64', mediaType, data: stringOf(data['data']) } };
    }),
  };
  return { purpose: null, input };
}

function googleTokens(body: unknown): number | null {
  return numberOf(at(body, 'usageMetadata', 'promptTokenCount'));
}

function bedrockForm(request: JsonObject): Partial<EmbeddingsForm> {
  const single = objectOf(request['singleEmbeddingParams']);
  const nova = at(single, 'text', 'value');
  const { inputText, texts, truncate } = request;
  const words = texts ?? [nova ?? inputText];
  const size = request['dimensions'] ?? request['output_dimension'] ?? single['embeddingDimension'];
  const { purpose, extras } = purposeOf(request['input_type'] ?? single['embeddingPurpose']);
  const cut = truncate ?? at(single, 'text', 'truncationMode');
  const known = ['inputText', 'texts', 'dimensions', 'output_dimension', 'input_type', 'truncate'];
  return {
    inputs: listOf(words).map(textInput),
    dimensions: numberOf(size),
    purpose,
    extras: {
      ...extras,
      ...extrasOf(request, [...known, 'taskType', 'singleEmbeddingParams']),
      ...(cut === undefined ? {} : { truncate: cut }),
    },
  };
}

const PLACES: Readonly<Record<string, PlaceReader>> = {
  gemini: {
    path: /\/models\/([^/]+):batchEmbedContents$/,
    form(request) {
      const requests = listOf(request['requests']);
      const read = requests.map((one, index) => readContent(at(one, 'content'), index));
      const type = INPUT_TYPES[stringOf(at(requests, 0, 'taskType'))] ?? null;
      return {
        inputs: read.map(({ input }) => input),
        dimensions: numberOf(at(requests, 0, 'outputDimensionality')),
        purpose: type ?? read[0]?.purpose ?? null,
      };
    },
    answer: (body) => ({
      vectors: listOf(at(body, 'embeddings')).map((one) => at(one, 'values')),
      tokens: googleTokens(body),
    }),
  },
  vertex: {
    path: /\/models\/([^/]+):(?:predict|embedContent)$/,
    form(request) {
      const instances = listOf(request['instances']);
      if (instances.length > 0) {
        return {
          inputs: instances.map((one, index) => textInput(at(one, 'content'), index)),
          purpose: INPUT_TYPES[stringOf(at(instances, 0, 'task_type'))] ?? null,
        };
      }
      const { input, purpose } = readContent(request['content'], 0);
      return { inputs: [input], purpose };
    },
    answer(body) {
      const predictions = listOf(at(body, 'predictions'));
      if (predictions.length === 0) {
        return { vectors: [at(body, 'embedding', 'values')], tokens: googleTokens(body) };
      }
      const counts = predictions.map((one) => at(one, 'embeddings', 'statistics', 'token_count'));
      return {
        vectors: predictions.map((one) => at(one, 'embeddings', 'values')),
        tokens: counts.reduce<number>((sum, count) => sum + Number(count), 0),
      };
    },
  },
  cohere: {
    path: /\/v2\/embed$/,
    form: (request) => {
      const { purpose, extras } = purposeOf(request['input_type']);
      const known = ['model', 'texts', 'input_type', 'embedding_types', 'output_dimension'];
      return {
        inputs: listOf(request['texts']).map(textInput),
        dimensions: numberOf(request['output_dimension']),
        purpose,
        extras: { ...extras, ...extrasOf(request, known) },
      };
    },
    answer: (body) => ({
      vectors: listOf(at(body, 'embeddings', 'float')),
      tokens: numberOf(at(body, 'meta', 'billed_units', 'input_tokens')),
    }),
  },
  bedrock: {
    path: /\/model\/(.+)\/invoke$/,
    // Chat, rerankers and the like are invoked the same way.
    isOther: (model, request) =>
      !/embed|application-inference/.test(model) || 'messages' in request,
    form: bedrockForm,
    answer: (body, headers) => ({
      vectors: [
        at(body, 'embedding'),
        at(body, 'embeddings', 0, 'embedding'),
        ...listOf(at(body, 'embeddings', 'float') ?? at(body, 'embeddings')).filter(Array.isArray),
      ].filter((vector) => vector !== undefined),
      tokens: Number(headers['x-amzn-bedrock-input-token-count'] ?? 'NaN'),
    }),
  },
  voyage: {
    path: /\/v1\/embeddings$/,
    form: (request) => ({
      inputs: listOf(request['input']).map(textInput),
      dimensions: numberOf(request['output_dimension']),
      purpose: purposeOf(request['input_type']).purpose,
      extras: extrasOf(request, ['model', 'input', 'output_dimension', 'input_type']),
    }),
    answer(body) {
      const vectors = listOf(at(body, 'data')).map((one) => at(one, 'embedding'));
      const isCut = vectors.some((vector) => stringOf(vector).includes('__ELIDED_'));
      return {
        vectors: isCut ? null : vectors,
        tokens: numberOf(at(body, 'usage', 'total_tokens')),
      };
    },
  },
};

/** Recorded hosts that speak OpenAI's embeddings, or its form under names of their own. */
const FAMILY = ['openai', 'azure', 'mistral', 'openrouter'] as const;

/** Every exchange of theirs; what was asked is taken as it stands. */
export function loadFamilyEmbeddings(folder: string): readonly RecordedEmbeddings[] {
  return SOURCES.flatMap((source) =>
    FAMILY.flatMap((place) =>
      FILES.flatMap((file) => {
        const path = join(folder, source, place, file);
        const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
        return lines.flatMap((line, index) =>
          readFamily(parse(line), { place, label: `${source}/${place}:${index + 1}` }),
        );
      }),
    ),
  );
}

function readFamily(
  row: unknown,
  { place, label }: { readonly place: string; readonly label: string },
): readonly RecordedEmbeddings[] {
  const url = stringOf(at(row, 'request', 'url'));
  const request = at(row, 'request', 'body');
  if (!/\/embeddings(\?|$)/.test(url) || !isObject(request)) return [];
  const { input, dimensions } = request;
  const single = typeof input === 'string' || typeof listOf(input)[0] === 'number';
  const inputs = (single ? [input] : listOf(input)).map((one, index): EmbeddingInput => {
    const where = `input[${index}]`;
    if (!Array.isArray(one)) return textInput(one, index);
    return { kind: 'tokens', path: where, tokens: one.map(Number) };
  });
  const body = at(row, 'response', 'body');
  const vectors = listOf(at(body, 'data')).map((one) => at(one, 'embedding'));
  const isCut = vectors.some((vector) => stringOf(vector).includes('__ELIDED_'));
  const known = ['model', 'input', 'dimensions', 'encoding_format'];
  return [
    {
      label,
      place,
      model: stringOf(request['model']) || /deployments\/([^/]+)/.exec(url)?.[1] || 'unnamed',
      request,
      form: {
        ...EMPTY,
        inputs,
        dimensions: numberOf(dimensions),
        extras: extrasOf(request, known),
      },
      status: numberOf(at(row, 'response', 'status')) ?? 0,
      headers: {},
      body,
      // Some answers were not kept at all.
      vectors: isCut || vectors.length === 0 ? null : vectors,
      tokens: numberOf(at(body, 'usage', 'prompt_tokens')),
    },
  ];
}
