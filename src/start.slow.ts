/**
 * The start of the real program, as an operator meets it: what is wrong is one clear message and
 * exit code 1, whatever was started by then is stopped, and a wish to stop is obeyed at any moment.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { generateKey } from '#identity/api-key.ts';
import { isAlive, type PostmasterFile, readPostmasterFile } from '#store/embedded-process.node.ts';
import { sseReply, streamEvents, writes } from '#testing/fake-upstream-replies.ts';
import { refusedPort, startFakeUpstream, untilTrue } from '#testing/fake-upstream.ts';
import { createTestDatabase } from '#testing/postgres.ts';
import { objectOf, type JsonObject } from '#testing/recordings-json.ts';
import {
  startServer,
  type ApiAnswer,
  type ServerOptions,
  type TestServer,
} from '#testing/server.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const STACK = /^\s+at .+:\d+:\d+\)?$/m;
const WAIT_MS = 60_000;

const home = mkdtempSync(join(tmpdir(), 'omnix-start-'));
// Postgres runs as another user where the tests run as root, and must reach its directory.
chmodSync(home, 0o755);
const configPath = join(home, 'omnix.json');
writeFileSync(configPath, '{}');
afterAll(() => rmSync(home, { recursive: true, force: true }));

let directories = 0;
function freshDirectory(): string {
  directories += 1;
  return join(home, `data-${directories}`);
}

/** Gone when the test ends, however it ends. */
async function serve(options: ServerOptions = {}): Promise<TestServer> {
  const server = await startServer(options);
  onTestFinished(() => server.dispose());
  return server;
}

interface Program {
  readonly child: ChildProcess;
  output(): string;
  /** The exit code, as soon as it is there. */
  ended(): Promise<number | null>;
}

/** Namespaces of its own, as a container has, where this machine lets us. */
const CONTAINER = ['unshare', '-n', '-i', '-m', '-p', '-f', '--mount-proc', '--kill-child'];
const CAN_UNSHARE = spawnSync('unshare', [...CONTAINER.slice(1), 'true']).status === 0;

