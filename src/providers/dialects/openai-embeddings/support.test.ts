/** OpenAI's embeddings and the ways in which hosts of the family differ from them. */
import { describe, expect, it } from 'vitest';
import { toBytes } from '#base/bytes.ts';
import { scanJson } from '#base/json-scan.ts';
import { toVectorBase64 } from '#base/vector-base64.ts';
import type { BodyMembers, Target } from '#providers/provider.ts';
import { readEmbeddingsForm } from './read-form.ts';
import { openAiEmbeddings } from './support.ts';

const TARGET: Target = {
  baseUrl: 'https://host.example/v1',
  model: 'm',
  region: null,
  project: null,
  account: null,
};
const ASYMMETRIC = {
  field: 'input_type',
  words: { query: 'query', document: 'passage' },
} as const;

function membersOf(body: object): BodyMembers {
  const scanned = scanJson(toBytes(JSON.stringify(body)));
  if (!scanned.ok) throw new Error('not JSON');
  const index = scanned.value;
  return {
    has: (key) => index.member(0, key) >= 0,
    raw: (key) => (index.member(0, key) < 0 ? undefined : index.raw(index.member(0, key))),
  };
}

function adapt(body: object, habits: Parameters<typeof openAiEmbeddings>[0] = {}) {
  const { passThrough } = openAiEmbeddings(habits);
  return passThrough?.adapt(membersOf(body), TARGET);
}

function encode(body: object, habits: Parameters<typeof openAiEmbeddings>[0] = {}) {
  return openAiEmbeddings(habits).codec.encode(readEmbeddingsForm({ ...body }), TARGET);
}

describe('a purpose', () => {
  it.each(['query', 'search_query', 'RETRIEVAL_QUERY'])(
    "is told in the host's word: %s",
    (word) => {
      const body = { input: 'x', input_type: word };
      expect(adapt(body, { purpose: ASYMMETRIC })).toEqual({
        edits: [{ op: 'set', key: 'input_type', json: '"query"' }],
        warnings: [],
      });
      expect(encode(body, { purpose: ASYMMETRIC }).body).toMatchObject({ input_type: 'query' });
    },
  );

  it("goes under the host's own name for it", () => {
    const purpose = { field: 'task', words: { document: 'doc' } };
    expect(adapt({ input: 'x', input_type: 'passage' }, { purpose })?.edits).toEqual([
      { op: 'set', key: 'task', json: '"doc"' },
      { op: 'remove', key: 'input_type' },
    ]);
  });

  it('that only the host knows is left as it is', () => {
    const body = { input: 'x', input_type: 'of-the-host' };
    expect(adapt(body, { purpose: ASYMMETRIC })).toEqual({ edits: [], warnings: [] });
    expect(encode(body, { purpose: ASYMMETRIC }).body).toMatchObject({ input_type: 'of-the-host' });
  });

  it.each([
    ['no host has a word for', { purpose: ASYMMETRIC }, 'clustering'],
    ['means nothing to the host', {}, 'query'],
    ['means nothing to the host nor to us', {}, 'whatever'],
  ])('that %s is left out, and said', (_name, habits, word) => {
    const adapted = adapt({ input: 'x', input_type: word }, habits);
    expect(adapted?.edits).toEqual([{ op: 'remove', key: 'input_type' }]);
    expect(adapted?.warnings).toMatchObject([{ code: 'dropped', param: 'input_type' }]);
  });
});

describe('what a host refuses', () => {
  const habits = {
    tokens: false,
    formats: ['base64'] as const,
    renames: { dimensions: 'output_dimension' },
    drops: { user: 'No.' },
  };

  it('is renamed or left out, and only a loss is told', () => {
    const body = { input: 'x', dimensions: 7, encoding_format: 'float', user: 'u' };
    const adapted = adapt(body, habits);
    expect(adapted?.edits).toEqual([
      { op: 'remove', key: 'user' },
      { op: 'rename', key: 'dimensions', to: 'output_dimension' },
      { op: 'remove', key: 'encoding_format' },
    ]);
    expect(adapted?.warnings).toEqual([{ code: 'dropped', param: 'user', message: 'No.' }]);
    const encoded = encode(body, habits);
    expect(encoded.body).toEqual({ model: 'm', input: ['x'], output_dimension: 7 });
    expect(encoded.warnings).toMatchObject([{ param: 'user' }]);
  });

  it.each([[[1, 2]], [[[1, 2], [3]]]])('is not tried with tokens: %j', (input) => {
    expect(() => adapt({ input }, habits)).toThrow('text and no tokens');
    expect(() => encode({ input }, habits)).toThrow('text and no tokens');
    expect(adapt({ input })).toEqual({ edits: [], warnings: [] });
  });
});

describe('the form', () => {
  it('says where each input stood', () => {
    const { inputs, extras } = readEmbeddingsForm({
      input: [{ content: [{ type: 'text', text: 'a' }, image('https://i.example/x.png')] }],
      truncate: 'END',
    });
    expect(inputs).toMatchObject([
      {
        kind: 'parts',
        path: 'input[0]',
        parts: [
          { type: 'text', text: 'a', path: 'input[0].content[0]' },
          { type: 'image', source: { kind: 'url', url: 'https://i.example/x.png' } },
        ],
      },
    ]);
    expect(extras).toEqual({ truncate: 'END' });
  });

  it('comes out as it went in', () => {
    const inline = 'data:image/png;base64,AAAA';
    const input = [{ content: [{ type: 'text', text: 'a' }, image(inline)] }];
    expect(encode({ input, dimensions: 3, truncate: 'END' }).body).toEqual({
      model: 'm',
      input,
      dimensions: 3,
      truncate: 'END',
    });
  });
});

function image(url: string): object {
  return { type: 'image_url', image_url: { url } };
}

describe('an answer', () => {
  const { codec } = openAiEmbeddings();
  const form = readEmbeddingsForm({ input: ['a', 'b'] });

  it('is read in the order of its indexes, in either encoding', () => {
    const data = [
      { index: 1, embedding: [3, 4] },
      { index: 0, embedding: toVectorBase64([1, 2]) },
    ];
    const decoded = codec.decode({ data, model: 'n', usage: { total_tokens: 5 } }, {}, form);
    expect(decoded).toMatchObject({
      model: 'n',
      vectors: [
        [1, 2],
        [3, 4],
      ],
      usage: { buckets: { input: 5 }, source: 'upstream', flags: [] },
    });
  });

  it.each([
    ['negative', { prompt_tokens: -1 }, { buckets: { input: 0 }, flags: ['negative_clamped'] }],
    ['words', { prompt_tokens: 'many' }, { source: 'none', flags: ['malformed'] }],
    ['nothing', {}, { source: 'none' }],
  ])('whose usage is %s is not believed', (_name, usage, expected) => {
    expect(codec.decode({ data: [], usage }, {}, form).usage).toMatchObject(expected);
  });

  it.each([[null], ['%'], [[]], [['a']], [{}]])('with %j for a vector is none', (embedding) => {
    expect(() => codec.decode({ data: [{ embedding }] }, {}, form)).toThrow('not a');
  });
});
