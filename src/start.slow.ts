/**
 * The start of the real program, as an operator meets it: what is wrong is one clear message and
 * exit code 1, whatever was started by then is stopped, and a wish to stop is obeyed at any moment.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { generateKey } from '#identity/api-key.ts';
import { isAlive, readPostmasterFile } from '#store/embedded-process.node.ts';
import { refusedPort, untilTrue } from '#testing/fake-upstream.ts';
import { createTestDatabase } from '#testing/postgres.ts';
import { startServer, type ServerOptions, type TestServer } from '#testing/server.ts';

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

async function run(env: Readonly<Record<string, string>>): Promise<Program> {
  const output: string[] = [];
  const child = spawn(process.execPath, ['src/node.ts'], {
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
async function refusalOf(env: Readonly<Record<string, string>>): Promise<string> {
  const program = await run(env);
  expect(await program.ended(), program.output()).toBe(1);
  expect(program.output()).toMatch(/^OmniX cannot start\.\n/m);
  expect(program.output()).not.toMatch(STACK);
  return program.output();
}

function postgresRuns(dataDir: string): boolean {
  const file = readPostmasterFile(join(dataDir, 'postgres', 'data'));
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

  it('names PORT where another program listens, and starts nothing', async () => {
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

  it('leaves the data directory to the process that owns it', async () => {
    const server = await serve();
    const refusal = await refusalOf({ OMNIX_DATA_DIR: server.dataDir });
    expect(refusal).toContain(`is in use by the process ${server.pid()}`);
    expect(refusal).toMatch(/Stop that one first, or set OMNIX_DATA_DIR/);
    const ready = await server.call('/ready');
    expect(ready.status).toBe(200);
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
  it('keeps owner, keys and receipts over a restart', async () => {
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
