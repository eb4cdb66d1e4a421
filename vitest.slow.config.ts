/** The slow suites of `.ci/run`: sockets, kill -9, recordings. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // A busy machine may be slow; the default of one second would make its slowness a failure.
    expect: { poll: { timeout: 15_000 } },
    globalSetup: ['src/testing/postgres-setup.ts'],
    include: ['src/**/*.slow.ts', 'sdk/tests/*.slow.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
