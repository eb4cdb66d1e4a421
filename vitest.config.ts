/** The fast suite: `npm test`, under two minutes. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['src/testing/postgres-setup.ts'],
    include: ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'benchmarks/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
