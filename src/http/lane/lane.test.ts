/** The lane before node:http, on real sockets: what it serves, and that nothing is lost between. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBytes } from '#base/bytes.ts';
import {
  bodiesOf,
  echo,
  hotBytes,
  openLaneRig,
  sendPieces,
  type LaneRig,
} from '#testing/lane-rig.ts';
import { openRaw, rawExchange, requestBytes } from '#testing/raw-client.ts';
import { untilTrue } from '#testing/fake-upstream.ts';

let rig: LaneRig;
beforeEach(async () => {
  rig = await openLaneRig();
});
afterEach(() => rig.close());

const GET = 'GET /other HTTP/1.1\r\nhost: x\r\n\r\n';
const CHUNKED =
  'POST /hot HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nin \r\n6\r\nchunks\r\n0\r\n\r\n';

describe('a plain request of a hot route', () => {
  it('is answered without node:http, and so are those that follow on its connection', async () => {
    const pieces = ['a', 'b', 'c'].map((body) => hotBytes(body));
    expect(bodiesOf(await sendPieces(rig.port, pieces, 3))).toEqual(['a', 'b', 'c']);
    expect(rig.byNode()).toBe(0);
  });

  it('may have its body in later pieces, of any size, or none', async () => {
    const bytes = hotBytes('0123456789');
    const head = bytes.indexOf('0123');
    for (const size of [1, 3, 10]) {
      const body = Array.from({ length: Math.ceil(10 / size) }, (_, n) =>
        bytes.subarray(head + n * size, head + (n + 1) * size),
      );
      const received = await sendPieces(rig.port, [bytes.subarray(0, head), ...body], 1);
      expect(bodiesOf(received)).toEqual(['0123456789']);
    }
    expect(bodiesOf(await sendPieces(rig.port, [hotBytes('')], 1))).toEqual(['']);
    expect(rig.byNode()).toBe(0);
  });

  it('may be as large as a megabyte; node:http reads larger ones', async () => {
    const mebibyte = 1024 * 1024;
    for (const [size, byNode] of [
      [mebibyte, 0],
      [mebibyte + 1, 1],
    ] as const) {
      const { body } = await rawExchange(rig.port, hotBytes('x'.repeat(size)));
      expect(body).toHaveLength(size + 2);
      expect(rig.byNode()).toBe(byNode);
    }
  });

  it('waits for the answer before it: many in one write are answered in order', async () => {
    const waiting: (() => void)[] = [];
    let most = 0;
    rig.answerWith((exchange) => {
      waiting.push(() => void echo(exchange));
      most = Math.max(most, waiting.length);
      setImmediate(() => waiting.pop()?.());
    });
    const sent = Array.from({ length: 10 }, (_, n) => `number ${n}`);
    const all = Buffer.concat(sent.map((body) => hotBytes(body)));
    expect(bodiesOf(await sendPieces(rig.port, [all], 10))).toEqual(sent);
    const halves = [all.subarray(0, 333), all.subarray(333)];
    expect(bodiesOf(await sendPieces(rig.port, halves, 10))).toEqual(sent);
    expect(most).toBe(1);
  });

  it('may begin in one read, behind another, and have its body in many', async () => {
    const body = '0123456789'.repeat(9_000);
    const all = Buffer.concat([hotBytes('first'), hotBytes(body), hotBytes('last')]);
    const behind = hotBytes('first').length;
    for (const cut of [behind + 40, behind + 200, behind + 30_000]) {
      const pieces = [all.subarray(0, cut), all.subarray(cut)];
      rig.answerWith((exchange) => setImmediate(() => void echo(exchange)));
      expect(bodiesOf(await sendPieces(rig.port, pieces, 3))).toEqual(['first', body, 'last']);
    }
  });

  it('is not lost when far more comes than is kept ahead', async () => {
    const sent = Array.from({ length: 40 }, (_, n) => String(n).padStart(10_000, '.'));
    const all = Buffer.concat(sent.map((body) => hotBytes(body)));
    rig.answerWith((exchange) => setImmediate(() => void echo(exchange)));
    expect(bodiesOf(await sendPieces(rig.port, [all], 40))).toEqual(sent);
    expect(rig.byNode()).toBe(0);
  });
});

describe('anything else goes to node:http, with nothing lost or reordered', () => {
  it('a head that comes byte by byte', async () => {
    const bytes = hotBytes('slow');
    const pieces = Array.from(bytes, (_, n) => bytes.subarray(n, n + 1));
    expect(bodiesOf(await sendPieces(rig.port, pieces, 1))).toEqual(['slow']);
    expect(rig.byNode()).toBe(1);
  });

  it('after many requests of the lane', async () => {
    const lane = Array.from({ length: 50 }, (_, n) => hotBytes(`lane ${n}`));
    const received = await sendPieces(rig.port, [...lane, CHUNKED, GET, hotBytes('node')], 53);
    expect(bodiesOf(received).slice(49)).toEqual(['lane 49', 'in chunks', 'router', 'node']);
    expect(rig.byNode()).toBe(3);
  });

  it('a request that is cut anywhere, after one that is not', async () => {
    const all = Buffer.concat([hotBytes('one'), Buffer.from(GET), hotBytes('two')]);
    for (let at = 1; at < all.length; at += 1) {
      const pieces = [all.subarray(0, at), all.subarray(at)];
      expect(bodiesOf(await sendPieces(rig.port, pieces, 3))).toEqual(['one', 'router', 'two']);
    }
  });

  it('what was sent ahead, more than is kept', async () => {
    const sent = Array.from({ length: 30 }, (_, n) => String(n).padStart(10_000, '.'));
    const all = [hotBytes('first'), Buffer.from(CHUNKED), ...sent.map((body) => hotBytes(body))];
    rig.answerWith((exchange) => setImmediate(() => void echo(exchange)));
    const received = await sendPieces(rig.port, [Buffer.concat(all)], 32);
    expect(bodiesOf(received)).toEqual(['first', 'in chunks', ...sent]);
    expect(rig.byNode()).toBe(31);
  });

  it.each([
    ['an empty line before it', '\r\n', ''],
    ['two empty lines', '\r\n\r\n', ''],
    ['the line end that old clients add', '', '\r\n'],
  ])('%s', async (_case, before, after) => {
    const bytes = [before, hotBytes('a').toString(), after, hotBytes('b').toString()].join('');
    expect(bodiesOf(await sendPieces(rig.port, [bytes], 2))).toEqual(['a', 'b']);
  });
});

describe('an answer of the lane', () => {
  /** Not plain, and otherwise the same to a handler. */
  const toNode = [['te', 'trailers']] as const;

  async function headLines(bytes: Uint8Array): Promise<readonly string[]> {
    const client = await openRaw(rig.port);
    await client.send(bytes);
    await client.answer();
    client.reset();
    const [head = ''] = client.received().toString('latin1').split('\r\n\r\n');
    return head.split('\r\n').map((line) => line.replace(/^Date: .{29}$/, 'Date: now'));
  }

  it.each([
    ['whole', 200],
    ['whole, of an error', 429],
    ['whole, of a status without a name', 599],
    ['streamed', 200],
  ])('has the lines that node:http would have written: %s', async (kind, status) => {
    const headers = [
      ['content-type', 'text/plain'],
      ['x-odd', '\t ~'],
    ] as const;
    rig.answerWith(({ inbound, sink }) => {
      void Promise.resolve(inbound.readBody(0)).then(() => {
        if (kind !== 'streamed') return sink.send(status, headers, toBytes('whole'));
        sink.head(status, headers);
        return sink.end(toBytes('last'));
      });
    });
    for (const more of [[], [['origin', 'https://a.example']] as const]) {
      const byLane = await headLines(hotBytes('', more));
      const count = rig.byNode();
      const byNode = await headLines(hotBytes('', [...more, ...toNode]));
      expect(rig.byNode()).toBe(count + 1);
      expect(byLane[0]).toBe(byNode[0]);
      expect(byLane.toSorted()).toEqual(byNode.toSorted());
    }
  });

  it('to a body that was refused closes the connection in the same words', async () => {
    rig.answerWith(({ sink }) => sink.send(413, [], toBytes('too large')));
    const cut = (more: readonly (readonly [string, string])[]): Buffer =>
      requestBytes({ path: '/hot', headers: [['content-length', '10'], ...more] });
    const lower = (lines: readonly string[]) => lines.map((line) => line.toLowerCase()).toSorted();
    expect(lower(await headLines(cut([])))).toEqual(lower(await headLines(cut(toNode))));
  });

  it('is intact in chunks of any size, and its end may carry bytes', async () => {
    const sizes = [1, 0, 15, 16, 0, 16 * 1024, 16 * 1024 + 1, 300_000];
    const bytes = sizes.map((size, n) => new Uint8Array(size).fill(97 + n));
    for (const [last, kept] of [
      [undefined, []],
      [new Uint8Array(0), []],
      [toBytes('the end'), [toBytes('the end')]],
      [new Uint8Array(100_000).fill(33), [new Uint8Array(100_000).fill(33)]],
    ] as const) {
      rig.answerWith(({ sink }) => {
        sink.head(200, []);
        for (const piece of bytes) sink.write(piece);
        sink.end(last);
      });
      const answer = await rawExchange(rig.port, hotBytes(''));
      expect(answer.complete).toBe(true);
      expect(answer.body.equals(Buffer.concat([...bytes, ...kept]))).toBe(true);
    }
  });

  it('shows its head before its first bytes are there', async () => {
    const ended = Promise.withResolvers<void>();
    rig.answerWith(({ sink }) => {
      sink.head(200, []);
      void ended.promise.then(() => sink.end());
    });
    const client = await openRaw(rig.port);
    await client.send(hotBytes(''));
    await untilTrue('the head', () => client.received().includes('\r\n\r\n'));
    ended.resolve();
    expect(await client.answer()).toMatchObject({ status: 200, complete: true });
    client.reset();
  });

  it('never has a header that holds another line', async () => {
    const thrown: unknown[] = [];
    rig.answerWith(({ sink }) => {
      for (const header of [
        ['x-a', 'b\r\nx-injected: 1'],
        ['x-a', 'b\nc'],
        ['x-a', '\u010d\u010ax-injected: 1'],
        ['x-a\r\nx-injected', '1'],
        ['x a', '1'],
      ] as const) {
        for (const begin of [
          () => sink.head(200, [header]),
          () => sink.send(200, [header], toBytes('x')),
        ]) {
          try {
            begin();
          } catch (error) {
            thrown.push(error);
          }
        }
      }
      expect(sink.committed).toBe(false);
      sink.send(500, [], toBytes('refused'));
    });
    const answer = await rawExchange(rig.port, hotBytes(''));
    expect(thrown).toHaveLength(10);
    expect(answer).toMatchObject({ status: 500, body: Buffer.from('refused') });
    expect(answer.headers.has('x-injected')).toBe(false);
  });

  it('leaves the next one alone once it has ended', async () => {
    rig.answerWith((exchange) => {
      void echo(exchange).then(() => {
        const { sink } = exchange;
        expect(sink.closed).toBe(true);
        sink.write(toBytes('<late>'));
        sink.end(toBytes('<late>'));
        sink.send(200, [], toBytes('<late>'));
        sink.destroy();
      });
    });
    const pieces = [hotBytes('a'), hotBytes('b')];
    expect(bodiesOf(await sendPieces(rig.port, pieces, 2))).toEqual(['a', 'b']);
  });
});
