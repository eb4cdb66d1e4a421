/** How connections of the lane end: time runs out, the client leaves, or the process drains. */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBytes } from '#base/bytes.ts';
import { bodiesOf, echo, hotBytes, openLaneRig, type LaneRig } from '#testing/lane-rig.ts';
import { openRaw, rawExchange, requestBytes } from '#testing/raw-client.ts';
import { at } from '#testing/recordings-json.ts';
import type { HttpExchange } from '../exchange.ts';

const WITHIN_MS = 5_000;
const REQUEST_TIMEOUT_MS = 300_000;
const KEEP_ALIVE_MS = 75_000;

let rig: LaneRig;
beforeEach(async () => {
  rig = await openLaneRig();
});
afterEach(() => rig.close());

/** Has the hot route hand its requests over instead of answering them. */
function catchRequests(): { next(): Promise<HttpExchange> } {
  const caught: HttpExchange[] = [];
  rig.answerWith((exchange) => caught.push(exchange));
  return {
    next: async () => {
      await untilTrue('a request', () => caught.length > 0);
      const [exchange] = caught.splice(0, 1);
      if (exchange === undefined) throw new Error('no request');
      return exchange;
    },
  };
}

/** A request that has come whole and waits for its answer. */
async function openRequest() {
  const { next } = catchRequests();
  const client = await openRaw(rig.port);
  await client.send(hotBytes('a'));
  const { sink } = await next();
  return { client, sink, next };
}

const cutRequest = (): Buffer => hotBytes('0123456789').subarray(0, -5);
const errorOf = (body: Buffer): unknown => at(JSON.parse(body.toString()), 'error', 'message');
const pass = (ms: number): void => {
  rig.clock.laterMs += ms;
};

async function openConnections(): Promise<number> {
  return new Promise((resolve) => {
    rig.server.getConnections((_error, count) => resolve(count));
  });
}

async function untilTrue(what: string, condition: () => boolean | Promise<boolean>) {
  const tooLate = performance.now() + WITHIN_MS;
  while (!(await condition())) {
    if (performance.now() > tooLate) throw new Error(`not in time: ${what}`);
    await turn();
  }
}

async function untilNobody(): Promise<void> {
  await untilTrue('the last connection to close', async () => (await openConnections()) === 0);
}

describe('time runs out (promise 37)', () => {
  it('for the first request: 408', async () => {
    const client = await openRaw(rig.port);
    await untilTrue('the connection', async () => (await openConnections()) === 1);
    pass(29_000);
    const later = await openRaw(rig.port);
    await untilTrue('the other one', async () => (await openConnections()) === 2);
    pass(2_000);
    expect((await client.answer()).status).toBe(408);
    await client.untilClosed(WITHIN_MS);
    expect(later.received()).toHaveLength(0);
    later.reset();
    pass(3_000);
    await untilNobody();
  });

  it('for the body: 408, and whoever reads it is told', async () => {
    const { next } = catchRequests();
    const client = await openRaw(rig.port);
    await client.send(cutRequest());
    const { inbound, sink } = await next();
    const body = Promise.resolve(inbound.readBody(10));
    pass(REQUEST_TIMEOUT_MS + 1);
    await expect(body).rejects.toMatchObject({ status: 408, message: 'The body broke off.' });
    expect(sink.closed).toBe(true);
    expect((await client.answer()).status).toBe(408);
    pass(3_000);
    await untilNobody();
    expect(client.received().toString().split('HTTP/1.1')).toHaveLength(2);
  });

  it('for the next request: the connection closes without a word', async () => {
    const client = await openRaw(rig.port);
    await client.send(hotBytes('a'));
    const { body } = await client.answer();
    const { length } = client.received();
    pass(KEEP_ALIVE_MS);
    await client.send(hotBytes('b'));
    await untilTrue('the second answer', () => client.received().length > length);
    pass(KEEP_ALIVE_MS + 1_001);
    await client.untilClosed(WITHIN_MS);
    expect(body.toString()).toBe('<a>');
    expect(client.received()).toHaveLength(2 * length);
  });

  it('for nobody who waits for an answer', async () => {
    const { next } = catchRequests();
    const client = await openRaw(rig.port);
    await client.send(hotBytes('a'));
    const exchange = await next();
    const silent = await openRaw(rig.port);
    await untilTrue('the other one', async () => (await openConnections()) === 2);
    pass(10 * REQUEST_TIMEOUT_MS);
    expect((await silent.answer()).status).toBe(408);
    silent.reset();
    await echo(exchange);
    expect((await client.answer()).body.toString()).toBe('<a>');
    client.reset();
  });
});

