/** Requests on a real socket: what node:http hands us, and what a rude client does to it. */
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { untilTrue } from '#testing/fake-upstream.ts';
import { PIECES } from '#testing/fake-upstream-replies.ts';
import { openRaw, rawExchange, requestBytes } from '#testing/raw-client.ts';
import { at } from '#testing/recordings-json.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';
import { secretOf } from './exchange.ts';

const BODY_BYTES_MAX = 20_000;
const PATH = '/v1/chat/completions';

let house: TestGateway;
let port = 0;
let url = '';
beforeAll(async () => {
  house = await createTestGateway({ limits: { bodyBytesMax: BODY_BYTES_MAX } });
  ({ port, url } = await house.listen());
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
});
afterAll(() => house.close());

const chat = (content = 'hi', more = {}): string =>
  JSON.stringify({ model: 'at-a', messages: [{ role: 'user', content }], ...more });
const bearer = (): [string, string] => ['authorization', `Bearer ${house.keys.live}`];

function chunked(body: string, size: number): Buffer {
  const head = requestBytes({
    path: PATH,
    headers: [bearer(), ['transfer-encoding', 'chunked']],
  });
  const bytes = Buffer.from(body);
  const framed = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => {
    const piece = bytes.subarray(n * size, (n + 1) * size);
    return [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')];
  });
  return Buffer.concat([head, ...framed.flat(), Buffer.from('0\r\n\r\n')]);
}

function errorCode(body: Buffer): unknown {
  return at(JSON.parse(body.toString()), 'error', 'code');
}

describe('a client that leaves while its key is looked up', () => {
  it('is no request that runs on, however the connection came to node:http', async () => {
    for (let turn = 0; turn < 8; turn += 1) {
      const key = await house.createKey();
      const headers: [string, string][] = [
        ['authorization', `Bearer ${key}`],
        ['te', 'x'],
      ];
      const client = await openRaw(port);
      // Some may have been dispatched, and reach that host when another test has begun.
      const body = chat('hi', { model: 'at-b' });
      await client.send(requestBytes({ path: PATH, headers, body }));
      client.reset();
    }
    await expect(house.untilSettled()).resolves.toBeUndefined();
  });
});

describe('over a socket', () => {
  it('the official client chats, streams, and uses one connection for many requests', async () => {
    const client = new OpenAI({ apiKey: house.keys.live, baseURL: `${url}/v1`, maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'hi' }];
    for (let turn = 0; turn < 3; turn += 1) {
      const whole = await client.chat.completions.create({ model: 'at-a', messages });
      expect(whole.choices[0]?.message.content).toBe(PIECES.join(''));
      const stream = client.chat.completions.stream({ model: 'at-a', messages });
      expect(await stream.finalContent()).toBe(PIECES.join(''));
    }
    expect(house.fake.at('/a')).toHaveLength(6);
  });

  it('a whole answer has its length and the connection stays', async () => {
    const client = await openRaw(port);
    const bytes = requestBytes({ path: PATH, headers: [bearer()], body: chat() });
    await client.send(bytes);
    const answer = await client.answer();
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('content-length'))).toBe(answer.body.length);
    await client.send(bytes);
    await untilTrue('a second answer', () => {
      return client.received().toString().split('HTTP/1.1 200 OK').length === 3;
    });
    expect(client.closed()).toBe(false);
    client.end();
  });

  it('a body in chunks of any size is the same body', async () => {
    for (const size of [1, 7, 4_096]) {
      const answer = await rawExchange(port, chunked(chat('wörld 🌍'), size));
      expect(answer.status).toBe(200);
    }
    const bodies = house.fake
      .at('/a')
      .map(({ body }) => at(JSON.parse(body.toString()), 'messages'));
    expect(bodies).toEqual(
      Array.from({ length: 3 }, () => [{ role: 'user', content: 'wörld 🌍' }]),
    );
  });

  it('answers carry no server, cookie or trace of what is behind (promise 38) (contract: Answers, nothing of the upstream)', async () => {
    const bytes = requestBytes({ path: PATH, headers: [bearer()], body: chat() });
    const { headers } = await rawExchange(port, bytes);
    expect([...headers.keys()].toSorted()).toEqual([
      'connection',
      'content-length',
      'content-type',
      'date',
      'keep-alive',
      'openai-processing-ms',
      'openai-version',
      'x-generation-id',
      'x-request-id',
    ]);
  });
});

