/** What the environment says of the gateway and of its providers, and what of it is refused. */
import { describe, expect, it } from 'vitest';
import { generateKey } from '#identity/api-key.ts';
import {
  envFaults,
  exactly,
  faults,
  read,
  SECRET,
  type Environment,
} from '#testing/config-reading.ts';

describe('the key of a provider', () => {
  const secretsOf = (text: string, env: Environment = {}): readonly string[] =>
    read(text, env).providers[1]?.secrets ?? [];

  it.each(['sk-a\n', 'sk-a\r\n', ' sk-a\t'])('%j is read without what surrounds it', (written) => {
    const file = 'providers:\n  openai: { api_key: "${UP_KEY}" }\n';
    expect(secretsOf(file, { UP_KEY: written })).toEqual(['sk-a']);
    expect(secretsOf('', { OPENAI_API_KEY: written })).toEqual(['sk-a']);
    expect(secretsOf('providers:\n  openai: {}\n', { OPENAI_API_KEY: written })).toEqual(['sk-a']);
  });

  it.each([
    [`${SECRET}\nb`, /^OPENAI_API_KEY: a key has no line ends, curly quotes/],
    [`‘${SECRET}’`, /^OPENAI_API_KEY: a key has no line ends, curly quotes/],
    ['$OPENAI_KEY', /^OPENAI_API_KEY: this is the name of a variable/],
    ['os.environ/KEY', /^OPENAI_API_KEY: this is the name of a variable/],
  ])('%j is refused by the name of its variable', (written, fault) => {
    expect(envFaults({ OPENAI_API_KEY: written })).toEqual([expect.stringMatching(fault)]);
    const inherited = faults('providers:\n  openai: {}\n', { OPENAI_API_KEY: written });
    expect(inherited).toEqual([expect.stringMatching(fault)]);
    // Of a key that nothing uses nobody needs to hear.
    const own = 'providers:\n  openai: { api_key: k }\n';
    expect(secretsOf(own, { OPENAI_API_KEY: written })).toEqual(['k']);
  });

  it('is a whole file at Google, of many lines', () => {
    const account = JSON.stringify({ client_email: 'a@b', private_key: 'x' }, null, 2);
    const env = { GOOGLE_VERTEX_CREDENTIALS: `${account}\n`, GOOGLE_CLOUD_PROJECT: 'p' };
    expect(secretsOf('', env)).toEqual([account]);
  });

  it('with spaces only is none', () => {
    expect(read('', { OPENAI_API_KEY: ' \n' }).providers).toHaveLength(1);
    expect(faults('providers:\n  openai: { api_key: " " }\n')).toEqual([
      ':2  providers.openai.api_key: must not be empty',
    ]);
  });
});

