/** What an operator writes becomes one Config, or a refusal that names every fault and its line. */
import { describe, expect, it } from 'vitest';
import {
  envFaults,
  exactly,
  faults,
  faultsOf,
  fileOf,
  HOST,
  read,
  SECRET,
} from '#testing/config-reading.ts';
import { composeDirectory } from './compose-shared.ts';
import { readConfig, refuseArguments, type Config } from './config.ts';
import { startScreen } from './start-screen.ts';

describe('the config file', () => {
  it('gives providers their place, keys, headers and order (contract: Config file, api_key and api_keys; place of a provider; timeout_ms and headers)', () => {
    const { providers } = read(
      `providers:
  openai:
    api_keys: [k1, k2]
  eu:
    type: azure-openai
    base_url: https://mine.openai.azure.com/
    api_key: \${AZURE}
    region: eu-west
    timeout_ms: 1500
    priority: 5
    headers: { X-Tenant: t1 }
`,
      { AZURE: 'from-env' },
    );
    expect(providers.map(({ name }) => name)).toEqual(['sandbox', 'openai', 'eu']);
    expect(providers[1]).toMatchObject({
      baseUrl: 'https://api.openai.com/v1',
      secrets: ['k1', 'k2'],
      priority: 0,
      book: 'live',
    });
    expect(providers[2]).toMatchObject({
      baseUrl: 'https://mine.openai.azure.com',
      secrets: ['from-env'],
      region: 'eu-west',
      timeoutMs: 1500,
      priority: 5,
      headers: [['x-tenant', 't1']],
    });
    expect(providers[0]).toMatchObject({ name: 'sandbox', book: 'test' });
  });

  it('gives models endpoints with prices and tiers, or an alias (contract: Config file, tiers; aliases)', () => {
    const { models } = read(`${HOST}models:
  m:
    context: 1000
    endpoints:
      - provider: mine
        model: theirs
        price: { input: "0.15", output: "0.60", tiers: [{ above_input_tokens: 9, input: "1" }] }
  fast: { alias: [m] }
`);
    expect(models[0]?.endpoints[0]).toMatchObject({
      provider: 'mine',
      model: 'theirs',
      price: {
        list: { input: '0.15', output: '0.60' },
        tiers: [{ aboveInputTokens: 9, input: '1' }],
        source: 'config',
      },
    });
    expect(models[1]).toMatchObject({ id: 'fast', alias: ['m'], endpoints: [] });
  });

  it('may be JSON, empty, or absent (contract: Starting, OMNIX_CONFIG)', () => {
    const json = fileOf('{"models":{"fast":{"alias":["gpt-4o"]}}}', 'omnix.json');
    expect(readConfig({ OMNIX_CONFIG: json }).models).toHaveLength(1);
    expect(read('').providers.map(({ name }) => name)).toEqual(['sandbox']);
    expect(read('# only a comment\n').models).toEqual([]);
  });

  it('that cannot be read is refused by the name of the variable', () => {
    const [fault] = faultsOf(() => readConfig({ OMNIX_CONFIG: '/nowhere/omnix.yaml' }));
    expect(fault).toMatch(/^OMNIX_CONFIG: the file cannot be read/);
  });
});

