/**
 * Statements as text and parameters. Rendering costs as much as a small posting, so a statement
 * with placeholders, which is kept and used again, is rendered once.
 */
import { fillPlaceholders, type SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';

import { encodeParameter } from './encode.ts';

export interface RenderedStatement {
  readonly text: string;
  readonly parameters: (string | null)[];
}

/** Values of a statement's placeholders, by name. */
export type StatementValues = Readonly<Record<string, unknown>>;

const NO_VALUES: StatementValues = {};

export class Renderer {
  readonly #dialect = new PgDialect();
  readonly #kept = new WeakMap<SQL, { readonly sql: string; readonly params: unknown[] }>();

  /** Throws where a placeholder has no value. */
  render(statement: SQL, values: StatementValues | undefined): RenderedStatement {
    let query = values === undefined ? undefined : this.#kept.get(statement);
    if (query === undefined) {
      query = this.#dialect.sqlToQuery(statement);
      if (values !== undefined) this.#kept.set(statement, query);
    }
    const filled = fillPlaceholders(query.params, values ?? NO_VALUES);
    return { text: query.sql, parameters: filled.map(encodeParameter) };
  }
}
