/** Tokens in place of secrets: fetched once for many, kept while they last. */
import { describe, expect, it } from 'vitest';
import { toBytes } from '#base/bytes.ts';
import type { Clock } from '#base/clock.ts';
import { Deadlines } from '#base/deadlines.ts';
import type { Transport, UpstreamHandler, UpstreamRequest } from '#base/transport.ts';
import type { HeaderPairs } from '#providers/provider.ts';
import { NotDispatched } from './failure.ts';
import { TokenExchange, type TokenRequest } from './token-exchange.ts';

const HOST = { id: 't/m' };
const HOUR_MS = 3_600_000;
const SECRET = 'secret-canary-41d';

class HeldTransport implements Transport {
  readonly sent: { request: UpstreamRequest; handler: UpstreamHandler; aborted: boolean }[] = [];

  send(request: UpstreamRequest, handler: UpstreamHandler) {
    const entry = { request, handler, aborted: false };
    this.sent.push(entry);
    const abort = (): void => {
      entry.aborted = true;
    };
    return { pause: () => undefined, resume: () => undefined, abort };
  }

  async close(): Promise<void> {}

  answer(index: number, status: number, body: string): void {
    const handler = this.sent[index]?.handler;
    handler?.onHead(status, {});
    handler?.onData(toBytes(body));
    handler?.onEnd();
  }
}

function start() {
  const transport = new HeldTransport();
  const time = { ms: 0 };
  const clock: Clock = { nowMs: () => time.ms, monotonicMs: () => time.ms };
  const exchange = new TokenExchange(transport, new Deadlines(clock));
  return { transport, time, exchange };
}

const request = (cacheKey = 'k'): TokenRequest => ({
  cacheKey,
  url: 'https://tokens.invalid/token',
  headers: [['content-type', 'text/plain']],
  body: SECRET,
  read: (body) => {
    const [token, until] = new TextDecoder().decode(body).split(' ');
    if (token === undefined || until === undefined) return null;
    return { headers: [['authorization', token]], expiresAtMs: Number(until) };
  },
});

const T1: HeaderPairs = [['authorization', 't1']];
const T2: HeaderPairs = [['authorization', 't2']];

async function failureOf(promise: unknown) {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof NotDispatched) return thrown.failure;
  }
  throw new Error('it did not fail as it should');
}

describe('a token', () => {
  it('is fetched once for all who wait, and at hand afterwards', async () => {
    const { transport, exchange } = start();
    const all = Array.from({ length: 50 }, () => exchange.headersFor(HOST, request(), 0));
    expect(transport.sent).toHaveLength(1);
    expect(transport.sent[0]?.request).toMatchObject({
      method: 'POST',
      url: 'https://tokens.invalid/token',
      headers: ['content-type', 'text/plain'],
      body: toBytes(SECRET),
    });
    transport.answer(0, 200, `t1 ${HOUR_MS}`);
    for (const one of all) expect(await one).toEqual(T1);
    expect(exchange.headersFor(HOST, request(), 1)).toEqual(T1);
    expect(transport.sent).toHaveLength(1);
  });

  it('is held by whoever asked for it, so that nothing need be signed for it again', async () => {
    const { transport, exchange } = start();
    expect(exchange.held(HOST, 0)).toBeNull();
    const first = exchange.headersFor(HOST, request(), 0);
    transport.answer(0, 200, `t1 ${HOUR_MS}`);
    await first;
    expect(exchange.held(HOST, 1)).toMatchObject({ cacheKey: 'k', headers: T1 });
    expect(exchange.held({ id: 'another' }, 1)).toBeNull();
    expect(exchange.held(HOST, HOUR_MS - 299_000)).toBeNull();
    exchange.forget('k');
    expect(exchange.held(HOST, 1)).toBeNull();
  });

  it('is of one credential only', async () => {
    const { transport, exchange } = start();
    const [first, second] = [request('a'), request('b')].map((one) =>
      exchange.headersFor(HOST, one, 0),
    );
    transport.answer(0, 200, `t1 ${HOUR_MS}`);
    transport.answer(1, 200, `t2 ${HOUR_MS}`);
    expect([await first, await second]).toEqual([T1, T2]);
  });

  it('is renewed before its end while it still serves, and never used at its end', async () => {
    const { transport, exchange } = start();
    const first = exchange.headersFor(HOST, request(), 0);
    transport.answer(0, 200, `t1 ${HOUR_MS}`);
    await first;
    expect(exchange.headersFor(HOST, request(), HOUR_MS - 301_000)).toEqual(T1);
    expect(transport.sent).toHaveLength(1);
    expect(exchange.headersFor(HOST, request(), HOUR_MS - 200_000)).toEqual(T1);
    expect(exchange.headersFor(HOST, request(), HOUR_MS - 199_000)).toEqual(T1);
    expect(transport.sent).toHaveLength(2);
    const late = exchange.headersFor(HOST, request(), HOUR_MS - 29_000);
    expect(late).toBeInstanceOf(Promise);
    transport.answer(1, 200, `t2 ${2 * HOUR_MS}`);
    expect(await late).toEqual(T2);
  });

  it('that was not taken is fetched again', async () => {
    const { transport, exchange } = start();
    const first = exchange.headersFor(HOST, request(), 0);
    transport.answer(0, 200, `t1 ${HOUR_MS}`);
    await first;
    exchange.forget('k');
    const second = exchange.headersFor(HOST, request(), 1);
    transport.answer(1, 200, `t2 ${HOUR_MS}`);
    expect(await second).toEqual(T2);
  });
});

