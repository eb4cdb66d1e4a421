/**
 * The lane beside node:http alone: whatever a client sends, both give the same answer, keep or
 * close the connection alike, and reach the upstream alike. What could smuggle a request is never
 * the lane's.
 */
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRaw, type RawAnswer, type RawClient } from '#testing/raw-client.ts';
import { at } from '#testing/recordings-json.ts';
import type { ListeningPort } from '#testing/test-gateway-port.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

const RUNS = 100;
/** Where neither has answered by then, both wait for more. */
const BOTH_WAIT_MS = 100;

let house: TestGateway;
let withLane: ListeningPort;
let nodeAlone: ListeningPort;
const count = { byNode: 0 };
beforeAll(async () => {
  house = await createTestGateway();
  withLane = await house.listen();
  for (const event of ['request', 'clientError']) {
    withLane.server.prependListener(event, () => {
      count.byNode += 1;
    });
  }
  nodeAlone = await house.listen();
  // A lane that drains lets everything by.
  nodeAlone.lane.drain();
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
});
afterAll(() => house.close());

/**
 * What must be alike. Not whether a connection stays after a refusal: node:http asks for the answer
 * before it has looked for the body, and closes; the lane sees that the body is there.
 */
function shapeOf(answer: RawAnswer): unknown {
  const text = answer.body.toString();
  const isRefusal = answer.status !== null && answer.status >= 400;
  const isJson = answer.headers.get('content-type')?.includes('json') === true;
  const json: unknown = isJson ? JSON.parse(text) : null;
  return {
    status: answer.status,
    complete: answer.complete,
    names: [...answer.headers.keys()].filter((name) => name !== 'keep-alive').toSorted(),
    connection: isRefusal ? 'either' : answer.headers.get('connection'),
    error: isJson ? [at(json, 'error', 'code'), at(json, 'error', 'param')] : text,
    choices: isJson ? at(json, 'choices') : null,
  };
}

async function ended(client: RawClient): Promise<RawAnswer> {
  const answer = await client.answer();
  if (answer.headers.get('connection') === 'close') await client.untilClosed(5_000);
  return answer;
}

/** Written by node:http's own parser in place of an answer. */
function isUnreadable({ status, headers }: RawAnswer): boolean {
  return status === 400 && !headers.has('date');
}

async function lastError(client: RawClient): Promise<unknown> {
  await client.untilClosed(5_000);
  const text = client.received().toString();
  const from = text.lastIndexOf('HTTP/1.1 ');
  return [
    text.slice(from, text.indexOf('\r\n', from)),
    at(JSON.parse(text.slice(text.indexOf('\r\n\r\n', from))), 'error', 'code'),
  ];
}

interface Both {
  /** Null: both wait for more. */
  readonly lane: unknown;
  readonly node: unknown;
  /**
   * Bytes after the request were no request. node:http says so in place of the answer where that
   * is not there yet, else after it, as the lane does.
   */
  readonly cutShort: boolean;
}

async function compare(lane: RawClient, node: RawClient): Promise<Both> {
  const [a, b] = await Promise.all([ended(lane), ended(node)]);
  const cutShort = isUnreadable(a) !== isUnreadable(b);
  if (!cutShort) return { lane: shapeOf(a), node: shapeOf(b), cutShort };
  return { lane: await lastError(lane), node: await lastError(node), cutShort };
}

/** More than leave to send the body, which may never come. */
function hasBegun(client: RawClient): boolean {
  return client.received().toString().replace('HTTP/1.1 100 Continue\r\n\r\n', '') !== '';
}

async function askBoth(bytes: Uint8Array): Promise<Both> {
  const [lane, node] = await Promise.all([openRaw(withLane.port), openRaw(nodeAlone.port)]);
  await Promise.all([lane.send(bytes), node.send(bytes)]);
  const waitsUntil = performance.now() + BOTH_WAIT_MS;
  const begun = (): boolean => [lane, node].some((one) => one.closed() || hasBegun(one));
  while (!begun() && performance.now() < waitsUntil) await turn();
  const both = begun() ? await compare(lane, node) : { lane: null, node: null, cutShort: false };
  for (const client of [lane, node]) client.reset();
  return both;
}