async function run(
  env: Readonly<Record<string, string>>,
  container: readonly string[] = [],
): Promise<Program> {
  const output: string[] = [];
  const [program, ...rest] = [...container, process.execPath, 'src/node.ts'];
  const child = spawn(program, rest, {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'] ?? '',
      PORT: String(await refusedPort()),
      OMNIX_CONFIG: configPath,
      OMNIX_DATA_DIR: freshDirectory(),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  onTestFinished(() => void child.kill('SIGTERM'));
  child.stdout?.on('data', (piece: Buffer) => output.push(piece.toString('utf8')));
  child.stderr?.on('data', (piece: Buffer) => output.push(piece.toString('utf8')));
  return {
    child,
    output: () => output.join(''),
    ended: async () => {
      await closed;
      return child.exitCode;
    },
  };
}

/** The whole refusal; fails where the program did not refuse, or told where in the code it did. */
async function refusalOf(
  env: Readonly<Record<string, string>>,
  container: readonly string[] = [],
): Promise<string> {
  const program = await run(env, container);
  expect(await program.ended(), program.output()).toBe(1);
  expect(program.output()).toMatch(/^OmniX cannot start\.\n/m);
  expect(program.output()).not.toMatch(STACK);
  return program.output();
}

function postmasterOf(dataDir: string): PostmasterFile | null {
  return readPostmasterFile(join(dataDir, 'postgres', 'data'));
}

function postgresRuns(dataDir: string): boolean {
  const file = postmasterOf(dataDir);
  return file !== null && isAlive(file.pid);
}

describe('a start that is refused', () => {
  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'a data directory that nobody can make',
      { OMNIX_DATA_DIR: '/proc/omnix' },
      /The data directory \/proc\/omnix cannot be used .*Set OMNIX_DATA_DIR/,
    ],
    [
      'a file where the data directory would be',
      { OMNIX_DATA_DIR: join(configPath, 'data') },
      /The data directory \S+ cannot be used .*Set OMNIX_DATA_DIR/,
    ],
    [
      'an owner key of another kind',
      { OMNIX_OWNER_KEY: generateKey('live') },
      /OMNIX_OWNER_KEY: expected a management key .*the key is of another kind/,
    ],
    [
      'an address that this machine does not have',
      { HOST: '192.0.2.1' },
      /cannot listen on 192\.0\.2\.1, port \d+: .*Set HOST/,
    ],
    [
      'a database that is not there',
      { DATABASE_URL: 'postgres://u:canary@127.0.0.1:1/x', OMNIX_SECRET: 'x'.repeat(16) },
      /The database cannot be used: nothing listens .* Check DATABASE_URL\./,
    ],
  ])('says what to do: %s', async (_case, env, words) => {
    const refusal = await refusalOf(env);
    expect(refusal).toMatch(words);
    expect(refusal).not.toContain('canary');
  });

  it('names PORT where another program listens, and starts nothing (contract: Starting, PORT and HOST)', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const dataDir = freshDirectory();
    const refusal = await refusalOf({ PORT: String(port), OMNIX_DATA_DIR: dataDir });
    other.close();
    expect(refusal).toMatch(/another program listens there\. Stop it, or set PORT/);
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
  });

  it('stops the Postgres that it had started', async () => {
    const server = await serve();
    await server.terminate();
    writeFileSync(join(server.dataDir, 'owner'), 'damaged\n');
    const refusal = await refusalOf({ OMNIX_DATA_DIR: server.dataDir });
    expect(refusal).toMatch(/owner does not hold an owner's id/);
    expect(postgresRuns(server.dataDir)).toBe(false);
  });

  it('leaves the data directory to the process that owns it (contract: Starting, second start)', async () => {
    const server = await serve();
    const refusal = await refusalOf({ OMNIX_DATA_DIR: server.dataDir });
    expect(refusal).toContain(`is in use by the process ${server.pid()}`);
    expect(refusal).toMatch(/Stop that one first, or set OMNIX_DATA_DIR/);
    const ready = await server.call('/ready');
    expect(ready.status).toBe(200);
  });

  it.runIf(CAN_UNSHARE)(
    'leaves the data directory to the process that owns it in another container (contract: Starting, second start)',
    async () => {
      const server = await serve();
      const journal = readdirSync(join(server.dataDir, 'journal'));
      const pidFile = join(server.dataDir, 'postgres', 'data', 'postmaster.pid');
      const postmaster = readFileSync(pidFile, 'utf8');
      const refusal = await refusalOf({ OMNIX_DATA_DIR: server.dataDir }, CONTAINER);
      expect(refusal).toContain(`is in use by the process ${server.pid()}`);
      expect(readdirSync(join(server.dataDir, 'journal'))).toEqual(journal);
      expect(readFileSync(pidFile, 'utf8')).toBe(postmaster);
      const { key } = await server.createKey({ mode: 'test' });
      const answered = await askSandbox(server, key);
      expect(answered.status, answered.text).toBe(200);
      await server.kill9();
      await server.restart();
      await server.receipt(answered.headers.get('x-generation-id') ?? '');
    },
  );
});

async function askSandbox(server: TestServer, key: string): Promise<ApiAnswer> {
  const messages = [{ role: 'user', content: 'hello' }];
  return server.call('/v1/chat/completions', { key, body: { model: 'sandbox/echo', messages } });
}

