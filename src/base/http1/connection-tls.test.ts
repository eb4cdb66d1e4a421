/** TLS: whom it trusts, what it says of itself, and that it goes on from the last session. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from '#testing/tls-certificate.ts';
import { NodeTransport } from '../transport.node.ts';

const CHILD = fileURLToPath(new URL('../../testing/tls-child.ts', import.meta.url));
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

const LAST = OK.replace('\r\n', '\r\nconnection: close\r\n');

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port }: Partial<AddressInfo> = Object(server.address());
  return port ?? 0;
}

interface Handshake {
  readonly protocol: string | false | null;
  readonly servername: unknown;
  readonly resumed: boolean;
  requests: number;
}

async function startTls(): Promise<{ readonly port: number; readonly seen: Handshake[] }> {
  const seen: Handshake[] = [];
  const options = { key: TEST_TLS_KEY, cert: TEST_TLS_CERTIFICATE, ALPNProtocols: ['http/1.1'] };
  const server = createServer(options, (socket: TLSSocket) => {
    const handshake: Handshake = {
      protocol: socket.alpnProtocol,
      servername: Reflect.get(socket, 'servername'),
      resumed: socket.isSessionReused(),
      requests: 0,
    };
    seen.push(handshake);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      if (!bytes.toString().endsWith('hello')) return;
      handshake.requests += 1;
      socket.write(handshake.requests === 2 ? LAST : OK);
    });
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return { port: await listen(server), seen };
}

/** What a process that trusts our certificate hears. */
async function askTrusting(url: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'omnix-tls-'));
  const path = join(directory, 'certificate.pem');
  await writeFile(path, TEST_TLS_CERTIFICATE);
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: path };
  const child = spawn(process.execPath, [CHILD, url], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  await once(child, 'close');
  await rm(directory, { recursive: true });
  return said;
}

async function ask(url: string, connectTimeoutMs = 5_000): Promise<string> {
  const transport = new NodeTransport({ connectTimeoutMs, connectionsMax: 4 });
  const { promise, resolve } = Promise.withResolvers<string>();
  transport.send(
    { method: 'GET', url, headers: [], body: null },
    {
      onHead: () => undefined,
      onData: () => undefined,
      onEnd: () => resolve('end'),
      onFail: ({ kind }) => resolve(kind),
    },
  );
  const outcome = await promise;
  await transport.close();
  return outcome;
}

describe('works', () => {
  it('trusts what NODE_EXTRA_CA_CERTS names, reuses its connection and resumes its session', async () => {
    const { port, seen } = await startTls();
    expect(await askTrusting(`https://localhost:${port}/`)).toBe('200 200 200 200');
    // The server lets each connection carry two.
    expect(seen.map(({ requests }) => requests)).toEqual([2, 2]);
    expect(seen.map(({ resumed }) => resumed)).toEqual([false, true]);
    expect(seen[0]).toMatchObject({ protocol: 'http/1.1', servername: 'localhost' });
  });

  it('names no server where the address is a number, and checks the number', async () => {
    const { port, seen } = await startTls();
    expect(await askTrusting(`https://127.0.0.1:${port}/`)).toBe('200 200 200 200');
    expect(seen[0]?.servername).toBe(false);
  });
});

describe('refuses', () => {
  it('a certificate that nobody vouches for, and sends it nothing', async () => {
    const { port, seen } = await startTls();
    expect(await ask(`https://localhost:${port}/`)).toBe('tls');
    expect(seen.every(({ requests }) => requests === 0)).toBe(true);
  });

  it('a server that speaks no TLS', async () => {
    const port = await listen(createTcpServer((socket) => void socket.resume().end(OK)));
    expect(await ask(`https://127.0.0.1:${port}/`)).toBe('tls');
  });

  it('a server that does not shake hands in time', async () => {
    const port = await listen(createTcpServer((socket) => void socket.resume()));
    expect(await ask(`https://127.0.0.1:${port}/`, 100)).toBe('connect_timeout');
  });
});
