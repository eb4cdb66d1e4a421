/** Bedrock's embedders: which family an id is, what it takes, and what InvokeModel counts. */
import { describe, expect, it } from 'vitest';
import {
  PNG,
  codecOf,
  formOf,
  picture,
  refusalOf,
  targetOf,
  textPart,
} from '#testing/embeddings-forms.ts';
import { bedrockEmbeddings } from './families.ts';

const TITAN = 'amazon.titan-embed-text-v2:0';
const TITAN_FIRST = 'amazon.titan-embed-text-v1';
const TITAN_IMAGE = 'amazon.titan-embed-image-v1';
const NOVA = 'amazon.nova-2-multimodal-embeddings-v1:0';
const COHERE_THIRD = 'cohere.embed-english-v3';
const COHERE_FOURTH = 'cohere.embed-v4:0';
const ACCOUNT = 'arn:aws:bedrock:eu-west-1:111122223333';
const COUNTED = { 'x-amzn-bedrock-input-token-count': '7' };

function codecAt(model: string) {
  return codecOf(bedrockEmbeddings(targetOf(model)));
}

function written(model: string, form: ReturnType<typeof formOf>) {
  return codecAt(model).encode(form, targetOf(model));
}

describe('the family', () => {
  it.each([
    [TITAN, 1, 'inputText'],
    [TITAN_FIRST, 1, 'inputText'],
    ['amazon.titan-embed-g1-text-02', 1, 'inputText'],
    [TITAN_IMAGE, 1, 'inputText'],
    [NOVA, 1, 'singleEmbeddingParams'],
    [`us.${NOVA}`, 1, 'singleEmbeddingParams'],
    [COHERE_THIRD, 96, 'texts'],
    [`global.${COHERE_FOURTH}`, 96, 'texts'],
    [`${ACCOUNT}:inference-profile/eu.${COHERE_FOURTH}`, 96, 'texts'],
    [`${ACCOUNT}:provisioned-model/${TITAN}`, 1, 'inputText'],
  ])('%s takes %i inputs a call, in "%s"', (model, inputsMax, member) => {
    expect(bedrockEmbeddings(targetOf(model))?.inputsMax).toBe(inputsMax);
    expect(written(model, formOf(['x'])).body).toHaveProperty(member);
  });

  it.each([
    'us.anthropic.claude-opus-5',
    'amazon.nova-lite-v1:0',
    'amazon.titan-image-generator-v2:0',
    'cohere.command-r-v1:0',
    'cohere.rerank-v3-5:0',
    `${ACCOUNT}:application-inference-profile/abc123`,
  ])('of %s makes no vectors', (model) => {
    expect(bedrockEmbeddings(targetOf(model))).toBeUndefined();
  });

  it('of one input a call is given no more', () => {
    expect(() => written(TITAN, formOf(['a', 'b']))).toThrow(/one input a call/);
    expect(() => written(NOVA, formOf([]))).toThrow(/one input a call/);
  });
});

describe('what cannot be said', () => {
  const sized = (dimensions: number) => formOf(['x'], { dimensions });

  it.each([
    [TITAN, sized(300), 'dimensions'],
    [TITAN_FIRST, sized(512), 'dimensions'],
    [TITAN_IMAGE, sized(512), 'dimensions'],
    [NOVA, sized(512), 'dimensions'],
    [COHERE_THIRD, sized(512), 'dimensions'],
    [COHERE_FOURTH, sized(384), 'dimensions'],
    [TITAN, formOf([[1, 2]]), 'input[0]'],
    [NOVA, formOf([[1, 2]]), 'input[0]'],
    [COHERE_FOURTH, formOf(['a', [1, 2]]), 'input[1]'],
    [TITAN, formOf([[picture]]), picture.path],
    [TITAN_IMAGE, formOf([[picture, picture]]), picture.path],
    [NOVA, formOf([[picture, textPart('a')]]), 'input[0]'],
    [COHERE_THIRD, formOf(['a', [picture]]), 'input[1]'],
  ])('to %s is refused (%#)', (model, form, param) => {
    expect(refusalOf(codecAt(model), form, model)?.param).toBe(param);
  });

  it.each([
    [TITAN, 1_024],
    [TITAN_FIRST, 1_536],
    [TITAN_IMAGE, 384],
    [NOVA, 3_072],
    [COHERE_THIRD, 1_024],
    [COHERE_FOURTH, 1_536],
  ])('is no size that %s makes (%i)', (model, dimensions) => {
    expect(refusalOf(codecAt(model), sized(dimensions), model)).toBeNull();
  });

  it('is no image under a wrong name', () => {
    const source = { kind: 'base64', mediaType: 'image/png', data: 'bm8gaW1hZ2U=' } as const;
    const form = formOf([[{ ...picture, source }]]);
    expect(refusalOf(codecAt(NOVA), form, NOVA)?.param).toBe(picture.path);
  });
});

