/** The config file of a test gateway: a few hosts at the fake upstream, and what a test adds. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, type Config } from '#config.ts';
import type { Provider } from '#providers/provider.ts';
import type { JsonObject } from './recordings-json.ts';

export interface TestConfigOptions {
  /**
   * More `providers` of the config file; `base_url` may be a path of the fake upstream: "/slow".
   */
  readonly providers?: Readonly<Record<string, JsonObject>>;
  /** More `models` of the config file. */
  readonly models?: Readonly<Record<string, JsonObject>>;
  /** How a configured provider, by its name, speaks: instead of what its `type` says. */
  readonly spoken?: Readonly<Record<string, Provider>>;
}

/** Dollars per million tokens of every default model. */
export const TEST_PRICE: JsonObject = { input: '1', output: '2', cache_read: '0.1' };

const endpoint = (provider: string): JsonObject => ({
  provider,
  model: `model-at-${provider}`,
  price: TEST_PRICE,
  context: 128_000,
  max_output: 16_384,
});

/**
 * Hosts `a` and `b` bill on after a cancellation, `stops` does not, `quick` is given up after
 * 300 ms of silence.
 */
const PROVIDERS: Readonly<Record<string, JsonObject>> = {
  a: { type: 'openai-compatible', base_url: '/a', api_key: 'sk-canary-upstream-a' },
  b: { type: 'openai-compatible', base_url: '/b', api_key: 'sk-canary-upstream-b' },
  stops: { type: 'openai', base_url: '/stops', api_key: 'sk-canary-upstream-stops' },
  quick: {
    type: 'openai-compatible',
    base_url: '/quick',
    api_key: 'sk-canary-upstream-quick',
    timeout_ms: 300,
  },
};
const MODELS: Readonly<Record<string, JsonObject>> = {
  'at-a': { endpoints: [endpoint('a')] },
  'at-b': { endpoints: [endpoint('b')] },
  'at-stops': { endpoints: [endpoint('stops')] },
  'at-quick': { endpoints: [endpoint('quick')] },
  'a-then-b': { endpoints: [endpoint('a'), endpoint('b')] },
  'quick-then-b': { endpoints: [endpoint('quick'), endpoint('b')] },
};

/** Names of the default hosts; each is at the path of its name. */
export const TEST_HOSTS: readonly string[] = Object.keys(PROVIDERS);

/** What the real reader makes of the file. */
export function readTestConfig(
  directory: string,
  origin: string,
  options: TestConfigOptions,
): Config {
  const path = join(directory, 'omnix.json');
  writeFileSync(path, testConfigText(origin, options));
  const config = readConfig({ OMNIX_CONFIG: path, OMNIX_DATA_DIR: directory });
  const providers = config.providers.map((configured) => ({
    ...configured,
    provider: options.spoken?.[configured.name] ?? configured.provider,
  }));
  return { ...config, providers };
}

/** The file's text: JSON, which is YAML too. */
export function testConfigText(origin: string, options: TestConfigOptions): string {
  const providers = Object.entries({ ...PROVIDERS, ...options.providers }).map(([name, given]) => {
    const base = given['base_url'];
    const here = typeof base === 'string' && base.startsWith('/') ? origin + base : base;
    return [name, { ...given, base_url: here }] as const;
  });
  const models = { ...MODELS, ...options.models };
  return JSON.stringify({ providers: Object.fromEntries(providers), models });
}
