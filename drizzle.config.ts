/**
 * For `npm run migrations:generate`: compares the tables of the code with the migrations and writes
 * the next one.
 */
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: [
    './src/store/identity-tables.ts',
    './src/store/idempotency-table.ts',
    './src/store/ledger-tables.ts',
  ],
  out: './migrations',
});