describe('a fault in the file is told with field and line', () => {
  it.each<[string, string, string | RegExp]>([
    [
      'an unknown field (contract: Config file, unknown fields)',
      `${HOST}    colour: red\n`,
      ':6  providers.mine.colour: there is no such field',
    ],
    ['an unknown member at the top', `${HOST}hello: 1\n`, ':6  hello: there is no such field'],
    [
      'a field whose step has not come (contract: Config file, rpm and tpm of a provider)',
      `${HOST}    rpm: 5\n`,
      ':6  providers.mine.rpm: is not available yet; leave it out',
    ],
    [
      'another one (contract: Config file, weight of a provider)',
      `${HOST}    weight: 5\n`,
      ':6  providers.mine.weight: is not available yet; leave it out',
    ],
    [
      'a price as a number',
      `${HOST}models:\n  m:\n    endpoints:\n      - provider: mine\n        price:\n          input: 0.15\n          output: "1"\n`,
      ':11  models.m.endpoints[0].price.input: write prices as strings, so that no digit is lost: "0.15"',
    ],
    [
      'a price that is no decimal',
      `${HOST}models:\n  m:\n    endpoints: [{ provider: mine, price: { input: "1e3", output: "-1" } }]\n`,
      ':8  models.m.endpoints[0].price.input: expected a decimal such as "0.15"',
    ],
    [
      'a variable that is not set',
      'providers:\n  openai:\n    api_key: ${NOT_SET}\n',
      ':3  providers.openai.api_key: the environment variable NOT_SET is not set',
    ],
    [
      'an unknown type',
      'providers:\n  mine:\n    type: openia\n',
      /^:3 {2}providers\.mine\.type: there is no provider type "openia"; there are: openai, /,
    ],
    [
      'a name that is no type',
      'providers:\n  mine: {}\n',
      /^:2 {2}providers\.mine: there is no provider type "mine"/,
    ],
    [
      'no key',
      'providers:\n  openai: {}\n',
      /^:2 {2}providers\.openai\.api_key: OpenAI needs a key; give one, or set OPENAI_API_KEY/,
    ],
    [
      'no address',
      'providers:\n  openai-compatible: { api_key: k }\n',
      /^:2 {2}providers\.openai-compatible\.base_url: .* needs one/,
    ],
    [
      'an address that is none',
      'providers:\n  openai:\n    base_url: ftp://x\n    api_key: k\n',
      ':3  providers.openai.base_url: expected an http or https URL',
    ],
    [
      'endpoints and alias',
      `${HOST}models:\n  m: {}\n`,
      ':7  models.m: give either endpoints or alias',
    ],
    [
      'an address with the path of a call',
      'providers:\n  openai:\n    api_key: k\n    base_url: https://a.test/v1/chat/completions/\n',
      ':4  providers.openai.base_url: ends in /chat/completions, which each call adds; leave that off',
    ],
    [
      "the address of a deployment as Azure's portal shows it",
      'providers:\n  azure-openai:\n    api_key: k\n    base_url: https://a.test/openai/deployments/d/chat/completions?api-version=1\n',
      ':4  providers.azure-openai.base_url: ends in /chat/completions, which each call adds; leave that off',
    ],
    [
      'an address with a query',
      `providers:\n  openai:\n    api_key: k\n    base_url: https://a.test/v1?key=${SECRET}\n`,
      ':4  providers.openai.base_url: has a query; leave off what stands from the ? on (a key goes into api_key)',
    ],
    [
      'a key with a line end inside',
      'providers:\n  openai:\n    api_key: "sk-a\\nb"\n',
      ':3  providers.openai.api_key: a key has no line ends, curly quotes or other characters that HTTP cannot carry',
    ],
    [
      'a key in curly quotes',
      `providers:\n  openai:\n    api_keys: [k, “${SECRET}”]\n`,
      /^:3 {2}providers\.openai\.api_keys\[1\]: a key has no line ends, curly quotes/,
    ],
    [
      'the name of the sandbox',
      'providers:\n  sandbox: { type: openai, api_key: k }\n',
      ':2  providers.sandbox: this name is taken by the models that come with OmniX; choose another one',
    ],
    ['what is no YAML', 'providers: [\n', /^:\d+ {2}\S/],
    [
      'an alias of YAML',
      'providers:\n  a: &a { type: vllm }\n  b: *a\n',
      ':3  aliases are not served; write it out',
    ],
    [
      'a text where a number belongs',
      `${HOST}    timeout_ms: soon\n`,
      ':6  providers.mine.timeout_ms: expected a number',
    ],
    [
      'a number with a fraction',
      `${HOST}    timeout_ms: 1.5\n`,
      ':6  providers.mine.timeout_ms: expected a whole number',
    ],
    [
      'a number that is too small',
      `${HOST}    timeout_ms: 0\n`,
      ':6  providers.mine.timeout_ms: expected at least 1',
    ],
    [
      'a number where a text belongs',
      `${HOST}    region: 7\n`,
      ':6  providers.mine.region: expected a text; one that looks like a number needs quotation marks',
    ],
    [
      'a list where names belong',
      'providers: []\n',
      ':1  providers: expected names, each with what belongs to it',
    ],
    ['a text as the whole file', 'hello\n', /^ *expected fields, each with a name and a value$/],
    [
      'an endpoint without a provider',
      'models:\n  m:\n    endpoints: [{ model: x }]\n',
      ':3  models.m.endpoints[0].provider: is missing',
    ],
    [
      'a name that is none',
      'providers:\n  "a b": {}\n',
      ':2  providers.a b: a name has letters, digits, . _ and -',
    ],
    [
      'a type that every object has',
      'providers:\n  mine: { type: constructor }\n',
      /there is no provider type "constructor"/,
    ],
    [
      'a provider that is not switched on',
      'models:\n  m:\n    endpoints:\n      - provider: openai\n',
      ':4  models.m.endpoints[0].provider: there is no provider "openai"; there are: sandbox. Define it under providers, or set OPENAI_API_KEY',
    ],
    [
      'a provider that is there under another name',
      `providers:\n  eu: { type: openai, api_key: k }\nmodels:\n  m:\n    endpoints: [{ provider: openai }]\n`,
      ':5  models.m.endpoints[0].provider: there is no provider "openai"; there are: sandbox, eu. Define it under providers',
    ],
    [
      'a header that is ours to send',
      `${HOST}    headers: { Connection: close }\n`,
      ':6  providers.mine.headers.Connection: "connection" is no header that a request may bring along',
    ],
    ['a repeated name', 'models:\n  a: { alias: [b] }\n  a: { alias: [c] }\n', /^:3 {2}.*unique/],
  ])('%s', (_case, text, fault) => {
    const [first] = faults(text);
    expect(first).toMatch(exactly(fault));
  });

  it.each(['$OPENAI_KEY', '${OPENAI_KEY:-none}', '${OPENAI_KEY', 'os.environ/OPENAI_KEY'])(
    'a variable that is not written as ours: %s',
    (key) => {
      expect(faults(`providers:\n  openai:\n    api_key: ${key}\n`)).toEqual([
        ':3  providers.openai.api_key: this is the name of a variable and not a key; ' +
          'the config file takes ${NAME}, a variable the key itself',
      ]);
    },
  );

  it.each([
    'chat/completions',
    'completions',
    'responses',
    'embeddings',
    'messages',
    'v2/chat',
    'v2/embed',
    'models/gemini-2.5-flash:generateContent',
    'models/gemini-embedding-001:batchEmbedContents',
    'publishers/anthropic/models/claude:streamRawPredict',
  ])('an address that ends in a call of whatever dialect: %s', (call) => {
    const text = HOST.replace('127.0.0.1:9/v1', `127.0.0.1:9/v1/${call}`);
    expect(faults(text)[0]).toMatch(/^:4 {2}providers\.mine\.base_url: ends in \S+, which each/);
  });

  it('and all faults at once', () => {
    expect(
      faults(`providers:
  openai:
    api_key: k
    timeout_ms: 0
    colour: red
models:
  m: { alias: [] }
`).map((fault) => fault.split(':').slice(1, 2).join()),
    ).toEqual([
      '4  providers.openai.timeout_ms',
      '5  providers.openai.colour',
      '7  models.m.alias',
    ]);
  });

  it('also where the catalog finds it', () => {
    const config = read(`${HOST}models:
  m:
    endpoints:
      - provider: mine
  n: { alias: [m, gpt-zzz] }
  o.p/q:
    endpoints:
      - { provider: nobody }
`);
    expect(faultsOf(() => composeDirectory(config)).map((fault) => fault.slice(0, 44))).toEqual([
      ':9  models.m.endpoints[0].price: the catalog',
      ':10  models.n.alias[1]: there is no model "g',
      ':13  models.o.p/q.endpoints[0].provider: the',
    ]);
  });

  it('and never with a value: it may be a secret (promise 34)', () => {
    const secrets = [
      `${HOST}    api_keys: ${SECRET}\n`,
      `providers:\n  openai:\n    api_key: { a: ${SECRET} }\n`,
      `providers:\n  openai:\n    api_key: [${SECRET}]\n    timeout_ms: ${SECRET}\n`,
      `providers:\n  openai:\n    base_url: "https:// ${SECRET}"\n`,
      `providers:\n  openai:\n    headers: { "a b": ${SECRET} }\n`,
      `providers:\n  openai:\n    headers: { x-a: "${SECRET}\\n" }\n`,
      `models:\n  m:\n    endpoints: ${SECRET}\n`,
      `a: ]${SECRET}\n`,
      `a: |${SECRET}\n`,
      `%YAML ${SECRET}\n---\n`,
      `a: *${SECRET}\n`,
    ];
    for (const text of secrets) expect(faults(text)).not.toEqual([]);
    expect(faults('providers:\n  openai:\n    timeout_ms: ${K}\n', { K: SECRET })).not.toEqual([]);
    expect(envFaults({ PORT: SECRET, OMNIX_DRAIN_MS: SECRET })).toHaveLength(2);
  });
});