describe('a refused exchange', () => {
  it.each([
    [400, 'authentication'],
    [401, 'authentication'],
    [403, 'authentication'],
    [429, 'token_exchange'],
    [503, 'token_exchange'],
    [302, 'token_exchange'],
  ])('with %i is %s, told without a word of the other side', async (status, outcome) => {
    const { transport, exchange } = start();
    const asked = failureOf(exchange.headersFor(HOST, request(), 0));
    transport.answer(0, status, `no such ${SECRET}`);
    const failure = await asked;
    expect(failure).toMatchObject({ outcome, status, retry: 'elsewhere' });
    expect(JSON.stringify(failure)).not.toContain(SECRET);
  });

  it.each([
    ['nothing of use', 'nothing'],
    ['too much', 'x'.repeat(70_000)],
  ])('is one that answers %s', async (_name, body) => {
    const { transport, exchange } = start();
    const asked = failureOf(exchange.headersFor(HOST, request(), 0));
    transport.answer(0, 200, body);
    expect(await asked).toMatchObject({ retry: 'elsewhere', error: null });
  });

  it('is not asked again at once, but a second later', async () => {
    const { transport, time, exchange } = start();
    const asked = failureOf(exchange.headersFor(HOST, request(), 0));
    transport.answer(0, 401, '');
    await asked;
    time.ms = 900;
    expect(await failureOf(exchange.headersFor(HOST, request(), 0))).toMatchObject({ status: 401 });
    expect(transport.sent).toHaveLength(1);
    time.ms = 1_100;
    const again = exchange.headersFor(HOST, request(), 0);
    transport.answer(1, 200, `t1 ${HOUR_MS}`);
    expect(await again).toEqual(T1);
  });

  it('is one whose other side cannot be reached', async () => {
    const { transport, exchange } = start();
    const asked = failureOf(exchange.headersFor(HOST, request(), 0));
    transport.sent[0]?.handler.onFail({ kind: 'dns', message: 'no such host' });
    expect(await asked).toMatchObject({ outcome: 'dns', retry: 'elsewhere' });
  });

  it('is one that falls silent', async () => {
    const { transport, time, exchange } = start();
    const asked = failureOf(exchange.headersFor(HOST, request(), 0));
    time.ms = 10_001;
    expect(await asked).toMatchObject({ outcome: 'timeout', timeout: true });
    expect(transport.sent[0]?.aborted).toBe(true);
  });
});