describe('a refused body', () => {
  it('is taken to its end, and then the connection closes', async () => {
    rig.answerWith(({ sink }) => sink.send(413, [], toBytes('no')));
    const client = await openRaw(rig.port);
    await client.send(cutRequest());
    expect(await client.answer()).toMatchObject({ status: 413, complete: true });
    expect(client.closed()).toBe(false);
    await client.send(Buffer.concat([Buffer.from('56789'), hotBytes('never')]));
    await client.untilClosed(WITHIN_MS);
    expect(client.received().toString().split('HTTP/1.1')).toHaveLength(2);
  });

  it('is taken no longer than two seconds', async () => {
    rig.answerWith(({ sink }) => sink.send(413, [], toBytes('no')));
    const client = await openRaw(rig.port);
    await client.send(cutRequest());
    expect((await client.answer()).status).toBe(413);
    pass(2_001);
    await client.untilClosed(WITHIN_MS);
  });
});

describe('the client leaves', () => {
  it.each(['end', 'reset'] as const)('(%s) while it waits', async (leave) => {
    const { client, sink } = await openRequest();
    const left = new Promise<void>((resolve) => sink.onGone(resolve));
    expect(sink.closed).toBe(false);
    client[leave]();
    await left;
    expect(sink.closed).toBe(true);
    sink.send(200, [], toBytes('nobody reads it'));
    await untilNobody();
  });

  it.each(['end', 'reset'] as const)('(%s) in mid-stream', async (leave) => {
    const { client, sink } = await openRequest();
    let told = 0;
    sink.onGone(() => (told += 1));
    sink.head(200, []);
    sink.write(toBytes('first'));
    await untilTrue('the first chunk', () => client.received().includes('first'));
    client[leave]();
    await untilTrue('the news', () => {
      sink.write(toBytes('more'));
      return told > 0;
    });
    sink.end(toBytes('last'));
    await untilNobody();
    expect(told).toBe(1);
    expect(sink.closed).toBe(true);
  });

  it('(end) in its body: 400, and whoever reads it is told', async () => {
    const { next } = catchRequests();
    const client = await openRaw(rig.port);
    await client.send(cutRequest());
    const { inbound, sink } = await next();
    const body = Promise.resolve(inbound.readBody(10));
    client.end();
    await expect(body).rejects.toMatchObject({ status: 408 });
    expect(sink.closed).toBe(true);
    const answer = await client.answer();
    expect(answer.status).toBe(400);
    expect(errorOf(answer.body)).toBe('The request is not valid HTTP/1.1.');
    await untilNobody();
  });

  it('(reset) in its body: a reader that comes later is told too', async () => {
    const { next } = catchRequests();
    const client = await openRaw(rig.port);
    await client.send(cutRequest());
    const { inbound, sink } = await next();
    client.reset();
    await untilTrue('the news', () => sink.closed);
    expect(() => inbound.readBody(10)).toThrow('The body broke off.');
  });

  it('between requests, or before the first', async () => {
    const silent = await openRaw(rig.port);
    const client = await openRaw(rig.port);
    await client.send(hotBytes('a'));
    expect((await client.answer()).status).toBe(200);
    for (const one of [silent, client]) one.end();
    await untilNobody();
  });

  it('slowly: it is waited for, and the rest comes when it reads on', async () => {
    const { client, sink } = await openRequest();
    client.pause();
    sink.head(200, []);
    const piece = new Uint8Array(256 * 1024).fill(120);
    let pieces = 1;
    while (sink.write(piece)) pieces += 1;
    const drained = new Promise<void>((resolve) => sink.onDrain(resolve));
    client.resume();
    await drained;
    sink.end(toBytes('<the end>'));
    const answer = await client.answer();
    expect(answer.complete).toBe(true);
    expect(answer.body).toHaveLength(pieces * piece.length + 9);
    client.reset();
  });

  it('and takes no answers: nothing more of what it asks is read until it does', async () => {
    const answer = new Uint8Array(128 * 1024).fill(120);
    let answered = 0;
    rig.answerWith(({ sink }) => {
      answered += 1;
      sink.send(200, [], answer);
    });
    const client = await openRaw(rig.port);
    client.pause();
    const asked = 600;
    const sending = client.send(Buffer.concat(Array.from({ length: asked }, () => hotBytes('a'))));
    let before = -1;
    // Until nothing moves any more: what a socket and the kernel hold is a few megabytes.
    while (answered > before) {
      before = answered;
      for (let turns = 0; turns < 50; turns += 1) await turn();
    }
    expect(answered * answer.length).toBeLessThan(32 * 1024 * 1024);
    client.resume();
    await sending;
    await untilTrue('all answers', () => answered === asked);
    await client.receivedAtLeast(asked * answer.length);
    client.reset();
  });

  it('slowly, for longer than a connection may be idle: it gets a whole answer to its end', async () => {
    const { client, sink, next } = await openRequest();
    client.pause();
    const body = new Uint8Array(24 * 1024 * 1024).fill(120);
    sink.send(200, [], body);
    rig.clock.laterMs += 100_000;
    // The timer of all connections has looked at this one.
    const looked = await openRaw(rig.port);
    await looked.send(hotBytes('b'));
    await echo(await next());
    await looked.answer();
    rig.clock.laterMs += 100_000;
    await looked.untilClosed(WITHIN_MS);
    expect(client.closed()).toBe(false);
    client.resume();
    const answer = await client.answer();
    expect([answer.complete, answer.body.length]).toEqual([true, body.length]);
    rig.clock.laterMs += 100_000;
    await client.untilClosed(WITHIN_MS);
  });
});

