/**
 * Both ways to an upstream keep the same promises to the gateway: our own client over Node's
 * sockets, and fetch as Workers, Bun and Deno have it.
 */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  refusedPort,
  startFakeUpstream,
  untilTrue,
  type FakeUpstream,
  type Step,
} from '#testing/fake-upstream.ts';
import { NodeTransport } from './transport.node.ts';
import { WebTransport } from './transport.web.ts';
import type { Transport, TransportFailure, UpstreamHeaders, UpstreamRequest } from './transport.ts';

const VARIANTS = [
  {
    name: 'sockets',
    open: () => new NodeTransport({ connectTimeoutMs: 2_000, connectionsMax: 64 }),
  },
  { name: 'fetch', open: () => new WebTransport() },
];

/** What a handler was told, in order. */
class Heard {
  readonly calls: string[] = [];
  status = 0;
  headers: UpstreamHeaders = {};
  readonly parts: Uint8Array[] = [];
  failure: TransportFailure | null = null;
  readonly over: Promise<void>;
  #over: () => void = () => undefined;
  onPart: () => void = () => undefined;

  constructor() {
    this.over = new Promise((resolve) => {
      this.#over = resolve;
    });
  }

  get text(): string {
    return Buffer.concat(this.parts).toString();
  }

  onHead(status: number, headers: UpstreamHeaders): void {
    this.calls.push('head');
    this.status = status;
    this.headers = headers;
  }

  onData(bytes: Uint8Array): void {
    if (this.calls.at(-1) !== 'data') this.calls.push('data');
    this.parts.push(bytes);
    this.onPart();
  }

  onEnd(): void {
    this.calls.push('end');
    this.#over();
  }

  onFail(failure: TransportFailure): void {
    this.calls.push('fail');
    this.failure = failure;
    this.#over();
  }
}

/** So many looks in a row, 5 ms apart, at which nothing more was sent. */
const STILL_LOOKS = 40;

let fake: FakeUpstream;
beforeAll(async () => {
  fake = await startFakeUpstream();
});
afterEach(() => fake.forget());
afterAll(() => fake.close());

const head = (status = 200, headers: readonly (readonly [string, string])[] = []): Step => {
  return { do: 'head', status, headers };
};
const write = (bytes: string | Uint8Array): Step => ({ do: 'write', bytes });

function post(path: string, body = '{}'): UpstreamRequest {
  const headers = ['content-type', 'application/json', 'authorization', 'Bearer up'];
  return { method: 'POST', url: fake.origin + path, headers, body: Buffer.from(body) };
}

