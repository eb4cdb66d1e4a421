/**
 * The fake upstream proves the gateway, so it is proved itself: each script does on the wire what
 * it says.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EARLY_FAULTS } from './fake-upstream-faults.ts';
import { LATE_FAULTS, QUIRKS, repeatedUsage } from './fake-upstream-quirks.ts';
import { TEXT, goodReply } from './fake-upstream-replies.ts';
import { inTurn, startFakeUpstream, type FakeUpstream, type Reply } from './fake-upstream.ts';
import { openRaw, rawExchange, requestBytes } from './raw-client.ts';
import { readRecorded } from './recordings-reading.ts';

describe('the fake upstream', () => {
  let fake: FakeUpstream;

  beforeAll(async () => {
    fake = await startFakeUpstream();
  });

  afterAll(async () => {
    await fake.close();
  });

  const ASK = requestBytes({ path: '/x', body: '{}' });

  /** The bytes that come, whether or not they are an answer; what hangs is given up at once. */
  async function bytesOf(reply: Reply): Promise<Buffer> {
    fake.on('/x', () => reply);
    const client = await openRaw(fake.port);
    const before = fake.received.length;
    await client.send(ASK);
    await fake.until('a request', () => fake.received.length > before);
    const request = fake.received[before];
    const last = reply.at(-1)?.do;
    if (last === 'hang')
      await fake.until('all writes', () => request?.bytesWritten === sizeOf(reply));
    else await fake.until('the end of the script', () => request?.finished === true);
    if (last === 'end') await client.answer();
    else if (last !== 'hang') await client.untilClosed(2_000);
    client.reset();
    return client.received();
  }

  function sizeOf(reply: Reply): number {
    return reply.reduce(
      (sum, step) => sum + (step.do === 'write' ? Buffer.byteLength(step.bytes) : 0),
      0,
    );
  }

  function textIn(body: string, mode: 'json' | 'stream'): string | undefined {
    return readRecorded(body, mode === 'stream').choices.get(0)?.text;
  }

  describe('answers as it is told', () => {
    it.each(['json', 'stream'] as const)('a good %s answer is whole', async (mode) => {
      fake.on('/x', () => goodReply(mode));
      const answer = await rawExchange(fake.port, ASK);
      expect(answer).toMatchObject({ status: 200, complete: true });
      expect(textIn(answer.body.toString('utf8'), mode)).toBe(TEXT);
    });

    const quirks = QUIRKS.flatMap((quirk) => quirk.modes.map((mode) => ({ ...quirk, mode })));
    it.each(quirks)('$name ($mode) still says its text', async ({ reply, mode, text, finish }) => {
      fake.on('/x', () => reply(mode));
      const answer = await rawExchange(fake.port, ASK);
      expect(answer.complete).toBe(true);
      const body = answer.body.toString('utf8').replace(/^\uFEFF/, '');
      expect(textIn(body, mode) === text).toBe(true);
      const choice = readRecorded(body, mode === 'stream').choices.get(0);
      expect(choice?.finish).toBe(finish ?? 'stop');
    });

    const early = EARLY_FAULTS.filter((fault) => fault.mayServe !== true).flatMap((fault) =>
      fault.modes.map((mode) => ({ name: fault.name, mode, reply: () => fault.reply(mode) })),
    );
    it.each(early)('$name ($mode) is no good answer', async ({ name, mode, reply }) => {
      const received = await bytesOf(reply());
      const body = received.toString('latin1').split('\r\n\r\n')[1] ?? '';
      const passes = received.includes('HTTP/1.1 200') && textIn(body, mode) === TEXT;
      // These two carry a whole answer in a frame that must not be believed.
      const inBadFrame =
        name === 'duplicate content-length' || name === 'a body cut short of its length';
      expect(passes && !inBadFrame).toBe(false);
    });

    it.each(LATE_FAULTS)('$name says the beginning and no more', async ({ reply, text }) => {
      const received = (await bytesOf(reply())).toString('utf8');
      expect(received).toContain(' 200 ');
      expect(received).toContain('wörld');
      expect(text).toContain('wörld');
      expect(received).not.toContain('🌍');
    });

    it.each([true, false])(
      'repeated usage (in every chunk: %s) is said more than once',
      async (all) => {
        const received = (await bytesOf(repeatedUsage(all))).toString('utf8');
        expect(received.match(/"usage":\{/g)?.length).toBeGreaterThan(1);
      },
    );

    it('takes its replies in turn and stays with the last', async () => {
      fake.on('/turn', inTurn([[{ do: 'reset' }], goodReply('json')]));
      const ask = requestBytes({ path: '/turn', body: '{}' });
      const statuses = [];
      for (let n = 0; n < 3; n += 1) statuses.push((await rawExchange(fake.port, ask)).status);
      expect(statuses).toEqual([null, 200, 200]);
    });
  });

  describe('records what reaches it', () => {
    it('keeps method, path, headers and body as they came', async () => {
      fake.on('/kept', () => goodReply('json'));
      const headers = [['X-Twice', 'a'] as const, ['x-twice', 'b'] as const];
      await rawExchange(fake.port, requestBytes({ path: '/kept?q=1', headers, body: '{"a":"ü"}' }));
      const request = fake.at('/kept').at(-1);
      expect(request).toMatchObject({ method: 'POST', path: '/kept?q=1', finished: true });
      expect(request?.headers.get('x-twice')).toBe('a, b');
      expect(request?.body.toString('utf8')).toBe('{"a":"ü"}');
      expect(request?.aborted).toBeNull();
    });

    it('tells when the caller left and how much it had been sent', async () => {
      fake.on('/leave', () => [
        { do: 'head', status: 200, headers: [] },
        { do: 'write', bytes: 'twelve bytes' },
        { do: 'hang' },
      ]);
      const client = await openRaw(fake.port);
      await client.send(requestBytes({ path: '/leave', body: '{}' }));
      await client.receivedAtLeast('HTTP/1.1 200 OK twelve bytes'.length);
      client.reset();
      const request = () => fake.at('/leave').at(-1);
      await fake.until('the abort', () => request()?.aborted !== null);
      expect(request()?.aborted?.bytesWritten).toBe(12);
      expect(request()?.finished).toBe(false);
    });
  });
});
