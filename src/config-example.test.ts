/**
 * The config file as an operator copies it from the contract, and the environment as he has it
 * already: what both give without a word more.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { listOf } from '#testing/recordings-json.ts';
import { composeDirectory } from './compose-shared.ts';
import { ConfigRefused, readConfig, type Config } from './config.ts';

const CONFIG_MODULE = fileURLToPath(new URL('config.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'omnix-example-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const EXAMPLE = `providers:
  openai-eu:
    type: openai
    base_url: http://127.0.0.1:9001/v1
    api_key: \${OPENAI_API_KEY}
    region: eu-west
models:
  gpt-4o-mini:
    endpoints:
      - { provider: openai-eu, model: gpt-4o-mini, price: { input: "0.15", output: "0.60", cache_read: "0.075" } }
      - { provider: azure-eastus2, model: my-deployment }
  fast: { alias: [gpt-4o-mini, claude-haiku-4-5] }
`;
/** The example names it and leaves it to its reader. */
const AZURE = `  azure-eastus2:
    type: azure-openai
    base_url: https://mine.openai.azure.com
    api_key: k2
`;

/** A chat at a host whose price the catalog does not know. */
const priced = (price: string): string => `providers:
  vllm: { base_url: "http://127.0.0.1:9/v1" }
models:
  mine:
    endpoints:
      - { provider: vllm, price: ${price} }
`;

let files = 0;
function read(text: string, env: Readonly<Record<string, string>> = {}): Config {
  files += 1;
  const path = join(directory, `${files}.yaml`);
  writeFileSync(path, text);
  return readConfig({ OMNIX_CONFIG: path, ...env });
}

describe('the example of the contract', () => {
  it('is taken as it stands (contract: Config file, provider names; provider types; base_url; endpoints; price of the catalog; public ids)', () => {
    const text = EXAMPLE.replace('models:\n', `${AZURE}models:\n`);
    const config = read(text, { OPENAI_API_KEY: 'k1' });
    const models = composeDirectory(config);
    const [mini] = models.resolve('gpt-4o-mini');
    const tokens = { openai: 'openai-eu/gpt-4o-mini', azure: 'azure-eastus2/my-deployment' };
    expect(mini?.endpoints).toMatchObject([
      {
        id: tokens.openai,
        secret: 'k1',
        target: { baseUrl: 'http://127.0.0.1:9001/v1', model: 'gpt-4o-mini', region: 'eu-west' },
        price: { sheet: { list: { input: '0.15', output: '0.60', cache_read: '0.075' } } },
      },
      {
        id: tokens.azure,
        secret: 'k2',
        price: { sheet: { list: { input: expect.any(String), output: expect.any(String) } } },
      },
    ]);
    expect(models.resolve('fast').map(({ id }) => id)).toEqual(['gpt-4o-mini', 'claude-haiku-4-5']);
    // No entry, and served by what is configured.
    expect(models.resolve('gpt-4o')[0]?.endpoints[0]?.providerName).toBe('openai-eu');
  });

  it('prices every bucket and unit that it names (contract: Config file, prices; prices per unit)', () => {
    const buckets = [
      ['input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'reasoning'],
      ['audio_input', 'audio_output', 'image_input', 'image_output'],
      ['image', 'second', 'character', 'request'],
    ].flat();
    const list = Object.fromEntries(buckets.map((bucket, index) => [bucket, `0.${index + 1}`]));
    const models = composeDirectory(read(priced(JSON.stringify(list))));
    expect(models.resolve('mine')[0]?.endpoints[0]?.price.sheet.list).toEqual(list);
  });

  it('lets an endpoint have no capabilities of its own yet (contract: Config file, capabilities of an endpoint)', () => {
    const text = priced('{ input: "1", output: "1" }, capabilities: [tools]');
    expect(() => read(text)).toThrow(ConfigRefused);
    expect(() => read(text)).toThrow(
      /models\.mine\.endpoints\[0\]\.capabilities: is not available yet; leave it out/,
    );
  });
});

const SCRIPT = `
  import { readConfig } from ${JSON.stringify(CONFIG_MODULE)};
  const { configPath, models, notices, providers } = readConfig(JSON.parse(process.argv[1]));
  const secrets = Object.fromEntries(providers.map(({ name, secrets: [first] }) => [name, first]));
  console.log(JSON.stringify([configPath, models.map(({ id }) => id), secrets, notices]));`;

/** The config's path, its models, each provider's secret, and notices, for a start in `cwd`. */
function readIn(cwd: string, env: Readonly<Record<string, string>> = {}): readonly unknown[] {
  const args = ['--input-type=module', '-e', SCRIPT, JSON.stringify(env)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return listOf(JSON.parse(stdout));
}

describe('without a config file', () => {
  it('each provider is on by the usual name of its key (contract: Starting, provider credentials; without a config file)', () => {
    const [configPath, , secrets] = readIn(mkdtempSync(join(directory, 'empty-')), {
      OPENAI_API_KEY: 'k1',
      ANTHROPIC_API_KEY: 'k2',
      GEMINI_API_KEY: 'k3',
      GROQ_API_KEY: 'k4',
      AZURE_OPENAI_API_KEY: 'k5',
      AZURE_OPENAI_ENDPOINT: 'https://mine.openai.azure.com',
    });
    expect(configPath).toBeNull();
    expect(secrets).toEqual({
      sandbox: '',
      openai: 'k1',
      anthropic: 'k2',
      gemini: 'k3',
      groq: 'k4',
      'azure-openai': 'k5',
    });
  });

  it('omnix.yaml is read where the program starts, if it is there (contract: Starting, omnix.yaml)', () => {
    const home = mkdtempSync(join(directory, 'home-'));
    expect(readIn(home).slice(0, 2)).toEqual([null, []]);
    writeFileSync(join(home, 'omnix.yaml'), 'models:\n  quick: { alias: [gpt-4o] }\n');
    expect(readIn(home).slice(0, 2)).toEqual(['omnix.yaml', ['quick']]);
  });

  it.each(['omnix.yml', 'omnix.json'])('%s is not read, which is said', (name) => {
    const home = mkdtempSync(join(directory, 'misnamed-'));
    writeFileSync(join(home, name), '{}');
    const notice = `${name} is not read: name it omnix.yaml, or set OMNIX_CONFIG=${name}.`;
    expect(readIn(home)).toEqual([null, [], { sandbox: '' }, [notice]]);
    expect(readIn(home, { OMNIX_CONFIG: name })).toEqual([name, [], { sandbox: '' }, []]);
    writeFileSync(join(home, 'omnix.yaml'), '{}');
    expect(readIn(home)).toEqual(['omnix.yaml', [], { sandbox: '' }, []]);
  });
});
