/**
 * Large bodies over real sockets: their memory is given back as soon as nobody needs it, and not a
 * byte of them is lost or another's before that.
 */
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { errorBody, goodReply, jsonReply, PIECES } from '#testing/fake-upstream-replies.ts';
import { at } from '#testing/recordings-json.ts';
import { createTestGateway, TEST_PRICE, type TestGateway } from '#testing/test-gateway.ts';

/** Around one read of a socket, several reads, the most that the lane takes, and beyond that. */
const SIZES = [30_000, 65_500, 66_000, 300_000, 1_048_000, 1_100_000, 3_000_000];

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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

let house: TestGateway;
let deaf: Awaited<ReturnType<typeof startDeaf>>;
let url = '';
beforeAll(async () => {
  deaf = await startDeaf();
  const b = { provider: 'b', model: 'model-at-b', price: TEST_PRICE };
  const atDeaf = { provider: 'deaf', model: 'm', price: TEST_PRICE };
  house = await createTestGateway({
    providers: { deaf: { type: 'openai-compatible', base_url: deaf.origin, api_key: 'k' } },
    models: { 'deaf-then-b': { endpoints: [atDeaf, b] } },
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