describe('a database that ends while it serves', () => {
  const statusOf = async (server: TestServer): Promise<number> =>
    (await server.call('/ready')).status;

  it('is started again, and what was answered before is posted', async () => {
    const server = await serve();
    const { key } = await server.createKey({ mode: 'test' });
    const answered = await askSandbox(server, key);
    process.kill(postmasterOf(server.dataDir)?.pid ?? 0, 'SIGKILL');
    await expect.poll(async () => (await askSandbox(server, key)).status).toBe(200);
    await untilTrue('it is back', () => server.output().includes('_restarted'), WAIT_MS);
    await expect.poll(async () => (await server.call('/v1/credits')).status).toBe(200);
    await server.receipt(answered.headers.get('x-generation-id') ?? '');
    expect(await server.terminate()).toBe(0);
    expect(postgresRuns(server.dataDir)).toBe(false);
  });

  it('is said by /ready while it cannot be: what needs none is served, and then it is well again (promise 23; contract: Starting, GET /health; GET /ready)', async () => {
    const server = await serve();
    const { key } = await server.createKey({ mode: 'test' });
    expect((await askSandbox(server, key)).status).toBe(200);
    const control = join(server.dataDir, 'postgres', 'data', 'global', 'pg_control');
    renameSync(control, `${control}.away`);
    process.kill(postmasterOf(server.dataDir)?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => statusOf(server), { timeout: WAIT_MS }).toBe(503);
    const ready = await server.call('/ready');
    expect(ready.json).toEqual({
      status: 'not_ready',
      reason: 'the database cannot be reached',
    });
    expect(ready.headers.get('retry-after')).toBe('1');
    expect((await server.call('/health')).status).toBe(200);
    expect((await server.call('/v1/models', { key })).status).toBe(200);
    expect((await server.call('/v1/credits')).status).toBe(503);
    renameSync(`${control}.away`, control);
    await expect.poll(() => statusOf(server), { timeout: WAIT_MS }).toBe(200);
    expect((await askSandbox(server, key)).status).toBe(200);
    expect(await server.terminate()).toBe(0);
  });
});

describe('a process that is told to stop', () => {
  it('while it makes its database ends well, and the next start does too', async () => {
    const dataDir = freshDirectory();
    const program = await run({ OMNIX_DATA_DIR: dataDir });
    await untilTrue('initdb runs', () => existsSync(join(dataDir, 'postgres')), WAIT_MS);
    program.child.kill('SIGTERM');
    expect(await program.ended(), program.output()).toBe(0);
    expect(program.output()).toMatch(/told to stop before it was ready/);
    expect(postgresRuns(dataDir)).toBe(false);
    const server = await serve({ dataDir });
    expect((await server.call('/ready')).status).toBe(200);
  });

  it('while it waits for the data directory ends well', async () => {
    const server = await serve();
    const program = await run({ OMNIX_DATA_DIR: server.dataDir });
    await untilTrue('it waits', () => program.output().includes('Waiting for'), WAIT_MS);
    program.child.kill('SIGTERM');
    expect(await program.ended(), program.output()).toBe(0);
    expect((await server.call('/ready')).status).toBe(200);
  });

  it('says so on /ready to connections that are open', async () => {
    const server = await serve();
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    // A whole request first: then the server surely has read the half one that is sent with it.
    socket.write('GET /ready HTTP/1.1\r\nhost: x\r\n\r\nGET /ready HTTP/1.1\r\nhost: x\r\n');
    let answers = '';
    socket.on('data', (piece: Buffer) => (answers += piece.toString('utf8')));
    await untilTrue('the first answer', () => answers.includes('"ready"'), WAIT_MS);
    const ended = server.terminate();
    await untilTrue('it drains', () => server.output().includes('"draining"'), WAIT_MS);
    socket.write('\r\n');
    await once(socket, 'close');
    expect(answers).toMatch(/^HTTP\/1\.1 200 /);
    expect(answers).toMatch(/HTTP\/1\.1 503 [^]*"reason":"draining"/);
    expect(await ended).toBe(0);
  });
});

