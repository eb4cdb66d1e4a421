/** The slow suites of `.ci/run`: sockets, kill -9, recordings. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['src/testing/postgres-setup.ts'],
    include: ['src/**/*.slow.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
