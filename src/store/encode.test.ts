/** Parameters: what goes in through `encode.ts` comes back from a real database as it was. */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts';

import { encodeParameter } from './encode.ts';

let shared: TestDatabase;

beforeAll(async () => {
  shared = await createTestDatabase();
});

afterAll(async () => {
  await shared.drop();
});

/** Postgres's text knows no NUL, and UTF-8 no half of a surrogate pair. */
const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));

async function echo(value: unknown, type: string): Promise<unknown> {
  const [row] = await shared.database.run(
    sql`select to_jsonb(${sql.param(value)}::${sql.identifier(type)}) as value`,
  );
  return row?.['value'];
}

describe('parameters come back as they were', () => {
  it('texts, and arrays of texts with nulls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(text), { maxLength: 5 }), async (items) => {
        expect(await echo(items, '_text')).toEqual(items);
      }),
      { numRuns: 50 },
    );
  });

  it('bigints to their last digit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), async (value) => {
        const rows = await shared.database.run(sql`select ${value}::int8 as value`);
        expect(rows).toEqual([{ value: value.toString() }]);
      }),
      { numRuns: 50 },
    );
  });

  it('json objects, and json text as it is', async () => {
    const value = { a: [1, 'x"\\', null], b: { c: true } };
    expect(await echo(value, 'jsonb')).toEqual(value);
    expect(await echo(JSON.stringify(value), 'jsonb')).toEqual(value);
  });

  it('bytes, booleans, numbers, dates, nulls', async () => {
    const bytes = new Uint8Array([0, 1, 128, 255]);
    const date = new Date(1_763_675_000_123);
    const rows = await shared.database.run(sql`
      select ${bytes}::bytea as bytes, ${[bytes].length > 0}::boolean as yes, ${1.5}::float8 as half,
        ${date}::timestamptz as date, ${null}::text as nothing,
        ${sql.param([bytes])}::bytea[] = array[${bytes}::bytea] as same`);
    expect(rows).toEqual([
      { bytes, yes: true, half: 1.5, date: date.toISOString(), nothing: null, same: true },
    ]);
  });
});

describe('encodeParameter refuses', () => {
  it.each([[undefined], [Number.NaN], [Number.POSITIVE_INFINITY], [Symbol('x')], [() => 1]])(
    '%s',
    (value) => {
      expect(() => encodeParameter(value)).toThrow(TypeError);
    },
  );
});