describe('a database of the operator', () => {
  it('keeps owner, keys and receipts over a restart (contract: Starting, DATABASE_URL; Answers, receipt in time)', async () => {
    const { url, drop } = await createTestDatabase();
    onTestFinished(drop);
    const server = await serve({
      env: { DATABASE_URL: url, OMNIX_SECRET: 'a secret of sixteen and more' },
    });
    const [testKey = ''] = /sk-omx-test-\w+/.exec(server.output()) ?? [];
    const ask = () =>
      server.call('/v1/chat/completions', {
        key: testKey,
        body: { model: 'sandbox/echo', messages: [{ role: 'user', content: 'hello' }] },
      });
    const first = await ask();
    expect(first.status, first.text).toBe(200);
    expect(existsSync(join(server.dataDir, 'postgres'))).toBe(false);
    expect(await server.terminate()).toBe(0);
    await server.restart();
    expect((await ask()).status).toBe(200);
    const receipt = await server.receipt(first.headers.get('x-generation-id') ?? '');
    expect(receipt['model']).toBe('sandbox/echo');
  });
});

/** An address of this machine that is not its loopback. */
function outerAddress(): string | null {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? null;
}

interface Watched {
  readonly child: ChildProcess;
  readonly port: number;
  /** Standard output until now. Written at once, since it is a file. */
  printed(): string;
  /** SIGTERM, then waits. */
  stop(): Promise<void>;
}

let outputs = 0;
async function runToFile(dataDir: string): Promise<Watched> {
  outputs += 1;
  const path = join(home, `output-${outputs}`);
  const port = await refusedPort();
  const child = spawn(process.execPath, ['src/node.ts'], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'] ?? '',
      PORT: String(port),
      HOST: '0.0.0.0',
      OMNIX_CONFIG: configPath,
      OMNIX_DATA_DIR: dataDir,
    },
    stdio: ['ignore', openSync(path, 'w'), 'ignore'],
  });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  onTestFinished(stop);
  return { child, port, stop, printed: () => readFileSync(path, 'utf8') };
}

async function askFor(url: string): Promise<{ status: number; json: JsonObject } | null> {
  const response = await fetch(url).catch(() => null);
  if (response === null) return null;
  return { status: response.status, json: objectOf(await response.json()) };
}

/** Every different answer of /health and /ready until the latter is 200. */
async function watchStart({
  child,
  port,
}: Watched): Promise<readonly (readonly [string, JsonObject])[]> {
  const seen = new Map<string, readonly [string, JsonObject]>();
  const origin = `http://127.0.0.1:${port}`;
  for (let isReady = false; !isReady;) {
    if (child.exitCode !== null) throw new Error(`it exited: ${child.exitCode}`);
    for (const path of ['/health', '/ready']) {
      const answer = await askFor(origin + path);
      if (answer === null) continue;
      const name = `${path} ${answer.status}`;
      seen.set(`${name} ${JSON.stringify(answer.json)}`, [name, answer.json]);
      isReady = name === '/ready 200';
    }
  }
  return [...seen.values()];
}

describe('the first start', () => {
  it('is healthy before it is ready, and prints its keys before that (contract: Starting, GET /health; GET /ready; keys before ready; random owner key; embedded database; OMNIX_DATA_DIR; generated secret)', async () => {
    const dataDir = freshDirectory();
    const first = await runToFile(dataDir);
    const seen = await watchStart(first);
    const screen = first.printed();
    const { pid } = first.child;
    const health = seen.filter(([name]) => name.startsWith('/health'));
    expect(health).toEqual([['/health 200', { status: 'ok', version: expect.any(String), pid }]]);
    const ready = seen.filter(([name]) => name.startsWith('/ready'));
    expect(ready).toContainEqual([
      '/ready 503',
      { status: 'not_ready', reason: 'starting the database' },
    ]);
    expect(screen.match(/sk-omx-mgmt-\w+/g)?.length).toBeGreaterThan(0);
    expect(existsSync(join(dataDir, 'postgres'))).toBe(true);
    expect(statSync(join(dataDir, 'secret')).mode & 0o777).toBe(0o600);
    await first.stop();
    const second = await runToFile(dataDir);
    await watchStart(second);
    expect(second.printed()).toMatch(/is ready in/);
    expect(second.printed()).not.toContain('sk-omx-');
  });

  const outer = outerAddress();
  it.runIf(outer !== null)(
    'tells its pid to this machine alone (contract: Starting, pid)',
    async () => {
      const server = await runToFile(freshDirectory());
      await watchStart(server);
      const here = await askFor(`http://127.0.0.1:${server.port}/health`);
      expect(here?.json['pid']).toBe(server.child.pid);
      const there = await askFor(`http://${outer}:${server.port}/health`);
      expect(there?.json).toEqual({ status: 'ok', version: expect.any(String) });
    },
  );

  it('prints a request that answers at once without any provider (contract: Starting, first request)', async () => {
    const server = await runToFile(freshDirectory());
    await watchStart(server);
    const printed = server.printed().replaceAll(/\\\n\s*/g, '');
    const [, url = '', key = '', body = ''] =
      /curl (\S+\/chat\/completions) -H "Authorization: Bearer (sk-omx-test-\w+)".* -d '(.*)'/.exec(
        printed,
      ) ?? [];
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body,
    });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ model: 'sandbox/echo' });
    expect(text).toContain('Hello OmniX');
  });
});

