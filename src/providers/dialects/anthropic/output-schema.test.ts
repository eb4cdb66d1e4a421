/**
 * Which schemas an answer can be held to: what cannot be said to the host must be seen here, as it
 * refuses the whole request for it.
 */
import { describe, expect, it } from 'vitest';
import { closeSchema } from './output-schema.ts';
import { isRecursive } from './schema-references.ts';

const text = { type: 'string' };

function object(properties: object, more: object = {}): object {
  return { type: 'object', properties, additionalProperties: false, ...more };
}

const leaf = object({ value: text });
const node = object({ value: text, children: { type: 'array', items: { $ref: '#/$defs/node' } } });
const list = { type: 'array', items: { $ref: '#' } };

describe('a schema that holds itself', () => {
  it.each<[string, object]>([
    [
      'by the name of a definition',
      object({ root: { $ref: '#/$defs/node' } }, { $defs: { node } }),
    ],
    ['at its root', object({ children: list })],
    [
      'through another',
      {
        $ref: '#/$defs/a',
        $defs: { a: object({ b: { $ref: '#/$defs/b' } }), b: object({ a: { $ref: '#/$defs/a' } }) },
      },
    ],
    ['by a place among its members', object({ a: object({ b: { $ref: '#/properties/a' } }) })],
    ['by a place in a list', { anyOf: [text, object({ again: { $ref: '#/anyOf/1' } })] }],
    [
      'by an escaped name',
      object(
        {},
        {
          $defs: { 'a/b~c d': object({ again: { $ref: '#/$defs/a~1b~0c%20d' } }) },
        },
      ),
    ],
  ])('%s is left to an emulation', (_case, schema) => {
    expect(isRecursive(schema)).toBe(true);
    expect(closeSchema(schema)).toBeNull();
  });

  it.each<[string, object]>([
    ['is used twice', object({ a: { $ref: '#/$defs/leaf' }, b: { $ref: '#/$defs/leaf' } })],
    ['is the whole', { $ref: '#/$defs/leaf' }],
    ['uses another', object({ a: { $ref: '#/$defs/pair' } })],
  ])('is no definition that %s', (_case, schema) => {
    const pair = object({ left: { $ref: '#/$defs/leaf' }, right: { $ref: '#/$defs/leaf' } });
    const whole = { ...schema, $defs: { leaf, pair } };
    expect(closeSchema(whole)).toEqual(whole);
  });

  it('takes a schema with very many values in one place', () => {
    const wide = { enum: Array.from({ length: 300_000 }, () => []) };
    expect(isRecursive(wide)).toBe(false);
  });

  it('is found at the end of a chain as long as a request can hold', () => {
    const names = Array.from({ length: 50_000 }, (_none, index) => `d${index}`);
    const links = names.map((name, index) => [name, { $ref: `#/$defs/d${index + 1}` }] as const);
    const chain = (end: object) => ({
      $ref: '#/$defs/d0',
      $defs: { ...Object.fromEntries(links), d50000: end },
    });
    expect(isRecursive(chain(leaf))).toBe(false);
    expect(isRecursive(chain({ $ref: '#/$defs/d9' }))).toBe(true);
  });
});

describe('references', () => {
  it.each<[string, object]>([
    ['inside of allOf', object({ a: { allOf: [{ $ref: '#/$defs/leaf' }] } })],
    ['deep inside of allOf', object({ a: { allOf: [object({ b: { $ref: '#/$defs/leaf' } })] } })],
    ['to elsewhere', object({ a: { $ref: 'https://example.com/leaf.json' } })],
  ])('%s are left to an emulation', (_case, schema) => {
    expect(closeSchema({ ...schema, $defs: { leaf } })).toBeNull();
  });

  it('are not what only looks like one', () => {
    const looks = object({ a: { allOf: [{ ...text, description: 'not "$ref": this' }] } });
    expect(closeSchema(looks)).toEqual(looks);
  });
});