describe('the answer breaks off', () => {
  it('and so does the connection, without telling the one who cut it', async () => {
    const { client, sink } = await openRequest();
    let told = 0;
    sink.onGone(() => (told += 1));
    sink.head(200, []);
    sink.write(toBytes('half'));
    await untilTrue('the half', () => client.received().includes('half'));
    sink.destroy();
    await client.untilClosed(WITHIN_MS);
    await untilNobody();
    expect((await client.answer()).complete).toBe(false);
    expect(told).toBe(0);
  });
});

describe('a server that drains', () => {
  it('closes idle connections, ends running answers, and is closed then', async () => {
    const idle = await openRaw(rig.port);
    await idle.send(hotBytes('a'));
    await idle.answer();
    const silent = await openRaw(rig.port);
    const { next } = catchRequests();
    const running = await openRaw(rig.port);
    await running.send(hotBytes('b'));
    const exchange = await next();
    const closed = once(rig.server, 'close');
    rig.server.close();
    rig.lane.drain();
    for (const client of [idle, silent]) await client.untilClosed(WITHIN_MS);
    expect(running.closed()).toBe(false);
    await echo(exchange);
    const answer = await running.answer();
    expect(answer.body.toString()).toBe('<b>');
    expect(answer.headers.get('connection')).toBe('close');
    await running.untilClosed(WITHIN_MS);
    await closed;
    rig = await openLaneRig();
  });

  it('cuts off what does not end when it is told to', async () => {
    const { next } = catchRequests();
    const running = await openRaw(rig.port);
    await running.send(hotBytes('b'));
    const { sink } = await next();
    const left = new Promise<void>((resolve) => sink.onGone(resolve));
    const closed = once(rig.server, 'close');
    rig.server.close();
    rig.lane.drain();
    rig.lane.closeAll();
    await left;
    expect(sink.closed).toBe(true);
    await closed;
    rig = await openLaneRig();
  });

  it('takes a request on an old connection to the router, once the route is no longer hot', async () => {
    const client = await openRaw(rig.port);
    await client.send(hotBytes('a'));
    await client.answer();
    rig.served.hot = new Map();
    await client.send(requestBytes({ path: '/hot', body: 'b' }));
    await untilTrue('the router', () => bodiesOf(client.received()).length === 2);
    expect(bodiesOf(client.received())).toEqual(['a', 'router']);
    client.reset();
    expect((await rawExchange(rig.port, hotBytes('c'))).body.toString()).toBe('<router>');
  });
});