describe('addresses', () => {
  const at = (url: string): string => `providers:\n  vllm:\n    base_url: ${url}\n    api_key: k\n`;

  it.each([
    'http://10.1.2.3/v1',
    'http://192.168.0.5:8000/v1',
    'http://172.20.1.1/v1',
    'http://169.254.169.254/latest',
    'http://[fd00::1]/v1',
    'http://[::ffff:10.0.0.1]/v1',
    'http://0x0a.1.2.3/v1',
    'http://0.0.0.0:8000/v1',
    'http://[::]:8000/v1',
    'http://[::ffff:169.254.169.254]/v1',
  ])('%s is private and needs OMNIX_EGRESS_ALLOW (promise 31)', (url) => {
    expect(faults(at(url))[0]).toMatch(/^:3 {2}providers\.vllm\.base_url: .* is a private address/);
  });

  it('are allowed by address or by network (contract: Starting, OMNIX_EGRESS_ALLOW)', () => {
    const url = at('http://10.1.2.3/v1');
    for (const allow of ['10.1.2.3', '10.0.0.0/8', 'x.test, 10.1.0.0/16']) {
      expect(read(url, { OMNIX_EGRESS_ALLOW: allow }).providers).toHaveLength(2);
    }
    expect(faults(url, { OMNIX_EGRESS_ALLOW: '10.2.0.0/16' })).toHaveLength(1);
  });

  it('in the clothes of IPv6 are allowed as what they are', () => {
    const url = at('http://[::ffff:10.1.2.3]/v1');
    for (const allow of ['10.1.2.3', '10.0.0.0/8', '[::ffff:10.1.2.3]']) {
      expect(read(url, { OMNIX_EGRESS_ALLOW: allow }).providers).toHaveLength(2);
    }
  });

  it.each(['10.0.0.0/99', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0', '::/129', 'a b', '/', 'x/8'])(
    'that cannot be read are refused by name: %s',
    (entry) => {
      expect(envFaults({ OMNIX_EGRESS_ALLOW: `gpu.internal, ,${entry},10.0.0.0/8` })).toEqual([
        'OMNIX_EGRESS_ALLOW: entry 3 is no host, no address and no network such as 10.0.0.0/8',
      ]);
    },
  );

  it("on this machine or by a name are the operator's own business (contract: Starting, loopback)", () => {
    for (const url of ['http://127.0.0.1:8000/v1', 'http://[::1]:8000', 'http://gpu.internal/v1']) {
      expect(read(at(url)).providers).toHaveLength(2);
    }
  });

  it.each(['http://127.0.0.1:9', 'http://localhost:9', 'http://[::1]:9', 'http://a.localhost'])(
    'on this machine are refused where the environment names them: %s (contract: Starting, loopback)',
    (url) => {
      const env = { AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_ENDPOINT: url };
      expect(envFaults(env)[0]).toContain('AZURE_OPENAI_ENDPOINT: ');
      const { hostname } = new URL(url);
      const allow = hostname.replace(/^\[|\]$/g, '');
      expect(read('', { ...env, OMNIX_EGRESS_ALLOW: allow }).providers).toHaveLength(2);
    },
  );
});

describe('arguments', () => {
  it('are refused by name where there are none, and their values are not told', () => {
    expect(() => refuseArguments([])).not.toThrow();
    for (const given of [
      ['--port', SECRET],
      [`--port=${SECRET}`, '-v'],
    ]) {
      expect(() => refuseArguments(given)).toThrow(
        /^There is no option --port here: settings are variables, as in "PORT=9000 npm start"/,
      );
      expect(() => refuseArguments(given)).not.toThrow(SECRET);
    }
    expect(() => refuseArguments([SECRET])).toThrow(/^There are no arguments here: (?!.*canary)/);
  });
});

describe('the start screen', () => {
  const screenOf = (config: Config): string =>
    startScreen({
      config,
      directory: composeDirectory(config),
      owner: { organizationId: 'org_1', created: null, ownerKeyRevoked: false },
      version: '1',
      url: 'http://127.0.0.1:8787',
      startMs: 1,
    });

  it('counts the models of the providers, and not those of the sandbox', () => {
    const models = `${HOST}models:
  m:
    endpoints: [{ provider: mine, price: { input: "1", output: "1" } }]
  also: { alias: [m] }
  tested: { alias: [sandbox/echo] }
`;
    expect(screenOf(read(models))).toContain('Providers  mine (2 models)');
    expect(screenOf(read(''))).toContain('Providers  none yet');
  });

  it('says which provider serves nothing yet', () => {
    const screen = screenOf(read('', { HF_TOKEN: 'k', OPENAI_API_KEY: 'k' }));
    expect(screen).toContain('huggingface serves no model yet: name its models in omnix.yaml.');
    expect(screen).not.toContain('openai serves no model');
  });
});