/** A server with a model whose stream stops in the middle until it is told to go on. */
async function serveStream(type: string, env: Readonly<Record<string, string>> = {}) {
  const goOn = Promise.withResolvers<void>();
  const fake = await startFakeUpstream();
  onTestFinished(() => fake.close());
  fake.on('/a', () =>
    sseReply(streamEvents().slice(0, 3), [
      { do: 'until', gate: goOn.promise },
      ...writes(streamEvents().slice(3)),
      { do: 'end' },
    ]),
  );
  const price = { input: '1', output: '2' };
  const server = await serve({
    env,
    config: {
      providers: { a: { type, base_url: `${fake.origin}/a`, api_key: 'k' } },
      models: { m: { endpoints: [{ provider: 'a', model: 'm', price }] } },
    },
  });
  await server.grant('5');
  const { key } = await server.createKey();
  const ask = () =>
    fetch(`${server.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'm',
        stream: true,
        max_tokens: 100,
        messages: [{ role: 'user', content: 'hello' }],
      }),
    });
  return { server, ask, goOn };
}

describe('a process that drains', () => {
  it('ends its streams, takes no request, settles and exits 0 (contract: Starting, drain; settled at the end; Answers, cancelled and streamed)', async () => {
    const { server, ask, goOn } = await serveStream('openai-compatible');
    const running = await ask();
    const ended = server.terminate();
    await untilTrue('it drains', () => server.output().includes('"draining"'), WAIT_MS);
    const refused = await ask().then(
      ({ status }) => status,
      () => 503,
    );
    expect(refused).toBe(503);
    goOn.resolve();
    expect(await running.text()).toMatch(/data: \[DONE\]\n\n$/);
    expect(await ended).toBe(0);
    await server.restart();
    const receipt = await server.receipt(running.headers.get('x-generation-id') ?? '');
    const { held, total_usage: used } = await server.credits();
    expect(receipt).toMatchObject({ outcome: 'completed', total_cost: used });
    expect(used).toBeGreaterThan(0);
    expect(held).toBe(0);
  });

  it.each([
    ['that stops when it is left', 'openai'],
    ['that bills on, and would be heard out for half a minute', 'openai-compatible'],
  ])(
    'cuts off what takes longer than OMNIX_DRAIN_MS at a host %s, and settles it (contract: Starting, OMNIX_DRAIN_MS)',
    async (_name, type) => {
      const { server, ask } = await serveStream(type, { OMNIX_DRAIN_MS: '300' });
      const running = await ask();
      const ended = server.terminate();
      const text = await running.text().catch(() => 'cut off');
      expect(text).not.toContain('[DONE]');
      expect(await ended).toBe(0);
      await server.restart();
      const receipt = await server.receipt(running.headers.get('x-generation-id') ?? '');
      expect(receipt).toMatchObject({ cancelled: true });
      expect((await server.credits()).held).toBe(0);
    },
  );
});
