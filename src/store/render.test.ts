/** A statement that is kept is rendered once, and its values never stay in it. */
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { Renderer } from './render.ts';

describe('a statement', () => {
  it('with values in it is text and parameters, in the form that Postgres reads', () => {
    expect(new Renderer().render(sql`SELECT ${1n}, ${null}, ${'a'}`, undefined)).toEqual({
      text: 'SELECT $1, $2, $3',
      parameters: ['1', null, 'a'],
    });
  });

  it('with placeholders takes other values each time, wherever they stand', () => {
    const renderer = new Renderer();
    const statement = sql`SELECT ${sql.placeholder('a')}, ${7}, ${sql.placeholder('b')},
      ${sql.placeholder('a')}`;
    const first = renderer.render(statement, { a: 1n, b: 'x' });
    const second = renderer.render(statement, { a: null, b: true });
    expect(first.parameters).toEqual(['1', '7', 'x', '1']);
    expect(second.parameters).toEqual([null, '7', 'true', null]);
    expect(second.text).toBe(first.text);
  });

  it('without a value for a placeholder is refused', () => {
    const statement = sql`SELECT ${sql.placeholder('a')}`;
    expect(() => new Renderer().render(statement, { b: 1 })).toThrow(/"a"/);
    expect(() => new Renderer().render(statement, undefined)).toThrow(/"a"/);
  });
});
