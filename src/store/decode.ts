/**
 * Rows are parsed where they enter the house: each decoder returns the type it names or throws an
 * error that names the column (never the value), so that a statement that drifted from its table
 * fails at once and loudly.
 */
import type { Row } from './database.ts';

/** A row did not have the form that its statement promised: a mistake in our own SQL. */
export class RowMalformed extends Error {
  override readonly name = 'RowMalformed';
}

function fail(row: Row, column: string, expected: string): never {
  const value = row[column];
  const found = !(column in row) ? 'no such column' : value === null ? 'null' : typeof value;
  throw new RowMalformed(`column "${column}": expected ${expected}, found ${found}`);
}

export function textOf(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : fail(row, column, 'text');
}

export function booleanOf(row: Row, column: string): boolean {
  const value = row[column];
  return typeof value === 'boolean' ? value : fail(row, column, 'a boolean');
}

/** int2, int4 and float8. For int8 and numeric use `bigintOf`. */
export function numberOf(row: Row, column: string): number {
  const value = row[column];
  return typeof value === 'number' ? value : fail(row, column, 'a number');
}

/** int8, or numeric without a fraction: exact. */
export function bigintOf(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === 'string' && /^-?\d+$/.test(value)
    ? BigInt(value)
    : fail(row, column, 'a whole number');
}

/** A timestamp as milliseconds since the epoch. */
export function msOf(row: Row, column: string): number {
  const value = row[column];
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? fail(row, column, 'a timestamp') : ms;
}

/** jsonb, parsed: its form is for the caller to check. Null may be SQL's or JSON's. */
export function jsonOf(row: Row, column: string): unknown {
  return column in row ? row[column] : fail(row, column, 'json');
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  return value instanceof Uint8Array ? value : fail(row, column, 'bytes');
}

/** One of a fixed set of texts, such as the values of a check constraint. */
export function oneOf<const Value extends string>(
  row: Row,
  column: string,
  values: readonly Value[],
): Value {
  const text = row[column];
  return values.find((value) => value === text) ?? fail(row, column, `one of ${values.join(', ')}`);
}

function nullable<Value>(
  decode: (row: Row, column: string) => Value,
): (row: Row, column: string) => Value | null {
  return (row, column) => (row[column] === null ? null : decode(row, column));
}

export const nullableTextOf = nullable(textOf);
export const nullableBigintOf = nullable(bigintOf);
export const nullableMsOf = nullable(msOf);

/** The only row of a statement that always returns exactly one. */
export function onlyRow(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined || rows.length !== 1) {
    throw new RowMalformed(`expected exactly one row, found ${rows.length}`);
  }
  return row;
}