describe.each(VARIANTS)('a transport by $name', ({ open }) => {
  let transport: Transport;
  beforeAll(() => {
    transport = open();
  });
  afterAll(() => transport.close());

  async function ask(request: UpstreamRequest): Promise<Heard> {
    const heard = new Heard();
    transport.send(request, heard);
    await heard.over;
    return heard;
  }

  it('sends what it was given and pushes head, data and end', async () => {
    fake.on('/well', () => [head(201, [['x-a', '1']]), write('hel'), write('lo'), { do: 'end' }]);
    const heard = await ask(post('/well?q=%2F', '{"a":"ö"}'));
    expect(heard.calls).toEqual(['head', 'data', 'end']);
    expect([heard.status, heard.headers['x-a'], heard.text]).toEqual([201, '1', 'hello']);
    const [received] = fake.received;
    expect(received?.method).toBe('POST');
    expect(received?.path).toBe('/well?q=%2F');
    expect(received?.body.toString()).toBe('{"a":"ö"}');
    expect(received?.headers.get('content-type')).toBe('application/json');
    expect(received?.headers.get('authorization')).toBe('Bearer up');
    expect(received?.headers.get('content-length')).toBe('10');
  });

  it('sends no body where there is none', async () => {
    fake.on('/get', () => [head(204), { do: 'end' }]);
    const url = `${fake.origin}/get`;
    const heard = await ask({ method: 'GET', url, headers: [], body: null });
    expect(heard.calls).toEqual(['head', 'end']);
    expect(fake.received[0]?.method).toBe('GET');
  });

  it('follows no redirect (promise 31)', async () => {
    fake.on('/moved', () => [head(302, [['location', '/elsewhere']]), { do: 'end' }]);
    fake.on('/elsewhere', () => [head(200), { do: 'end' }]);
    const heard = await ask(post('/moved'));
    expect([heard.status, heard.headers['location']]).toEqual([302, '/elsewhere']);
    expect(fake.at('/elsewhere')).toHaveLength(0);
  });

  it('says of an encoded answer that it is one', async () => {
    const bytes = gzipSync('{"a":1}');
    fake.on('/gzip', () => [
      head(200, [['content-encoding', 'gzip']]),
      write(bytes),
      { do: 'end' },
    ]);
    expect((await ask(post('/gzip'))).headers['content-encoding']).toBe('gzip');
  });

  it('pushes bytes as they come, before the answer ends', async () => {
    const gate = Promise.withResolvers<void>();
    fake.on('/slow', () => [
      head(),
      write('one'),
      { do: 'until', gate: gate.promise },
      write('two'),
      { do: 'end' },
    ]);
    const heard = new Heard();
    const first = new Promise<void>((resolve) => {
      heard.onPart = resolve;
    });
    transport.send(post('/slow'), heard);
    await first;
    expect(heard.text).toBe('one');
    gate.resolve();
    await heard.over;
    expect(heard.text).toBe('onetwo');
  });

  it('stops reading while it is paused, and the upstream feels it (promise 20)', async () => {
    const piece = new Uint8Array(1024 * 1024);
    const pieces = 64;
    fake.on('/large', () => [
      head(),
      ...Array.from({ length: pieces }, () => write(piece)),
      { do: 'end' },
    ]);
    const heard = new Heard();
    const paused = new Promise<void>((resolve) => {
      heard.onPart = () => {
        exchange.pause();
        resolve();
      };
    });
    const exchange = transport.send(post('/large'), heard);
    await paused;
    const looks: number[] = [];
    await untilTrue('the upstream to stand still', () => {
      looks.push(fake.received[0]?.bytesWritten ?? 0);
      const last = looks.slice(-STILL_LOOKS);
      return looks.length >= STILL_LOOKS && new Set(last).size === 1 && last[0] !== 0;
    });
    expect(fake.received[0]?.finished).toBe(false);
    expect(heard.calls).toEqual(['head', 'data']);
    heard.onPart = () => undefined;
    exchange.resume();
    await heard.over;
    const bytes = heard.parts.reduce((sum, part) => sum + part.length, 0);
    expect([heard.calls.at(-1), bytes]).toEqual(['end', pieces * piece.length]);
  });

  it('is gone for the upstream when it aborts, and says nothing more', async () => {
    fake.on('/hang', () => [head(), write('one'), { do: 'hang' }]);
    const heard = new Heard();
    const first = new Promise<void>((resolve) => {
      heard.onPart = resolve;
    });
    const exchange = transport.send(post('/hang'), heard);
    await first;
    exchange.abort();
    exchange.resume();
    await fake.until('the upstream to see it', () => fake.received[0]?.aborted !== null);
    expect(heard.calls).toEqual(['head', 'data']);
  });

  it('aborts also while it is paused, and before the head', async () => {
    fake.on('/never', () => [{ do: 'hang' }]);
    const heard = new Heard();
    const exchange = transport.send(post('/never'), heard);
    await fake.until('the request', () => fake.received.length === 1);
    exchange.pause();
    exchange.abort();
    await fake.until('the upstream to see it', () => fake.received[0]?.aborted !== null);
    expect(heard.calls).toEqual([]);
  });

  it.each([
    ['before the head', [{ do: 'reset' }], []],
    [
      'in the middle',
      [head(200, [['content-length', '100']]), write('one'), { do: 'reset' }],
      ['head', 'data'],
    ],
    [
      'by an early end',
      [head(200, [['content-length', '100']]), write('one'), { do: 'fin' }],
      ['head', 'data'],
    ],
  ] as const)('a connection that breaks %s is a failure', async (name, steps, before) => {
    const path = `/break/${encodeURIComponent(name)}`;
    fake.on(path, () => steps);
    const heard = await ask(post(path));
    expect(heard.calls).toEqual([...before, 'fail']);
    expect(heard.failure?.kind).toBe('reset');
  });

  it('a port where nobody listens is a refused connection', async () => {
    const url = `http://127.0.0.1:${await refusedPort()}/`;
    const heard = await ask({ method: 'POST', url, headers: [], body: null });
    expect([heard.calls, heard.failure?.kind]).toEqual([['fail'], 'connect_refused']);
  });

  it('an address that is none is a failure too, told and not thrown', async () => {
    const heard = await ask({ method: 'POST', url: 'http://[', headers: [], body: null });
    expect(heard.calls).toEqual(['fail']);
  });

  it('an answer that is not HTTP is a failure', async () => {
    const server = createServer();
    server.on('connection', (socket) => void socket.end('SSH-2.0-OpenSSH\r\n\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const heard = await ask({
      method: 'POST',
      url: `http://127.0.0.1:${port}/`,
      headers: [],
      body: null,
    });
    expect(heard.calls).toEqual(['fail']);
    server.close();
  });
});