describe('a body that is too large (promise 37)', () => {
  const large = chat('x'.repeat(2 * BODY_BYTES_MAX));

  it('is refused by its content-length, before it was sent', async () => {
    const client = await openRaw(port);
    const head = requestBytes({
      path: PATH,
      headers: [bearer(), ['content-length', String(BODY_BYTES_MAX + 1)]],
    });
    await client.send(head);
    const answer = await client.answer();
    expect(answer.status).toBe(413);
    expect(errorCode(answer.body)).toBe('request_too_large');
    expect(answer.body.toString()).toContain(String(BODY_BYTES_MAX));
    expect(answer.headers.get('connection')).toBe('close');
    await client.untilClosed(5_000);
  });

  it('is refused in chunks, however small', async () => {
    for (const size of [100, 1_024]) {
      const answer = await rawExchange(port, chunked(large, size));
      expect(answer.status).toBe(413);
    }
  });

  it('is taken up to the limit', async () => {
    const most = chat('x'.repeat(BODY_BYTES_MAX - chat('').length));
    expect(most).toHaveLength(BODY_BYTES_MAX);
    for (const bytes of [
      requestBytes({ path: PATH, headers: [bearer()], body: most }),
      chunked(most, 1_000),
    ]) {
      expect((await rawExchange(port, bytes)).status).toBe(200);
    }
    const more = requestBytes({ path: PATH, headers: [bearer()], body: `${most} ` });
    expect((await rawExchange(port, more)).status).toBe(413);
  });

  it('is not read for a stranger', async () => {
    const client = await openRaw(port);
    const headers = [['content-length', '100000000']] as const;
    await client.send(requestBytes({ path: PATH, headers }));
    expect((await client.answer()).status).toBe(401);
    await client.untilClosed(5_000);
  });
});

describe('a body that we do not take', () => {
  it.each([
    ['gzip', ['content-encoding', 'gzip']],
    ['a chain of encodings', ['content-encoding', 'gzip, gzip, br']],
    ['a form', ['content-type', 'multipart/form-data; boundary=b']],
  ] as const)('%s is a 415', async (_case, header) => {
    const bytes = requestBytes({ path: PATH, headers: [bearer(), header], body: chat() });
    const answer = await rawExchange(port, bytes);
    expect(answer.status).toBe(415);
    expect(errorCode(answer.body)).toBe('unsupported_media_type');
  });

  it("cut off is nobody's answer, and nothing is left behind", async () => {
    const client = await openRaw(port);
    const whole = requestBytes({ path: PATH, headers: [bearer()], body: chat() });
    await client.send(whole.subarray(0, -5));
    await house.fake.until('the request to run', () => house.lifecycle.running === 1);
    client.reset();
    await house.lifecycle.idle();
    expect(house.fake.at('/a')).toHaveLength(0);
    expect(house.log.at(-1)).toMatchObject({ event: 'refused', fields: { status: 408 } });
  });

  it('that lies about its length is no second request (promise 38)', async () => {
    const smuggled = `POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`;
    const headers = [bearer(), ['content-length', '3'], ['transfer-encoding', 'chunked']] as const;
    const bytes = Buffer.concat([requestBytes({ path: PATH, headers }), Buffer.from(smuggled)]);
    const answer = await rawExchange(port, bytes);
    expect(answer.status === null || answer.status >= 400).toBe(true);
    expect(house.fake.at('/a')).toHaveLength(0);
  });
});

describe('the key of a request', () => {
  const read = (headers: Record<string, string>) => secretOf((name) => headers[name] ?? null);

  it('is the first that stands there, and never an empty one', () => {
    expect(read({ authorization: 'Bearer k', 'x-api-key': 'other' })).toBe('k');
    expect(read({ authorization: '', 'x-api-key': 'k' })).toBe('k');
    expect(read({ 'x-api-key': '', 'api-key': 'k', 'x-goog-api-key': 'other' })).toBe('k');
    expect(read({ 'x-goog-api-key': 'k' })).toBe('k');
    expect(read({})).toBeNull();
  });
});
