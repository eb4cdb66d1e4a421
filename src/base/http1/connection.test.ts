/**
 * Connections over real sockets, to a peer that sends bytes and not HTTP: when one is used again
 * and when not, and what reaches the other side.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { untilTrue } from '#testing/fake-upstream.ts';
import { NodeTransport } from '../transport.node.ts';
import type { TransportFailure, UpstreamExchange } from '../transport.ts';

const HAS_IPV6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === '::1');
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

interface Heard {
  text: string;
  outcome: string;
  failure: TransportFailure | null;
}

interface Rig {
  readonly url: string;
  /** What came on each connection, in the order in which they were made. */
  readonly received: string[];
  readonly sockets: Socket[];
  readonly transport: NodeTransport;
  send(options?: Partial<Parts>): { readonly heard: Heard; readonly exchange: UpstreamExchange };
  ask(options?: Partial<Parts>): Promise<Heard>;
}

interface Parts {
  readonly body: string | Uint8Array;
  readonly headers: readonly string[];
  readonly path: string;
  readonly onHead: (exchange: () => UpstreamExchange) => void;
  readonly onEnd: () => void;
}

const opened: { readonly server: Server; readonly rig: Rig }[] = [];
afterEach(async () => {
  for (const { server, rig } of opened.splice(0)) {
    await rig.transport.close();
    for (const socket of rig.sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
});

type Answer = (socket: Socket, received: string) => void;

async function openRig(answer: Answer, host = '127.0.0.1'): Promise<Rig> {
  const received: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const index = sockets.push(socket) - 1;
    received.push('');
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received[index] += bytes.toString('latin1');
      answer(socket, received[index] ?? '');
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port }: Partial<AddressInfo> = Object(server.address());
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const transport = new NodeTransport({ connectTimeoutMs: 2_000, connectionsMax: 2 });
  const send: Rig['send'] = ({ body = '{}', headers = [], path = '/', ...on } = {}) => {
    const heard: Heard = { text: '', outcome: 'open', failure: null };
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const exchange: UpstreamExchange = transport.send(
      { method: 'POST', url: url + path, headers, body: bytes },
      {
        onHead: () => on.onHead?.(() => exchange),
        onData: (piece) => {
          heard.text += Buffer.from(piece).toString('latin1');
        },
        onEnd: () => {
          heard.outcome = 'end';
          on.onEnd?.();
        },
        onFail: (failure) => Object.assign(heard, { outcome: failure.kind, failure }),
      },
    );
    return { heard, exchange };
  };
  const ask: Rig['ask'] = async (options) => {
    const { heard } = send(options);
    await untilTrue('an outcome', () => heard.outcome !== 'open');
    return heard;
  };
  const rig: Rig = { url, received, sockets, transport, send, ask };
  opened.push({ server, rig });
  return rig;
}

const always =
  (bytes: string): Answer =>
  (socket) =>
    void socket.write(bytes, 'latin1');

describe('works', () => {
  it('sends one request after the other on one connection', async () => {
    const rig = await openRig(always(OK));
    expect((await rig.ask({ body: 'one' })).text).toBe('ok');
    expect((await rig.ask({ path: '/two?x', headers: ['x-a', '\xfc'] })).text).toBe('ok');
    const host = rig.url.replace('http://', '');
    expect(rig.received).toEqual([
      `POST / HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\ncontent-length: 3\r\n\r\none` +
        `POST /two?x HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\nx-a: \xfc\r\n` +
        'content-length: 2\r\n\r\n{}',
    ]);
  });

  it('carries the request that is sent from within the end of another', async () => {
    const rig = await openRig(always(OK));
    let second: Heard | null = null;
    await rig.ask({ onEnd: () => void (second = rig.send({ body: 'inner' }).heard) });
    await untilTrue('the inner answer', () => second?.outcome === 'end');
    expect(rig.received).toHaveLength(1);
    expect(rig.received[0]).toMatch(/\{\}POST .*inner$/s);
  });

  it('holds back what came with the head while it is paused in it, and lets others go on', async () => {
    const rig = await openRig(always(OK));
    let heads = 0;
    const pause = (exchange: () => UpstreamExchange): void => {
      heads += 1;
      exchange().pause();
    };
    const paused = rig.send({ onHead: pause });
    await untilTrue('the head', () => heads === 1);
    // The connection is free: its answer was read to the end.
    expect((await rig.ask()).text).toBe('ok');
    expect(rig.sockets).toHaveLength(1);
    expect(paused.heard).toMatchObject({ text: '', outcome: 'open' });
    paused.exchange.resume();
    await untilTrue('the end', () => paused.heard.outcome === 'end');
    expect(paused.heard.text).toBe('ok');
  });

  it.each([20, 200_000])('sends a body of %i bytes whole', async (length) => {
    const body = Buffer.alloc(length, 'abcdefghijk');
    const rig = await openRig((socket, received) => {
      if (received.length >= length && received.endsWith(body.toString().slice(-20)))
        socket.write(OK);
    });
    expect((await rig.ask({ body })).outcome).toBe('end');
    expect(rig.received[0]?.split('\r\n\r\n')[1]).toBe(body.toString());
  });

  it('lets a request wait for a connection where no more may be made', async () => {
    const rig = await openRig(always(OK));
    const all = await Promise.all([rig.ask(), rig.ask(), rig.ask(), rig.ask(), rig.ask()]);
    expect(all.map(({ text }) => text)).toEqual(Array(5).fill('ok'));
    expect(rig.sockets).toHaveLength(2);
  });

  it.runIf(HAS_IPV6)('finds an address of IPv6', async () => {
    const rig = await openRig(always(OK), '::1');
    expect((await rig.ask()).text).toBe('ok');
    expect(rig.received[0]).toContain(`host: ${rig.url.replace('http://', '')}\r\n`);
  });
});

describe('makes another connection', () => {
  it.each([
    ['was the last on its', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'],
    ['is of HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok'],
    ['has more behind it', `${OK}HTTP/1.1 200 OK\r\n`],
    [
      'comes from a server that keeps none',
      'HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok',
    ],
  ])('after an answer that %s', async (_name, bytes) => {
    const rig = await openRig(always(bytes));
    expect((await rig.ask()).text).toBe('ok');
    expect((await rig.ask()).text).toBe('ok');
    expect(rig.sockets).toHaveLength(2);
    await untilTrue('the first to be closed', () => rig.sockets[0]?.destroyed === true);
  });

  it('after an answer that ended with its connection', async () => {
    const rig = await openRig((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nok'));
    expect(await rig.ask()).toMatchObject({ text: 'ok', outcome: 'end' });
    expect(await rig.ask()).toMatchObject({ text: 'ok', outcome: 'end' });
    expect(rig.sockets).toHaveLength(2);
  });

  it('after an answer to a request that was not sent to its end', async () => {
    const body = new Uint8Array(16 * 1024 * 1024);
    const rig = await openRig((socket, received) => {
      if (!received.startsWith('POST /long')) return void socket.write(OK);
      socket.pause();
      socket.write(OK);
    });
    expect((await rig.ask({ path: '/long', body })).text).toBe('ok');
    expect((await rig.ask()).text).toBe('ok');
    expect(rig.sockets).toHaveLength(2);
  });

  it.each<readonly [string, (socket: Socket) => void]>([
    ['spoke unasked', (socket) => void socket.write('HTTP/1.1 408 Timeout\r\n\r\n')],
    ['was closed', (socket) => void socket.end()],
    ['was reset', (socket) => void socket.resetAndDestroy()],
  ])('where the one that rested %s', async (_name, disturb) => {
    const rig = await openRig(always(OK));
    await rig.ask();
    const [first] = rig.sockets;
    if (first !== undefined) disturb(first);
    await untilTrue('the first to be closed', () => first?.destroyed === true);
    // Whoever has heard an answer of a later day has heard of the reset.
    await (await openRig(always(OK))).ask();
    expect(await rig.ask()).toMatchObject({ text: 'ok', outcome: 'end' });
    expect(rig.sockets).toHaveLength(2);
  });

  it.each<[string, (socket: Socket | undefined) => void]>([
    ['is at its end', (socket) => void socket?.destroy()],
    ['was reset', (socket) => void socket?.resetAndDestroy()],
  ])('where the one that rested %s, and nobody has read that yet', async (_name, end) => {
    const rig = await openRig(always(OK));
    await rig.ask();
    // This process is busy, and what comes meanwhile waits in the kernel.
    const busyUntil = performance.now() + 60;
    while (performance.now() < busyUntil);
    end(rig.sockets[0]);
    expect(await rig.ask()).toMatchObject({ text: 'ok', outcome: 'end' });
    expect(rig.sockets).toHaveLength(2);
  });
});

describe('fails', () => {
  it('a request with a header that HTTP cannot carry, and sends nothing of it', async () => {
    const rig = await openRig(always(OK));
    const heard = await rig.ask({ headers: ['x-a', '1\r\nx-b: 2'] });
    expect(heard.outcome).toBe('protocol');
    expect(heard.failure?.message).toContain('x-a');
    expect(rig.sockets).toHaveLength(0);
  });

  it('requests to what is no host, and to what is no HTTP', async () => {
    const rig = await openRig(always(OK));
    const outcomes = ['ftp://127.0.0.1/', 'http://nobody.invalid/'].map(async (url) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const request = { method: 'GET', url, headers: [], body: null } as const;
      rig.transport.send(request, {
        onHead: () => undefined,
        onData: () => undefined,
        onEnd: () => resolve('end'),
        onFail: ({ kind }) => resolve(kind),
      });
      return promise;
    });
    expect(await Promise.all(outcomes)).toEqual(['protocol', 'dns']);
  });

  it('what runs and what waits when the transport is closed', async () => {
    const rig = await openRig(() => undefined);
    const all = [rig.send(), rig.send(), rig.send()];
    await untilTrue('two requests', () => rig.received.filter((each) => each !== '').length === 2);
    await rig.transport.close();
    expect(all.map(({ heard }) => heard.outcome)).toEqual(Array(3).fill('aborted'));
    await untilTrue('both closed', () => rig.sockets.every(({ destroyed }) => destroyed));
    expect((await rig.ask()).outcome).toBe('aborted');
  });
});
