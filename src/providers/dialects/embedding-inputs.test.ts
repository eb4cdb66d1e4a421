/** What all dialects of embeddings hold to: no vector is invented, and nothing is lost unseen. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formOf, picture, textPart } from '#testing/embeddings-forms.ts';
import {
  checkSize,
  imageBytes,
  knownExtras,
  plainText,
  vectorOf,
  vectorsOf,
} from './embedding-inputs.ts';
import { purposeWord } from './embedding-purpose.ts';

describe('a vector', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });

  it('is what stands there', () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 1 }), (numbers) => {
        expect(vectorOf(numbers)).toEqual(numbers);
      }),
    );
  });

  it('is none where one of its numbers is none', () => {
    const other = fc.oneof(fc.string(), fc.boolean(), fc.constant(null), fc.constant(NaN));
    fc.assert(
      fc.property(fc.array(number), other, fc.array(number), (before, odd, after) => {
        expect(() => vectorOf([...before, odd, ...after])).toThrow(Error);
      }),
    );
  });

  it.each([undefined, null, {}, 'x', []])('is not made of %j', (value) => {
    expect(() => vectorOf(value)).toThrow(Error);
    expect(() => vectorsOf([[1], value])).toThrow(Error);
  });
});

describe('a size', () => {
  it('is refused or right, whatever is asked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), (dimensions) => {
        const isMade = (sizes: Parameters<typeof checkSize>[1]): boolean => {
          try {
            checkSize(dimensions, sizes);
            return true;
          } catch {
            return false;
          }
        };
        expect(isMade({ upTo: 3_072 })).toBe(dimensions <= 3_072);
        expect(isMade({ only: [256, 1_024] })).toBe([256, 1_024].includes(dimensions));
        expect(isMade(null)).toBe(true);
      }),
    );
  });
});

describe('an input', () => {
  it('of text comes out whole', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (texts) => {
        const [input] = formOf([texts.map(textPart)]).inputs;
        expect(input === undefined ? null : plainText(input)).toBe(texts.join('\n'));
      }),
    );
  });

  it('of a data address is its bytes, with or without parameters', () => {
    const at = (url: string) =>
      imageBytes({ ...picture, source: { kind: 'url', url } }, 'input[0]');
    const bytes = { mediaType: 'image/png', data: 'QUJD' };
    expect(at('data:image/png;base64,QUJD')).toEqual(bytes);
    expect(at('data:image/png;charset=utf-8;base64,QUJD')).toEqual(bytes);
    expect(() => at('data:image/png,QUJD')).toThrow(/base64/);
    expect(() => at('http://10.0.0.1/a.png')).toThrow(/base64/);
  });
});

describe('the other members', () => {
  it('are only those that stand there', () => {
    const { members, said } = knownExtras({ a: 1, b: null }, ['b', 'c', 'toString']);
    expect({ members, said }).toEqual({ members: { b: null }, said: ['b'] });
  });
});

describe('the purpose', () => {
  const words = { query: 'q', document: 'd', classification: 'k', clustering: 'g' };

  it('of a caller who names none is told with the next step', () => {
    const warnings: Parameters<typeof purposeWord>[2] = [];
    expect(purposeWord(formOf(['x']), words, warnings)).toBe('d');
    expect(warnings).toEqual([
      {
        code: 'emulated',
        param: 'input_type',
        message:
          'This model must be told what its vectors are for: it was told "d". Say input_type "query" where you embed questions.',
      },
    ]);
  });
});