const BODY = JSON.stringify({ model: 'at-a', messages: [{ role: 'user', content: 'hi' }] });

function linesOf(body: string): string[] {
  return [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: 127.0.0.1',
    `Authorization: Bearer ${house.keys.live}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
}

function bytesOf(lines: readonly string[], body: string): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}

/** Lines that mean something to whoever frames a request. */
const ODD_LINES = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding : chunked',
  'Content-Length: 3',
  'Content-Length: 0',
  'content-length: +5',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: Keep-Alive, x',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'TE: trailers',
  'Trailer: x-a',
  'Host: other',
  'Host:',
  'Proxy-Connection: close',
  'Content-Encoding: gzip',
  'Content-Type: multipart/form-data; boundary=b',
  'Origin: https://a.example',
  'Authorization: Bearer wrong',
  'X-Api-Key: wrong',
  'x-omnix-max-cost: 0',
  ' folded',
  '\tfolded',
  'no colon',
  ': no name',
  'X-A : b',
  'X-A: b\rc',
  'X-A: b\nc',
  'X-A: b\0c',
  'X-A: \u00e4',
  '',
] as const;

interface Mutation {
  readonly kind: 'line' | 'drop' | 'twice' | 'byte' | 'insert' | 'remove' | 'lineFeed' | 'length';
  readonly at: number;
  readonly line: string;
  readonly byte: number;
}

const mutations = fc.array(
  fc.record<Mutation>({
    kind: fc.constantFrom(
      'line',
      'line',
      'drop',
      'twice',
      'byte',
      'insert',
      'remove',
      'lineFeed',
      'length',
    ),
    at: fc.nat(1_000),
    line: fc.constantFrom(...ODD_LINES),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 9, 10, 13, 32, 44, 58, 127, 128)),
  }),
  { maxLength: 3 },
);

function mutateLines(lines: string[], { kind, at: where, line }: Mutation): void {
  const place = where % lines.length;
  if (kind === 'line') lines.splice(1 + (where % lines.length), 0, line);
  if (kind === 'drop') lines.splice(place, 1);
  if (kind === 'twice') lines.splice(place, 0, lines[place] ?? '');
  if (kind === 'length') lines.push(`Content-Length: ${(where % 200) - 1}`);
}

function mutateBytes(bytes: Buffer, { kind, at: where, byte }: Mutation): Buffer {
  const place = where % bytes.length;
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (kind === 'byte') return Buffer.concat([before, Buffer.from([byte]), after.subarray(1)]);
  if (kind === 'insert') return Buffer.concat([before, Buffer.from([byte]), after]);
  if (kind === 'remove') return Buffer.concat([before, after.subarray(1)]);
  if (kind !== 'lineFeed') return bytes;
  const end = bytes.indexOf('\r\n', place);
  return end < 0 ? bytes : Buffer.concat([bytes.subarray(0, end), bytes.subarray(end + 1)]);
}

function mutated(all: readonly Mutation[]): Buffer {
  const lines = linesOf(BODY);
  for (const one of all) if (lines.length > 0) mutateLines(lines, one);
  let bytes = bytesOf(lines, BODY);
  for (const one of all) bytes = mutateBytes(bytes, one);
  return bytes;
}

describe('the lane and node:http alone', () => {
  it('answer alike, whatever is sent (promise 36) (promise 38)', { timeout: 120_000 }, async () => {
    let byLane = 0;
    await fc.assert(
      fc.asyncProperty(mutations, async (all) => {
        house.fake.forget();
        const before = count.byNode;
        const { lane, node, cutShort } = await askBoth(mutated(all));
        if (count.byNode === before && lane !== null) byLane += 1;
        expect(lane).toEqual(node);
        await house.lifecycle.idle();
        const reached = cutShort ? 0 : house.fake.received.length;
        expect([0, 2]).toContain(reached);
      }),
      { numRuns: RUNS },
    );
    // Neither all nor none: the comparison was one.
    expect(byLane).toBeGreaterThan(RUNS / 20);
    expect(byLane).toBeLessThan(RUNS);
  });
});

describe('what could smuggle a request is answered by node:http (promise 38)', () => {
  const line = (text: string) => (lines: readonly string[]) => [...lines, text];
  const first = (text: string) => (lines: readonly string[]) => [text, ...lines.slice(1)];
  const length = (text: string) => (lines: readonly string[]) => [...lines.slice(0, -1), text];
  const without = (place: number) => (lines: readonly string[]) => lines.toSpliced(place, 1);

  it.each([
    ['length and chunks', line('Transfer-Encoding: chunked')],
    ['chunks alone', length('Transfer-Encoding: chunked')],
    ['chunks twice', length('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked')],
    ['chunks within chunks', length('Transfer-Encoding: chunked, chunked')],
    ['chunks in disguise', line('Transfer-Encoding: xchunked')],
    ['chunks after a tab', line('Transfer-Encoding:\tchunked')],
    ['chunks after a blank name', line('Transfer-Encoding : chunked')],
    ['two lengths', line('Content-Length: 5')],
    ['the same length twice', line(`Content-Length: ${BODY.length}`)],
    ['a list of lengths', length(`Content-Length: ${BODY.length}, ${BODY.length}`)],
    ['a length with a sign', length(`Content-Length: +${BODY.length}`)],
    ['a length with a blank', length('Content-Length: 1 0')],
    ['a length in hex', length('Content-Length: 0x10')],
    ['a length without digits', length('Content-Length:')],
    ['a negative length', length('Content-Length: -1')],
    ['no length', without(4)],
    ['a blank before the colon', line('X-A : b')],
    ['a NUL in a value', line('X-A: b\0c')],
    ['a NUL in a name', line('X-\0: b')],
    ['a bare CR', line('X-A: b\rContent-Length: 0')],
    ['a bare LF', line('X-A: b\nContent-Length: 0')],
    ['a folded line', line('X-A: b\r\n Content-Length: 0')],
    ['a folded length', length(`Content-Length:\r\n ${BODY.length}`)],
    ['an absolute target', first('POST http://x/v1/chat/completions HTTP/1.1')],
    ['a target with a query', first('POST /v1/chat/completions?a HTTP/1.1')],
    ['a target with a fragment', first('POST /v1/chat/completions#a HTTP/1.1')],
    ['a lower-case method', first('post /v1/chat/completions HTTP/1.1')],
    ['another method', first('PUT /v1/chat/completions HTTP/1.1')],
    ['HTTP/1.0', first('POST /v1/chat/completions HTTP/1.0')],
    ['HTTP/2.0', first('POST /v1/chat/completions HTTP/2.0')],
    ['HTTP/0.9', first('POST /v1/chat/completions')],
    ['two blanks in the request line', first('POST  /v1/chat/completions HTTP/1.1')],
    ['no host', without(1)],
    ['two hosts', line('Host: other')],
    ['an upgrade', line('Connection: upgrade\r\nUpgrade: h2c')],
    ['Expect', line('Expect: 100-continue')],
    ['Connection: close', line('Connection: close')],
    ['a header that Connection names', line('Connection: keep-alive, authorization')],
  ])('%s', async (_case, change) => {
    const before = count.byNode;
    const { lane, node, cutShort } = await askBoth(bytesOf(change(linesOf(BODY)), BODY));
    expect(cutShort).toBe(false);
    expect(lane).toEqual(node);
    // Where both wait for more, nobody has read a request.
    expect(lane === null || count.byNode > before).toBe(true);
    await house.lifecycle.idle();
    expect([0, 2]).toContain(house.fake.received.length);
  });
});
