/**
 * A real Postgres database of its own for a test or a test file, migrated and empty, in some 50 ms.
 */
import { inject } from 'vitest';

import { createDatabaseAt, type TestDatabase } from './postgres-client.ts';
import './postgres-setup.ts';

export type { TestDatabase };

/** Asks the run's Postgres for a new database. Call it in a test or in `beforeAll`. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabaseAt(inject('testPostgresEndpoint'));
}
