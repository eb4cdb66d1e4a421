/** The fast suite: `npm test`, under two minutes. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // A busy machine may be slow; the default of one second would make its slowness a failure.
    expect: { poll: { timeout: 15_000 } },
    globalSetup: ['src/testing/postgres-setup.ts'],
    include: ['{src,scripts,benchmarks}/**/*.test.ts', 'sdk/tests/*.test.ts'],
    // The tests wait more than they work.
    maxWorkers: 4,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
