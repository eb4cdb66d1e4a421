/** Cohere's embedders: the word for the purpose, images by generation, and what is billed. */
import { describe, expect, it } from 'vitest';
import type { EmbeddingPurpose } from '#providers/embeddings.ts';
import {
  PNG,
  codecOf,
  formOf,
  picture,
  refusalOf,
  targetOf,
  textPart,
} from '#testing/embeddings-forms.ts';
import { cohereEmbeddings } from './support.ts';

const FOURTH = 'embed-v4.0';
const THIRD = 'embed-english-v3.0';
const codec = codecOf(cohereEmbeddings(targetOf(FOURTH)));

function written(model: string, form: ReturnType<typeof formOf>) {
  return codec.encode(form, targetOf(model));
}

describe('the model', () => {
  it('makes vectors if its name says so', () => {
    expect(cohereEmbeddings(targetOf('embed-multilingual-light-v3.0'))?.inputsMax).toBe(96);
    expect(cohereEmbeddings(targetOf('command-a-03-2025'))).toBeUndefined();
  });
});

describe('the purpose', () => {
  it.each<[EmbeddingPurpose | null, string, number]>([
    ['query', 'search_query', 0],
    ['document', 'search_document', 0],
    ['classification', 'classification', 0],
    ['clustering', 'clustering', 0],
    ['similarity', 'clustering', 1],
    ['question_answering', 'search_query', 1],
    ['fact_verification', 'search_query', 1],
    ['code_query', 'search_query', 1],
    [null, 'search_document', 1],
  ])('%s is "%s", and %i times told to be another', (purpose, input_type, told) => {
    const { body, warnings } = written(FOURTH, formOf(['x'], { purpose }));
    expect(body).toMatchObject({ input_type });
    expect(warnings.length).toBe(told);
    for (const warning of warnings) {
      expect(warning).toMatchObject({ code: 'emulated', param: 'input_type' });
      expect(warning.message).toContain(input_type);
    }
  });

  it("is the host's own word where the caller says one", () => {
    const { body, warnings, said } = written(
      FOURTH,
      formOf(['x'], { extras: { input_type: 'image', truncate: 'START', colour: 'red' } }),
    );
    expect(body).toMatchObject({ input_type: 'image', truncate: 'START' });
    expect(body).not.toHaveProperty('colour');
    expect(said).toEqual(['input_type', 'truncate']);
    expect(warnings).toEqual([]);
  });
});

describe('the size', () => {
  it('is asked for from v4 on, and fixed before', () => {
    const sized = (dimensions: number) => formOf(['x'], { dimensions, purpose: 'query' });
    expect(written(FOURTH, sized(256)).body).toMatchObject({ output_dimension: 256 });
    expect(refusalOf(codec, sized(300), FOURTH)).toEqual({
      param: 'dimensions',
      message:
        'This model makes vectors of 256 or 512 or 1024 or 1536 numbers: ask for that, or leave it out.',
    });
    expect(written(THIRD, sized(1_024)).body).not.toHaveProperty('output_dimension');
    expect(refusalOf(codec, sized(512), THIRD)?.param).toBe('dimensions');
    expect(refusalOf(codec, sized(384), 'embed-english-light-v3.0')).toBeNull();
    expect(refusalOf(codec, sized(777), 'our-own-embedder')).toBeNull();
  });
});

describe('an image', () => {
  const url = `data:image/png;base64,${PNG}`;

  it('stands beside text from v4 on', () => {
    const { body } = written(FOURTH, formOf(['a', [textPart('b'), picture]]));
    expect(body).toMatchObject({
      inputs: [
        { content: [{ type: 'text', text: 'a' }] },
        {
          content: [
            { type: 'text', text: 'b' },
            { type: 'image_url', image_url: { url } },
          ],
        },
      ],
    });
    expect(body).not.toHaveProperty('texts');
  });

  it('goes alone before, and its purpose is lost', () => {
    const { body, warnings } = written(THIRD, formOf([[picture]], { purpose: 'query' }));
    expect(body).toMatchObject({ images: [url], input_type: 'image' });
    expect(warnings).toMatchObject([{ code: 'ignored', param: 'input_type' }]);
    expect(refusalOf(codec, formOf(['a', [picture]]), THIRD)?.param).toBe('input[1]');
    expect(refusalOf(codec, formOf([[picture, textPart('a')]]), THIRD)?.param).toBe('input[0]');
  });

  it('is never fetched, and never an id', () => {
    const web = { ...picture, source: { kind: 'url', url: 'https://a.example/b.png' } } as const;
    const file = { ...picture, source: { kind: 'file_id', fileId: 'file-1' } } as const;
    const inline = { ...picture, source: { kind: 'url', url } } as const;
    expect(refusalOf(codec, formOf([[web]]), FOURTH)?.param).toBe(picture.path);
    expect(refusalOf(codec, formOf([[file]]), FOURTH)?.param).toBe(picture.path);
    expect(refusalOf(codec, formOf([[inline]]), FOURTH)).toBeNull();
  });
});

describe('an input', () => {
  it('of tokens is refused by its path', () => {
    expect(refusalOf(codec, formOf(['a', [1, 2]]), FOURTH)?.param).toBe('input[1]');
  });

  it('of several texts is one', () => {
    const { body } = written(FOURTH, formOf([[textPart('a'), textPart('b')]]));
    expect(body).toMatchObject({ texts: ['a\nb'] });
  });
});

describe('the bill', () => {
  const bill = (billed_units: unknown) =>
    codec.decode({ embeddings: { float: [[1]] }, meta: { billed_units } }, {}, formOf(['x'])).usage;

  it.each([
    [{ input_tokens: 4, image_tokens: 0 }, { input: 4 }],
    [
      { input_tokens: 4, image_tokens: 66 },
      { input: 4, image_input: 66 },
    ],
    [{ images: 1 }, { image: 1 }],
  ])('%j is %j', (units, buckets) => {
    expect(bill(units)?.buckets).toEqual(buckets);
    expect(bill(units)?.source).toBe('upstream');
  });

  it('of tokens that no request can have is not believed', () => {
    expect(bill({ input_tokens: 1e12 })).toMatchObject({
      source: 'none',
      flags: ['absurd_clamped'],
    });
  });

  it.each([undefined, null, 'text', {}, { input_tokens: 'many' }])('%j counts nothing', (units) => {
    expect(bill(units)).toBeNull();
  });
});
