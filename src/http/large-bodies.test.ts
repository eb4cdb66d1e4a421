/**
 * Large bodies over real sockets: their memory is given back as soon as nobody needs it, and not a
 * byte of them is lost or another's before that.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { errorBody, goodReply, jsonReply, PIECES } from '#testing/fake-upstream-replies.ts';
import { at } from '#testing/recordings-json.ts';
import { createTestGateway, TEST_PRICE, type TestGateway } from '#testing/test-gateway.ts';

/** Around one read of a socket, several reads, the most that the lane takes, and beyond that. */
const SIZES = [30_000, 65_500, 66_000, 300_000, 1_048_000, 1_100_000, 3_000_000];

/** Listens, and tells where. */
async function originOf(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/** Answers at once with a 500 and never reads: what is written to it stays with the writer. */
async function startDeaf() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.pause();
    const body = errorBody('deaf', null);
    const head = `content-type: application/json\r\nconnection: close\r\ncontent-length: ${body.length}`;
    socket.write(`HTTP/1.1 500 Sorry\r\n${head}\r\n\r\n${body}`);
  });
  return {
    origin: await originOf(server),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const event = (data: string): string => `data: ${data}\n\n`;
const chunk = (more: object): string => event(JSON.stringify({ ...CHUNK, ...more }));
const CHUNK = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'early' };
const WHOLE_STREAM =
  chunk({ choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: null }] }) +
  chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) +
  chunk({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }) +
  event('[DONE]');

/** Ends its answer before it reads the request, and reads that once it is told to. */
async function startEarly() {
  const received: { readonly socket: Socket; bytes: Buffer[] }[] = [];
  const server = createServer((socket) => {
    const request = { socket, bytes: new Array<Buffer>() };
    received.push(request);
    socket.on('error', () => {});
    socket.pause();
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n');
    socket.write(WHOLE_STREAM);
    socket.on('data', (bytes) => request.bytes.push(bytes));
    socket.pause();
  });
  return {
    origin: await originOf(server),
    /** What came of the requests, read only now. */
    read: () =>
      Promise.all(
        received.splice(0).map(async ({ socket, bytes }) => {
          socket.resume();
          await once(socket, 'close');
          return Buffer.concat(bytes).toString('latin1');
        }),
      ),
    close: () => server.close(),
  };
}

let house: TestGateway;
let early: Awaited<ReturnType<typeof startEarly>>;
let deaf: Awaited<ReturnType<typeof startDeaf>>;
let url = '';
beforeAll(async () => {
  deaf = await startDeaf();
  early = await startEarly();
  const b = { provider: 'b', model: 'model-at-b', price: TEST_PRICE };
  const atDeaf = { provider: 'deaf', model: 'm', price: TEST_PRICE };
  house = await createTestGateway({
    providers: {
      deaf: { type: 'openai-compatible', base_url: deaf.origin, api_key: 'k' },
      early: { type: 'openai-compatible', base_url: early.origin, api_key: 'k' },
    },
    models: {
      'deaf-then-b': { endpoints: [atDeaf, b] },
      // Under the host's own name, so that nothing in a body has to be changed.
      early: { endpoints: [{ provider: 'early', model: 'early', price: TEST_PRICE }] },
    },
  });
  ({ url } = await house.listen());
  house.fake.on('/a', () => jsonReply(500, errorBody('no', null)));
  house.fake.on('/b', () => goodReply('json'));
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
});
afterAll(async () => {
  await house.close();
  deaf.close();
  early.close();
});

/** Text that is nobody else's, all through. */
function contentOf(name: string, length: number): string {
  return `${name} `.repeat(Math.ceil(length / (name.length + 1))).slice(0, length);
}

async function ask(model: string, content: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${house.keys.live}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 10, messages: [{ role: 'user', content }] }),
  });
  return String(at(await response.json(), 'choices', 0, 'message', 'content'));
}

function contentsAt(path: string): ReadonlySet<unknown> {
  const requests = house.fake.at(path).map(({ body }): unknown => JSON.parse(body.toString()));
  return new Set(requests.map((request) => at(request, 'messages', 0, 'content')));
}

describe('large bodies, many at once', () => {
  it.each([
    { model: 'a-then-b', reached: ['/a', '/b'] },
    { model: 'deaf-then-b', reached: ['/b'] },
  ])('reach the next candidate whole ($model)', async ({ model, reached }) => {
    for (let turn = 0; turn < 2; turn += 1) {
      const contents = SIZES.map((size, index) => contentOf(`${turn}.${index}`, size));
      const answers = await Promise.all(contents.map((content) => ask(model, content)));
      expect(new Set(answers)).toEqual(new Set([PIECES.join('')]));
      for (const path of reached) expect(contentsAt(path)).toEqual(new Set(contents));
      await house.untilSettled();
      house.fake.forget();
    }
  });
});

describe('a body that is still on its way when its answer has ended', () => {
  it.each([900_000, 9_000_000])("holds nobody else's bytes (%i)", async (size) => {
    const send = async (letter: string): Promise<string> => {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${house.keys.live}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'early',
          stream: true,
          stream_options: { include_usage: true },
          max_tokens: 10,
          messages: [{ role: 'user', content: letter.repeat(size) }],
        }),
      });
      return response.text();
    };
    const letters = ['Q', 'W', 'Z'];
    for (const letter of letters) expect(await send(letter)).toContain('[DONE]');
    const bodies = (await early.read()).map((request) => request.split('\r\n\r\n')[1] ?? '');
    for (const body of bodies.filter((text) => text !== '')) {
      const seen = letters.filter((letter) => body.includes(letter.repeat(8)));
      expect(seen).toHaveLength(1);
      expect(body).not.toContain('\0');
    }
  });
});