describe('what is said', () => {
  it('is the size only where it may be chosen', () => {
    expect(written(TITAN_FIRST, formOf(['x'], { dimensions: 1_536 })).body).toEqual({
      inputText: 'x',
    });
    expect(written(TITAN, formOf(['x'], { dimensions: 512 })).body).toEqual({
      inputText: 'x',
      dimensions: 512,
    });
  });

  it('is what a family knows of the other members, by name', () => {
    const extras = { normalize: false, truncate: 'START', colour: 'red' };
    const form = formOf(['x'], { extras, purpose: 'query' });
    expect(written(TITAN, form)).toMatchObject({ said: ['normalize'] });
    expect(written(TITAN_FIRST, form).said).toEqual([]);
    expect(written(NOVA, form)).toMatchObject({
      said: ['truncate'],
      body: { singleEmbeddingParams: { text: { truncationMode: 'START' } } },
    });
    expect(written(COHERE_FOURTH, form)).toMatchObject({
      said: ['truncate'],
      body: { truncate: 'START' },
    });
  });

  it("is Nova's own word for a purpose where the caller says one", () => {
    const extras = { input_type: 'VIDEO_RETRIEVAL' };
    const { body, warnings, said } = written(NOVA, formOf(['x'], { extras }));
    expect(body).toMatchObject({ singleEmbeddingParams: { embeddingPurpose: 'VIDEO_RETRIEVAL' } });
    expect(said).toEqual(['input_type']);
    expect(warnings).toEqual([]);
  });

  it('is no purpose to Titan, and that is told', () => {
    const { warnings } = written(TITAN, formOf(['x'], { purpose: 'document' }));
    expect(warnings).toMatchObject([{ code: 'dropped', param: 'input_type' }]);
    expect(written(TITAN, formOf(['x'])).warnings).toEqual([]);
  });
});

describe('the count', () => {
  const text = formOf(['x']);
  const image = formOf([[picture]]);

  it.each([
    [TITAN, { embedding: [1] }, { input: 7 }],
    [TITAN, { embedding: [1], inputTextTokenCount: 5 }, { input: 5 }],
    [NOVA, { embeddings: [{ embedding: [1], embeddingType: 'TEXT' }] }, { input: 7 }],
    [COHERE_FOURTH, { embeddings: { float: [[1]] } }, { input: 7 }],
    [COHERE_THIRD, { embeddings: [[1]], response_type: 'embeddings_floats' }, { input: 7 }],
  ])('of a text at %s stands in the answer or its head', (model, body, buckets) => {
    expect(codecAt(model).decode(body, COUNTED, text).usage?.buckets).toEqual(buckets);
  });

  it.each([
    [TITAN_IMAGE, { embedding: [1], inputTextTokenCount: 0 }, { input: 0, image: 1 }],
    [NOVA, { embeddings: [{ embedding: [1], embeddingType: 'IMAGE' }] }, { image: 1 }],
    [COHERE_THIRD, { embeddings: [[1]], response_type: 'embeddings_floats' }, { image: 1 }],
    [COHERE_FOURTH, { embeddings: { float: [[1]] } }, { image_input: 7 }],
  ])('of an image at %s is what the host bills', (model, body, buckets) => {
    expect(codecAt(model).decode(body, COUNTED, image).usage?.buckets).toEqual(buckets);
  });

  it('that no request can have is not believed', () => {
    const headers = { 'x-amzn-bedrock-input-token-count': '999999999999' };
    const { usage } = codecAt(COHERE_FOURTH).decode(
      { embeddings: { float: [[1]] } },
      headers,
      text,
    );
    expect(usage).toMatchObject({ source: 'none', flags: ['absurd_clamped'] });
  });

  it.each([{}, { 'x-amzn-bedrock-input-token-count': 'many' }])('is not made up: %j', (headers) => {
    const body = { embeddings: { float: [[1]] } };
    expect(codecAt(COHERE_FOURTH).decode(body, headers, text).usage).toBeNull();
  });
});

describe('an image', () => {
  it('is bytes to Nova and to Titan, by what it begins with', () => {
    expect(written(NOVA, formOf([[picture]])).body).toMatchObject({
      singleEmbeddingParams: { image: { format: 'png', source: { bytes: PNG } } },
    });
    expect(written(TITAN_IMAGE, formOf([[picture]])).body).toEqual({ inputImage: PNG });
  });
});

describe('an answer', () => {
  it.each([TITAN, TITAN_IMAGE, NOVA, COHERE_THIRD, COHERE_FOURTH])(
    'of %s without its vector is none, and may be a complaint',
    (model) => {
      const { decode, readComplaint } = codecAt(model);
      for (const body of [{}, null, { embedding: [] }, { embeddings: [{}] }, { embedding: ['1'] }])
        expect(() => decode(body, COUNTED, formOf(['x']))).toThrow(Error);
      expect(readComplaint?.({ message: 'Too many requests.' })).not.toBeNull();
      expect(readComplaint?.({ embedding: [1], message: null })).toBeNull();
    },
  );
});
