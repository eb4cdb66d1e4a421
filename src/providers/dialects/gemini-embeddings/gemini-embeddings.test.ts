/** Google's embedders: which models they are, what they are told, and what they are never sent. */
import { describe, expect, it } from 'vitest';
import type { EmbeddingPurpose } from '#providers/embeddings.ts';
import { readEmbeddingsForm } from '../openai-embeddings/read-form.ts';
import {
  PNG,
  codecOf,
  formOf,
  picture,
  refusalOf,
  targetOf,
  textPart,
} from '#testing/embeddings-forms.ts';
import { geminiEmbeddings } from './gemini-api.ts';
import { vertexEmbeddings, vertexEmbeddingsMethod } from './vertex.ts';

const OLD = 'gemini-embedding-001';
const NEW = 'gemini-embedding-2';

describe('the model', () => {
  it.each([
    [OLD, 100, 1, 'predict'],
    [NEW, 100, 1, 'embedContent'],
    ['models/gemini-embedding-2-preview', 100, 1, 'embedContent'],
    ['text-embedding-005', 100, 9, 'predict'],
    ['publishers/google/models/text-multilingual-embedding-002', 100, 9, 'predict'],
  ])('%s is asked at both hosts, in calls of its size', (model, gemini, vertex, method) => {
    const target = targetOf(model);
    expect(geminiEmbeddings(target)?.inputsMax).toBe(gemini);
    expect(vertexEmbeddings(target)?.inputsMax).toBe(vertex);
    expect(vertexEmbeddingsMethod(target)).toBe(method);
  });

  it.each(['gemini-3.6-flash', 'claude-opus-5', 'multimodalembedding', 'imagen-4'])(
    '%s makes no vectors',
    (model) => {
      expect(geminiEmbeddings(targetOf(model))).toBeUndefined();
      expect(vertexEmbeddings(targetOf(model))).toBeUndefined();
    },
  );
});

describe('the purpose', () => {
  it.each<[EmbeddingPurpose, string, string]>([
    ['query', 'RETRIEVAL_QUERY', 'task: search result | query: '],
    ['document', 'RETRIEVAL_DOCUMENT', 'title: none | text: '],
    ['classification', 'CLASSIFICATION', 'task: classification | query: '],
    ['clustering', 'CLUSTERING', 'task: clustering | query: '],
    ['similarity', 'SEMANTIC_SIMILARITY', 'task: sentence similarity | query: '],
    ['question_answering', 'QUESTION_ANSWERING', 'task: question answering | query: '],
    ['fact_verification', 'FACT_VERIFICATION', 'task: fact checking | query: '],
    ['code_query', 'CODE_RETRIEVAL_QUERY', 'task: code retrieval | query: '],
  ])('"%s" is a type up to 001, and words in the text from 2 on', (purpose, taskType, prefix) => {
    const form = formOf(['x'], { purpose });
    const old = codecOf(geminiEmbeddings(targetOf(OLD))).encode(form, targetOf(OLD));
    const content = { parts: [{ text: 'x' }] };
    expect(old.body).toEqual({ requests: [{ model: `models/${OLD}`, taskType, content }] });
    const predict = codecOf(vertexEmbeddings(targetOf(OLD))).encode(form, targetOf(OLD));
    expect(predict.body).toMatchObject({ instances: [{ content: 'x', task_type: taskType }] });
    const told = { parts: [{ text: `${prefix}x` }] };
    const next = codecOf(geminiEmbeddings(targetOf(NEW))).encode(form, targetOf(NEW));
    expect(next.body).toEqual({ requests: [{ model: `models/${NEW}`, content: told }] });
    const one = codecOf(vertexEmbeddings(targetOf(NEW))).encode(form, targetOf(NEW));
    expect(one.body).toMatchObject({ content: told });
  });

  it('of an image alone cannot be told, and that is said', () => {
    const codec = codecOf(geminiEmbeddings(targetOf(NEW)));
    const { body, warnings } = codec.encode(
      formOf([[picture]], { purpose: 'document' }),
      targetOf(NEW),
    );
    const parts = [{ inlineData: { mimeType: 'image/png', data: PNG } }];
    expect(body).toMatchObject({ requests: [{ content: { parts } }] });
    expect(warnings).toMatchObject([{ code: 'ignored', param: 'input_type' }]);
  });
});

describe('what cannot be said', () => {
  const supports = [geminiEmbeddings, vertexEmbeddings];

  it.each(supports)('is refused by its path (%o)', (support) => {
    const old = codecOf(support(targetOf(OLD)));
    expect(refusalOf(old, formOf([[1, 2]]), OLD)?.param).toBe('input[0]');
    expect(refusalOf(old, formOf([[textPart('a'), picture]]), OLD)?.param).toBe(picture.path);
    const tooLarge = formOf(['x'], { dimensions: 3_073 });
    expect(refusalOf(old, tooLarge, OLD)?.param).toBe('dimensions');
    expect(refusalOf(old, formOf(['x'], { dimensions: 3_072 }), OLD)).toBeNull();
    const model = 'text-embedding-005';
    const small = codecOf(support(targetOf(model)));
    expect(refusalOf(small, formOf(['x'], { dimensions: 1_024 }), model)?.param).toBe('dimensions');
  });
});

describe('what is too long', () => {
  it.each([OLD, NEW])('is refused by Vertex unless the caller has it cut off (%s)', (model) => {
    const codec = codecOf(vertexEmbeddings(targetOf(model)));
    const silent = codec.encode(formOf(['x']), targetOf(model));
    expect(JSON.stringify(silent.body)).toContain('"autoTruncate":false');
    const form = readEmbeddingsForm({ input: 'x', autoTruncate: true, colour: 'red' });
    const asked = codec.encode(form, targetOf(model));
    expect(JSON.stringify(asked.body)).toContain('"autoTruncate":true');
    expect(asked.said).toEqual(['autoTruncate']);
    expect(JSON.stringify(asked.body)).not.toContain('colour');
  });
});

describe('an answer', () => {
  const form = formOf(['a', 'b']);

  it('counts only if every prediction does', () => {
    const { decode } = codecOf(vertexEmbeddings(targetOf('text-embedding-005')));
    const prediction = (statistics: unknown) => ({ embeddings: { values: [1], statistics } });
    const read = (...all: unknown[]) =>
      decode({ predictions: all.map(prediction) }, {}, form).usage;
    expect(read({ token_count: 2 }, { token_count: 3 })?.buckets).toEqual({ input: 5 });
    expect(read({ token_count: 2 }, {})).toBeNull();
    expect(read({ token_count: -2 }, { token_count: 1e12 })?.flags).toEqual([
      'negative_clamped',
      'absurd_clamped',
    ]);
  });

  it.each([
    { embeddings: [{ values: [] }, { values: [1] }] },
    { embeddings: [{ values: ['1'] }, { values: [1] }] },
    { embeddings: [{ values: [null] }, { values: [1] }] },
    { embeddings: [{}, { values: [1] }] },
  ])('without a vector is none: %j', (body) => {
    const { decode } = codecOf(geminiEmbeddings(targetOf(NEW)));
    expect(() => decode(body, {}, form)).toThrow(Error);
  });

  it('may be a complaint under 200', () => {
    const { readComplaint } = codecOf(vertexEmbeddings(targetOf(NEW)));
    const error = { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota.' };
    expect(readComplaint?.({ error })).toMatchObject({ status: 429 });
  });
});