describe('the environment', () => {
  it('has defaults (contract: Starting, PORT and HOST; OMNIX_DRAIN_MS)', () => {
    expect(read('')).toMatchObject({
      port: 8787,
      host: '127.0.0.1',
      drainMs: 30_000,
      logLevel: 'info',
      databaseUrl: null,
      ownerKey: null,
      notices: [],
    });
  });

  it('switches providers on by their usual keys', () => {
    const { providers } = read('', { OPENAI_API_KEY: 'k1', GROQ_API_KEY: 'k2' });
    expect(providers.map(({ name, secrets }) => [name, ...secrets])).toEqual([
      ['sandbox', ''],
      ['openai', 'k1'],
      ['groq', 'k2'],
    ]);
  });

  it('takes no key of this gateway for one of a provider, nor our address for its own', () => {
    const own = { OPENAI_API_KEY: 'sk-omx-live-abc', OPENAI_BASE_URL: 'http://127.0.0.1:8787/v1' };
    expect(read('', own).providers.map(({ name }) => name)).toEqual(['sandbox']);
    const real = read('', { ...own, OPENAI_API_KEY: 'k' }).providers[1];
    expect(real?.baseUrl).toBe('https://api.openai.com/v1');
  });

  it.each(['OMNIX_KEY', 'OMNIX_API_KEY', 'OMNIX_BASE_URL', 'OMNIX_MANAGEMENT_KEY'])(
    'may hold what the examples of the README and our SDK read: %s',
    (name) => {
      expect(envFaults({ [name]: 'x' })).toEqual([]);
    },
  );

  it('leaves a provider to the file where that has its type', () => {
    const text = 'providers:\n  mine: { type: openai, api_key: k1 }\n';
    const { providers } = read(text, { OPENAI_API_KEY: 'k2' });
    expect(providers.map(({ name, secrets }) => [name, ...secrets])).toEqual([
      ['sandbox', ''],
      ['mine', 'k1'],
    ]);
  });

  it('says which provider lacks an address, and goes on', () => {
    const config = read('', { AZURE_OPENAI_API_KEY: 'k' });
    expect(config.providers).toHaveLength(1);
    expect(config.notices[0]).toMatch(/Azure.* has a key but no address: set AZURE/);
  });

  it('refuses an address that is none, or private, by the name of its variable', () => {
    const at = (address: string): string[] =>
      envFaults({ AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_ENDPOINT: address });
    expect(at(SECRET)).toEqual(['AZURE_OPENAI_ENDPOINT: expected an http or https URL']);
    expect(at('http://10.0.0.1')[0]).toMatch(/^AZURE_OPENAI_ENDPOINT: 10\.0\.0\.1 is a private/);
    expect(at('https://mine.openai.azure.com/openai/v1/chat/completions')).toEqual([
      'AZURE_OPENAI_ENDPOINT: ends in /chat/completions, which each call adds; leave that off',
    ]);
    expect(at('https://mine.openai.azure.com/')).toEqual([]);
    expect(at('https://mine.openai.azure.com/openai/v1?api-version=preview')).toEqual([]);
  });

  it('says what it ignores', () => {
    const own = { OPENAI_API_KEY: 'sk-omx-live-abc', OPENAI_BASE_URL: 'http://127.0.0.1:8787/v1' };
    expect(read('', own).notices).toEqual([
      'OPENAI_API_KEY is ignored: it holds a key of OmniX, not of OpenAI.',
      'OPENAI_BASE_URL is ignored: it is for clients. Set base_url of openai in omnix.yaml.',
    ]);
  });

  it.each(['REDIS_URL', 'UPSTASH_REDIS_REST_URL', 'STRIPE_SECRET_KEY', 'S3_ENDPOINT'])(
    'says what is set and not used yet (contract: Starting, Redis; Stripe; S3): %s',
    (name) => {
      expect(read('', { [name]: 'x' }).notices).toEqual([`${name} is set and not used yet.`]);
    },
  );

  it.each<[string, Environment, string | RegExp]>([
    ['a database without a secret', { DATABASE_URL: 'postgres://x' }, /^OMNIX_SECRET: must be set/],
    [
      'a short secret',
      { DATABASE_URL: 'postgres://x', OMNIX_SECRET: 'short' },
      'OMNIX_SECRET: expected at least 16 characters',
    ],
    [
      'another database',
      { DATABASE_URL: 'mysql://x', OMNIX_SECRET: 'x'.repeat(16) },
      'DATABASE_URL: expected postgres://...',
    ],
    ['a typo', { OMNIX_DATADIR: 'x' }, 'OMNIX_DATADIR: there is no such variable'],
    ['a port that is none', { PORT: 'http' }, 'PORT: expected a port number'],
    ['a port out of range', { PORT: '70000' }, /^PORT: /],
    ['more workers', { OMNIX_WORKERS: '2' }, /^OMNIX_WORKERS: more than one serving process/],
    [
      'an owner key that is cut off',
      { OMNIX_OWNER_KEY: generateKey('management').slice(0, -1) },
      /^OMNIX_OWNER_KEY: expected a management key .*: the key is cut off: it has 60 of 61/,
    ],
    [
      'an owner key of another kind',
      { OMNIX_OWNER_KEY: generateKey('live') },
      /^OMNIX_OWNER_KEY: expected a management key .*: the key is of another kind$/,
    ],
    ['a drain that is none', { OMNIX_DRAIN_MS: 'x' }, 'OMNIX_DRAIN_MS: expected a number'],
    ['an unknown level', { OMNIX_LOG_LEVEL: 'loud' }, /^OMNIX_LOG_LEVEL: expected one of debug, /],
  ])(
    'is refused by name: %s (contract: Names, prefix; Starting, secret with DATABASE_URL; OMNIX_WORKERS)',
    (_case, env, fault) => {
      const [first, ...more] = envFaults(env);
      expect(more).toEqual([]);
      expect(first).toMatch(exactly(fault));
    },
  );

  it('that is empty is not set', () => {
    expect(read('', { PORT: '', OMNIX_SECRET: '', OPENAI_API_KEY: '' })).toMatchObject({
      port: 8787,
      secret: null,
    });
  });
});

describe('the place of a provider from the environment', () => {
  const aws = { AWS_BEARER_TOKEN_BEDROCK: 'b', AWS_REGION: 'eu-west-1' };
  const google = {
    GOOGLE_VERTEX_API_KEY: 'g',
    GOOGLE_CLOUD_PROJECT: 'p-1',
    GOOGLE_CLOUD_LOCATION: 'europe-west4',
  };

  it('is that of the variables which the official clients read', () => {
    expect(read('', { ...aws, ...google }).providers).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'bedrock', region: 'eu-west-1', project: null }),
        expect.objectContaining({ name: 'vertex', region: 'europe-west4', project: 'p-1' }),
      ]),
    );
  });

  it('yields to the config file', () => {
    const text = 'providers:\n  bedrock:\n    region: us-west-2\n';
    expect(read(text, aws).providers).toContainEqual(
      expect.objectContaining({ name: 'bedrock', region: 'us-west-2' }),
    );
  });
});
