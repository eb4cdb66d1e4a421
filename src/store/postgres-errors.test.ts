/** What Postgres and postgres.js say, in the words of the house. */
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts';

import { DatabaseUnavailable, StatementRefused, StatementTooHeavy } from './database.ts';
import { toStoreError } from './postgres-errors.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

async function raised(state: string): Promise<unknown> {
  const block = sql.raw(`'BEGIN RAISE EXCEPTION USING ERRCODE = ''${state}''; END'`);
  return await test.database.run(sql`DO ${block}`).catch((error: unknown) => error);
}

describe('a statement that failed', () => {
  it.each(['57014', '53200'])('was too heavy by %s', async (state) => {
    const error = await raised(state);
    expect(error).toBeInstanceOf(StatementTooHeavy);
    expect(error).toBeInstanceOf(DatabaseUnavailable);
  });

  it('was not, where it had no connection, or lost it, be it on account of another one', () => {
    const given = Object.assign(new Error('destroyed'), { code: 'CONNECTION_DESTROYED' });
    const waiting = Object.assign(new Error('cancelled'), { code: '57014' });
    const closed = Object.assign(new Error('closed'), { code: 'CONNECTION_CLOSED' });
    for (const error of [given, waiting, closed]) {
      expect(toStoreError(error)).toBeInstanceOf(DatabaseUnavailable);
      expect(toStoreError(error)).not.toBeInstanceOf(StatementTooHeavy);
    }
  });

  it.each(['53300', '57P01', '25006'])('found no database by %s', async (state) => {
    const error = await raised(state);
    expect(error).toBeInstanceOf(DatabaseUnavailable);
    expect(error).not.toBeInstanceOf(StatementTooHeavy);
  });

  it.each(['23514', '42P01', 'XX000'])('was refused by %s', async (state) => {
    expect(await raised(state)).toBeInstanceOf(StatementRefused);
  });
});
