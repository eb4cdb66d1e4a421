/** The tests inside workerd: `npm run test:worker`. */
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { testConfigText } from './src/testing/test-gateway-config.ts';
import { WORKER_SECRET } from './src/testing/worker-setup.ts';

export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => {
      const { upstream } = inject('workerWorld');
      return {
        wrangler: { configPath: './wrangler.toml' },
        miniflare: {
          bindings: {
            OMNIX_SECRET: WORKER_SECRET,
            OMNIX_CONFIG: testConfigText(upstream, {}),
            OMNIX_LOG_LEVEL: 'warn',
          },
        },
      };
    }),
  ],
  test: {
    expect: { poll: { timeout: 15_000 } },
    globalSetup: ['src/testing/worker-setup.ts'],
    include: ['src/**/*.workerd.ts', 'sdk/tests/*.workerd.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
