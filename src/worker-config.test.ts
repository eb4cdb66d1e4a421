/** The configuration on Workers: the same names as on Node, and every fault told at once. */
import { describe, expect, it } from 'vitest';
import { ConfigRefused } from './config-places.ts';
import type { WorkerBindings } from './worker-bindings.ts';
import { readWorkerConfig } from './worker-config.ts';

const SECRET = 'a master secret of the tests';
const none = (): never => {
  throw new Error('not asked for by a configuration');
};
const BINDINGS: WorkerBindings = {
  LEDGER: { getByName: none },
  OUTCOMES: { send: none },
  ASSETS: { fetch: none },
  HYPERDRIVE: { user: '', password: '', database: '', connect: none },
};

function faultsOf(variables: Readonly<Record<string, string>>): readonly string[] {
  try {
    readWorkerConfig({ ...BINDINGS, ...variables });
  } catch (error) {
    if (error instanceof ConfigRefused) return error.message.split('\n').slice(1);
    throw error;
  }
  return [];
}

describe('the configuration of a Worker', () => {
  it('switches on every provider whose key is among the variables', () => {
    const given = { OMNIX_SECRET: SECRET, OPENAI_API_KEY: 'sk-o', GROQ_API_KEY: 'sk-g' };
    const config = readWorkerConfig({ ...BINDINGS, ...given });
    expect(config.providers.map(({ name }) => name)).toEqual(['sandbox', 'openai', 'groq']);
  });

  it('takes the text of the config file, with other secrets in it', () => {
    const text = [
      'providers:',
      '  here: { type: openai, base_url: https://x.test/v1, api_key: "${UP}" }',
    ].join('\n');
    const given = { OMNIX_SECRET: SECRET, OMNIX_CONFIG: text, UP: 'sk-up' };
    const { providers } = readWorkerConfig({ ...BINDINGS, ...given });
    expect(providers.at(-1)).toMatchObject({ name: 'here', secrets: ['sk-up'] });
  });

  it('refuses what is missing and what it does not know, by name', () => {
    expect(faultsOf({ OMNIX_DATA_DIR: '/x', OMNIX_SECRET: 'short' })).toEqual([
      '  OMNIX_DATA_DIR: there is no such variable on Workers',
      '  OMNIX_SECRET: expected at least 16 characters',
    ]);
    expect(faultsOf({})).toEqual(['  OMNIX_SECRET: is missing']);
  });

  it('names the place of a fault in the file', () => {
    const OMNIX_CONFIG = 'providers:\n  here: { type: nobody, api_key: a }\n';
    expect(faultsOf({ OMNIX_SECRET: SECRET, OMNIX_CONFIG })[0]).toMatch(
      /^ {2}OMNIX_CONFIG:2 {2}providers\.here\.type: there is no provider type "nobody"/,
    );
  });
});
