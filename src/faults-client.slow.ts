/**
 * What callers do wrong, on purpose or not, against the running gateway over real sockets:
 * malformed, oversized, dripping and lying input gets a clear 4xx, never a 500; headers are clean
 * both ways; no secret leaves by any way; and no request decides where it goes.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  PROMPT,
  answerWell,
  requestBody,
  startFaultRig,
  wrongInError,
  type FaultRig,
} from '#testing/fake-upstream-rig.ts';
import { EARLY_FAULTS } from '#testing/fake-upstream-faults.ts';
import { SSE_HEADERS, completionBody, deltaEvent } from '#testing/fake-upstream-replies.ts';
import { openRaw, rawExchange, requestBytes, type RawAnswer } from '#testing/raw-client.ts';
import { at, parse } from '#testing/recordings-json.ts';

const PATH = '/v1/chat/completions';
const FUZZ_RUNS = 300;
const MEBIBYTE = 1024 * 1024;
/** Node's own limit on waiting for headers is 60 s; ours may be shorter, never longer. */
const SLOWLORIS_MS = 75_000;
type Pair = readonly [name: string, value: string];

describe('faults of callers', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await startFaultRig();
  });

  afterAll(async () => {
    await rig?.dispose();
  });

  function send(body: string | Uint8Array, headers: readonly Pair[] = []): Promise<RawAnswer> {
    const all: Pair[] = [
      ['authorization', `Bearer ${rig.key}`],
      ['content-type', 'application/json'],
      ...headers,
    ];
    return rawExchange(rig.server.port, requestBytes({ path: PATH, headers: all, body }));
  }

  async function expectStillWell(): Promise<void> {
    const answer = await rig.ask('b-alone', 'json');
    expect(answer.status).toBe(200);
  }

  describe('promise 36: malformed input is a 4xx that says why', () => {
    const good = JSON.stringify(requestBody('b-alone', 'json'));
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const cases: readonly (readonly [name: string, body: string | Buffer])[] = [
      ['an empty body', ''],
      ['no JSON', 'hello'],
      ['JSON that is no object', '[1]'],
      ['null', 'null'],
      ['a body cut short', good.slice(0, -10)],
      ['two values', `${good}${good}`],
      [
        'not UTF-8',
        Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xff, 0xfe, 0x22, 0x7d])]),
      ],
      ['a repeated key', `{"model":"b-alone",${good.slice(1)}`],
      ['a repeated key in disguise', `{"\\u006dodel":"b-alone",${good.slice(1)}`],
      ['absurd depth', `{"model":"b-alone","messages":${deep}}`],
      ['no model', '{"messages":[{"role":"user","content":"hi"}]}'],
      ['no messages', '{"model":"b-alone"}'],
      ['empty messages', '{"model":"b-alone","messages":[]}'],
      ['messages of the wrong type', '{"model":"b-alone","messages":{"role":"user"}}'],
      [
        'a model of the wrong type',
        '{"model":{"$ne":1},"messages":[{"role":"user","content":"x"}]}',
      ],
      ['an unknown role', '{"model":"b-alone","messages":[{"role":"root","content":"x"}]}'],
      ['an infinite number', good.replace('200', '1e999')],
      ['a negative limit', good.replace('200', '-1')],
      ['a million messages of nothing', `{"model":"b-alone","messages":[${'0,'.repeat(1e6)}0]}`],
    ];

    it.each(cases)('%s', async (_name, body) => {
      rig.fake.forget();
      const answer = await send(body);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(wrongInError(parse(answer.body.toString('utf8')))).toEqual([]);
      expect(rig.fake.received).toHaveLength(0);
    });

    it('an own __proto__ pollutes nothing', async () => {
      const body = `{"__proto__":{"stream":true,"polluted":1},${good.slice(1)}`;
      const answer = await send(body);
      expect(answer.status).toBeLessThan(500);
      expect(answer.headers.get('content-type')).toContain('application/json');
      await expectStillWell();
    });

    it('no bytes whatever are a 500', { timeout: 180_000 }, async () => {
      rig.fake.on('/b', answerWell);
      const mutation = fc.record({
        at: fc.nat(good.length),
        remove: fc.nat(12),
        insert: fc.oneof(
          fc.string({ unit: 'binary', maxLength: 8 }),
          fc.json({ maxDepth: 3 }),
          fc.constantFrom('{', '}', '[', ']', '"', '\\u0000', '\u0000', ',', ':', '1e400', '-0'),
        ),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
          let body = good;
          for (const one of mutations) {
            body = body.slice(0, one.at) + one.insert + body.slice(one.at + one.remove);
          }
          const answer = await send(body);
          expect(answer.status).not.toBeNull();
          expect(answer.status).toBeLessThan(500);
        }),
        { numRuns: FUZZ_RUNS },
      );
    });

    it.each([
      ['/v1/keys', '{"name":5}'],
      ['/v1/keys', '{"nmae":"typo"}'],
      ['/v1/keys', '{"name":"x","limit":"-5"}'],
      ['/v1/credits/grants', '{"amount_usd":"1e5"}'],
      ['/v1/credits/grants', '{"amount_usd":"-1","reason":"x"}'],
      ['/v1/nowhere', '{}'],
    ])('POST %s with %s', async (path, body) => {
      const headers: Pair[] = [
        ['authorization', `Bearer ${rig.server.managementKey}`],
        ['content-type', 'application/json'],
      ];
      const answer = await rawExchange(rig.server.port, requestBytes({ path, headers, body }));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(wrongInError(parse(answer.body.toString('utf8')))).toEqual([]);
    });

    it('a mistyped key is a 401, on every header that carries keys (promise 30)', async () => {
      const wrong = `${rig.key.slice(0, -1)}${rig.key.endsWith('a') ? 'b' : 'a'}`;
      const forms: readonly Pair[] = [
        ['authorization', `Bearer ${wrong}`],
        ['x-api-key', wrong],
        ['api-key', wrong],
        ['x-goog-api-key', wrong],
      ];
      for (const form of forms) {
        const bytes = requestBytes({ path: PATH, headers: [form], body: good });
        const answer = await rawExchange(rig.server.port, bytes);
        expect(answer.status).toBe(401);
        expect(at(parse(answer.body.toString('utf8')), 'error', 'code')).toBe('invalid_api_key');
      }
    });
  });

  describe('promise 37: limits on size and time hold', () => {
    it('a declared length beyond the limit is refused before the body comes', async () => {
      const client = await openRaw(rig.server.port);
      const head =
        `POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.key}\r\n` +
        `content-type: application/json\r\ncontent-length: ${10 * 1024 * MEBIBYTE}\r\n\r\n`;
      await client.send(head);
      const answer = await client.answer();
      expect(answer.status).toBe(413);
      expect(at(parse(answer.body.toString('utf8')), 'error', 'code')).toBe('request_too_large');
      client.reset();
    });

    it('the official client is told so, every time, and not cut off while it sends', async () => {
      const client = new OpenAI({ baseURL: rig.server.baseUrl, apiKey: rig.key, maxRetries: 0 });
      const content = 'y'.repeat(40 * MEBIBYTE);
      for (let n = 0; n < 4; n += 1) {
        const asked = client.chat.completions.create({
          model: 'b-alone',
          messages: [{ role: 'user', content }],
        });
        await expect(asked).rejects.toMatchObject({ status: 413, code: 'request_too_large' });
      }
    });

    it('a chunked body beyond the limit is refused while it comes', async () => {
      const client = await openRaw(rig.server.port);
      await client.send(
        `POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.key}\r\n` +
          'content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
      );
      const chunk = Buffer.alloc(MEBIBYTE, ' ');
      for (let n = 0; n < 200 && !client.closed() && client.received().length === 0; n += 1) {
        await client.send(Buffer.concat([Buffer.from('100000\r\n'), chunk, Buffer.from('\r\n')]));
      }
      const answer = await client.answer();
      expect(answer.status).toBe(413);
      client.reset();
      await expectStillWell();
    });

    it('a compressed body is refused or read within the limit, never inflated without end', async () => {
      const bomb = gzipSync(Buffer.alloc(200 * MEBIBYTE, ' '));
      const answer = await send(bomb, [['content-encoding', 'gzip']]);
      expect([400, 413, 415]).toContain(answer.status);
      await expectStillWell();
    });

    it('ten thousand headers are a 431', async () => {
      const flood = Array.from({ length: 10_000 }, (_, n): Pair => [`x-${n}`, 'y'.repeat(20)]);
      const answer = await send('{}', flood);
      expect(answer.status).toBe(431);
      await expectStillWell();
    });

    it('headers that drip for ever are hung up on', { timeout: 2 * SLOWLORIS_MS }, async () => {
      const client = await openRaw(rig.server.port);
      const head = `POST ${PATH} HTTP/1.1\r\nhost: x\r\nx-slow: ${'z'.repeat(1_000)}`;
      const dripping = client.sendSlowly(head, { size: 1, everyMs: 200 });
      await client.untilClosed(SLOWLORIS_MS);
      expect(client.closed()).toBe(true);
      client.reset();
      await dripping;
    });

    it('a reader that does not read stops the upstream, and nobody else (promise 20)', async () => {
      const event = deltaEvent({ content: 'x'.repeat(64 * 1024) });
      const events = Array.from({ length: 1_024 }, () => ({ do: 'write', bytes: event }) as const);
      rig.fake.forget();
      rig.fake.on('/stops', () => [
        { do: 'head', status: 200, headers: SSE_HEADERS },
        ...events,
        { do: 'end' },
      ]);
      const client = await openRaw(rig.server.port);
      const body = JSON.stringify(requestBody('stops-alone', 'stream'));
      const headers: Pair[] = [['authorization', `Bearer ${rig.key}`]];
      await client.send(requestBytes({ path: PATH, headers, body }));
      await client.receivedAtLeast(1);
      client.pause();
      const written = () => rig.fake.at('/stops')[0]?.bytesWritten ?? 0;
      let before = -1;
      // Settled: nothing more was taken between two looks.
      await expect
        .poll(() => written() === before || ((before = written()), false), {
          interval: 500,
          timeout: 15_000,
        })
        .toBe(true);
      expect(written()).toBeLessThan(32 * MEBIBYTE);
      await expectStillWell();
      client.reset();
      await rig.fake.until('the abort', () => rig.fake.at('/stops')[0]?.aborted !== null);
    });
  });

  describe('promise 38: headers are clean both ways', () => {
    it('what a caller sends about itself stays here', async () => {
      rig.fake.forget();
      rig.fake.on('/b', answerWell);
      const answer = await send(JSON.stringify(requestBody('b-alone', 'json')), [
        ['connection', 'keep-alive, x-smuggled'],
        ['x-smuggled', 'yes'],
        ['cookie', 'session=1'],
        ['x-forwarded-for', '10.0.0.1'],
        ['x-forwarded-host', 'evil.example'],
        ['forwarded', 'for=10.0.0.1'],
        ['proxy-authorization', 'Basic eA=='],
        ['te', 'trailers'],
        ['openai-organization', 'org-of-the-caller'],
        ['user-agent', 'caller-agent'],
      ]);
      expect(answer.status).toBe(200);
      const upstream = rig.fake.at('/b')[0];
      const names = [...(upstream?.headers.keys() ?? [])];
      for (const name of ['x-smuggled', 'cookie', 'x-forwarded-for', 'x-forwarded-host']) {
        expect(names).not.toContain(name);
      }
      for (const name of ['forwarded', 'proxy-authorization', 'te', 'openai-organization']) {
        expect(names).not.toContain(name);
      }
      expect(upstream?.headers.get('host')).toBe(`127.0.0.1:${rig.fake.port}`);
      expect(JSON.stringify(upstream?.rawHeaders)).not.toContain(rig.key);
    });

    it('what an upstream says about itself does not reach the caller (contract: Answers, nothing of the upstream)', async () => {
      const hostile: Pair[] = [
        ['content-type', 'application/json'],
        ['set-cookie', 'a=b'],
        ['server', 'secret-host'],
        ['openai-organization', 'org-canary'],
        ['x-request-id', 'req_of_the_upstream'],
        ['x-ratelimit-remaining-tokens', '1'],
        ['access-control-allow-origin', '*'],
        ['location', 'http://evil.example'],
        ['www-authenticate', 'Basic'],
      ];
      rig.fake.on('/a', () => [
        { do: 'head', status: 200, headers: hostile },
        { do: 'write', bytes: completionBody() },
        { do: 'end' },
      ]);
      const answer = await send(JSON.stringify(requestBody('a-alone', 'json')));
      expect(answer.status).toBe(200);
      for (const name of ['set-cookie', 'openai-organization', 'location', 'www-authenticate']) {
        expect(answer.headers.has(name)).toBe(false);
      }
      expect(answer.headers.get('server') ?? '').not.toContain('secret-host');
      expect(answer.headers.get('x-request-id')).toMatch(/^req_(?!of_the_upstream)/);
      expect(answer.headers.get('x-generation-id')).toMatch(/^gen_/);
    });

    it.each([
      ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n\r\n{}'],
      [
        'a length and chunks',
        'content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
      ],
      ['a bare line feed in a header', 'x-a: 1\nx-b: 2\r\ncontent-length: 2\r\n\r\n{}'],
      ['a space before the colon', 'content-length : 2\r\n\r\n{}'],
    ])('%s are refused', async (_name, rest) => {
      const start = `POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.key}\r\n`;
      const answer = await rawExchange(rig.server.port, start + rest);
      expect(answer.status).toBe(400);
    });
  });

  describe('promise 32: no request decides where it goes', () => {
    it('fields and headers that name a host or a key reach nobody (contract: Answers, no host in a request)', async () => {
      rig.fake.forget();
      rig.fake.on('/b', answerWell);
      const elsewhere = rig.stranger.origin;
      const fields = {
        base_url: elsewhere,
        api_base: elsewhere,
        api_key: 'sk-of-the-caller',
        host: elsewhere,
        url: elsewhere,
        endpoint: elsewhere,
        custom_host: elsewhere,
        extra_headers: { authorization: 'Bearer stolen', host: elsewhere },
        extra_body: { base_url: elsewhere },
      };
      const headers: Pair[] = [
        ['x-portkey-custom-host', elsewhere],
        ['x-base-url', elsewhere],
        ['x-upstream-url', elsewhere],
        ['x-forwarded-host', elsewhere],
        ['host', elsewhere.replace('http://', '')],
      ];
      const answer = await send(
        JSON.stringify(requestBody('b-alone', 'json', fields)),
        headers.slice(0, 4),
      );
      expect(answer.status).toBeLessThan(500);
      const upstream = rig.fake.at('/b')[0];
      expect(upstream?.headers.get('authorization')).toBe(`Bearer ${rig.secrets[1]}`);
      expect(rig.stranger.received).toHaveLength(0);
      // What looks like ours and is not is refused.
      const body = JSON.stringify(requestBody('b-alone', 'json'));
      expect((await send(body, [['x-omnix-base-url', elsewhere]])).status).toBe(400);
      expect(rig.stranger.received).toHaveLength(0);
    });
  });

  describe('promises 33, 34: no secret and no prompt stays behind', () => {
    it('not in the log, through every failure', async () => {
      for (const fault of EARLY_FAULTS) {
        if (fault.slow === true) continue;
        rig.fake.on('/a', () => fault.reply('json'));
        await rig.ask('a-alone', 'json');
      }
      await send('{"model":"b-alone","messages":"prompt-canary-in-a-bad-body"}');
      // The first start shows the owner's keys to whoever watches it; no line of the log ever does.
      const lines = rig.server.output().split('\n');
      const log = lines.filter((line) => line.startsWith('{')).join('\n');
      expect(log).toContain('"request"');
      for (const secret of rig.secrets) expect(log).not.toContain(secret);
      const shown = lines.filter((line) => !line.startsWith('{')).join('\n');
      for (const secret of rig.secrets.slice(0, -1)) expect(shown).not.toContain(secret);
      expect(log).not.toContain(PROMPT);
      expect(log).not.toContain('prompt-canary');
    });

    it('not in the data directory: the database, the journal, any file', async () => {
      await rig.ask('b-alone', 'stream');
      await expect.poll(async () => (await rig.server.credits()).held, { timeout: 3_000 }).toBe(0);
      const found: string[] = [];
      for (const name of readdirSync(rig.server.dataDir, { recursive: true, encoding: 'utf8' })) {
        const path = join(rig.server.dataDir, name);
        if (!statSync(path).isFile()) continue;
        const bytes = readFileSync(path);
        for (const secret of [...rig.secrets, PROMPT]) {
          if (bytes.includes(secret)) found.push(`${name} holds ${secret}`);
        }
      }
      expect(found).toEqual([]);
    });
  });
});
