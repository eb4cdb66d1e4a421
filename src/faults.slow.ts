/**
 * What upstreams do wrong, against the running gateway over real sockets: failures before the first
 * byte are invisible, failures after it end in an error event, failures cost nothing, and lies
 * about usage do not reach the bill. The tables of faults are data; this file walks them.
 */
import OpenAI, { APIError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EARLY_FAULTS, UPSTREAM_ACCOUNT, type EarlyFault } from '#testing/fake-upstream-faults.ts';
import { LATE_FAULTS, QUIRKS, USAGE_LIES, repeatedUsage } from '#testing/fake-upstream-quirks.ts';
import { TEXT, USAGE, goodReply, type Mode } from '#testing/fake-upstream-replies.ts';
import {
  INPUT_USD,
  OUTPUT_USD,
  SILENCE_MS,
  TEXT_OF_B,
  answerWell,
  attemptsOf,
  costOf,
  errorCode,
  lastEvent,
  startFaultRig,
  wrongInError,
  type FaultAnswer,
  type FaultRig,
} from '#testing/fake-upstream-rig.ts';
import { at, listOf, numberOf } from '#testing/recordings-json.ts';

const MODES: readonly Mode[] = ['json', 'stream'];
const GOOD_COST = USAGE.prompt_tokens * INPUT_USD + USAGE.completion_tokens * OUTPUT_USD;
const NANO_USD = 1e-9;
/** `max_tokens` of every request. */
const OUTPUT_TOKENS_MAX = 200;
/** How late a timeout may fire: it is looked at every tick, and the machine is shared. */
const TIMEOUT_SLACK_MS = 2_000;

interface EarlyCase {
  readonly name: string;
  readonly mode: Mode;
  readonly fault: EarlyFault;
}

const EARLY: readonly EarlyCase[] = EARLY_FAULTS.flatMap((fault) =>
  fault.modes.map((mode) => ({ name: fault.name, mode, fault })),
);
const UNREACHABLE = ['refused', 'no-tls', 'no-dns'] as const;

describe('faults of upstreams', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await startFaultRig();
  });

  afterAll(async () => {
    await rig?.dispose();
  });

  /** Nothing of ours, of the host's or of where it is may be seen by a caller. */
  function expectNoLeak(answer: FaultAnswer): void {
    const seen = answer.text + JSON.stringify([...answer.headers]);
    for (const secret of [...rig.secrets, UPSTREAM_ACCOUNT, String(rig.fake.port), '/stolen']) {
      expect(seen).not.toContain(secret);
    }
  }

  async function usageSoFar(): Promise<number> {
    await expect.poll(async () => (await rig.server.credits()).held, { timeout: 3_000 }).toBe(0);
    return (await rig.server.credits()).total_usage;
  }

  describe('promise 12: failover is invisible before the first byte', () => {
    it.each(EARLY)('$name ($mode): B answers', async ({ fault, mode }) => {
      rig.fake.forget();
      rig.fake.on('/a', () => fault.reply(mode));
      const answer = await rig.ask('a-then-b', mode);
      expect(answer.status).toBe(200);
      const texts = fault.mayServe === true ? [TEXT, TEXT_OF_B] : [TEXT_OF_B];
      expect(texts).toContain(answer.reading.choices.get(0)?.text);
      expect(answer.done).toBe(mode === 'stream');
      expectNoLeak(answer);
      // One layer of retries: nobody is asked twice (promise 16).
      expect(rig.fake.at('/a')).toHaveLength(1);
      expect(rig.fake.at('/b').length).toBeLessThanOrEqual(1);
      const receipt = await rig.server.receipt(answer.generationId);
      expect(attemptsOf(receipt)).toHaveLength(1 + rig.fake.at('/b').length);
      expect(costOf(receipt)).toBeCloseTo(GOOD_COST, 12);
    });

    it.each(UNREACHABLE)('%s: B answers', async (host) => {
      for (const mode of MODES) {
        const answer = await rig.ask(`${host}-then-b`, mode);
        expect(answer.status).toBe(200);
        expect(answer.reading.choices.get(0)?.text).toBe(TEXT_OF_B);
      }
    });
  });

  describe('promises 11, 14: alone, it is a real status, and it is free', () => {
    const alone = EARLY.filter(({ fault }) => fault.mayServe !== true);
    it.each(alone)('$name ($mode)', async ({ fault, mode }) => {
      const before = await usageSoFar();
      rig.fake.forget();
      rig.fake.on('/a', () => fault.reply(mode));
      const answer = await rig.ask('a-alone', mode);
      expect(fault.alone.statuses, answer.text).toContain(answer.status);
      expect(fault.alone.codes, answer.text).toContain(errorCode(answer.json));
      expect(wrongInError(answer.json)).toEqual([]);
      expect(answer.headers.get('content-type')).toContain('application/json');
      expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
      expectNoLeak(answer);
      expect(rig.fake.at('/a')).toHaveLength(1);
      // Promise 16: what was tried everywhere is not tried again by the client.
      const mayRetry = answer.status === 429 ? answer.headers.get('x-should-retry') : 'false';
      expect(answer.headers.get('x-should-retry')).toBe(mayRetry);
      expect(await usageSoFar()).toBe(before);
    });

    it.each(UNREACHABLE)('%s', async (host) => {
      const before = await usageSoFar();
      const answer = await rig.ask(`${host}-alone`, 'json');
      expect([502, 503, 504]).toContain(answer.status);
      expect(answer.headers.get('x-should-retry')).toBe('false');
      expect(wrongInError(answer.json)).toEqual([]);
      expect(await usageSoFar()).toBe(before);
    });

    it('the pause that a 429 asks for reaches the caller', async () => {
      const seconds = EARLY_FAULTS.find(({ name }) => name === '429 with retry-after in seconds');
      if (seconds === undefined) throw new Error('the table lost a row');
      rig.fake.on('/a', () => seconds.reply('json'));
      const answer = await rig.ask('a-alone', 'json');
      expect(answer.headers.get('retry-after')).toBe('7');
    });
  });

  describe('promises 11, 13, 15: after the first byte, an error event, free, and nobody else is asked', () => {
    it.each(LATE_FAULTS)('$name', async ({ reply, text }) => {
      const before = await usageSoFar();
      rig.fake.forget();
      rig.fake.on('/a', () => reply());
      const start = performance.now();
      const answer = await rig.ask('a-then-b', 'stream');
      const elapsedMs = performance.now() - start;
      expect(answer.status).toBe(200);
      expect(answer.reading.choices.get(0)?.text).toBe(text);
      expect(at(lastEvent(answer.text), 'error')).toBeTypeOf('object');
      expect(wrongInError(lastEvent(answer.text))).toEqual([]);
      expect(answer.done).toBe(false);
      expectNoLeak(answer);
      expect(rig.fake.at('/b')).toHaveLength(0);
      // Promise 15: silence ends within the idle timeout, and the hold is released.
      expect(elapsedMs).toBeLessThan(SILENCE_MS + TIMEOUT_SLACK_MS);
      const receipt = await rig.server.receipt(answer.generationId);
      expect(receipt['outcome']).toBe('broken');
      expect(costOf(receipt)).toBe(0);
      expect(await usageSoFar()).toBe(before);
    });

    it('the official client gets the beginning and then raises', async () => {
      const fault = LATE_FAULTS[0];
      if (fault === undefined) throw new Error('the table is empty');
      rig.fake.on('/a', () => fault.reply());
      const client = new OpenAI({ baseURL: rig.server.baseUrl, apiKey: rig.key, maxRetries: 0 });
      let text = '';
      const read = async () => {
        const stream = await client.chat.completions.create({
          model: 'a-alone',
          messages: [{ role: 'user', content: 'hi' }],
          stream: true,
        });
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      };
      await expect(read()).rejects.toThrow(APIError);
      expect(text).toBe(fault.text);
    });
  });

  describe('what is only strange arrives whole', () => {
    const quirks = QUIRKS.flatMap((quirk) => quirk.modes.map((mode) => ({ ...quirk, mode })));
    it.each(quirks)('$name ($mode)', async ({ reply, mode, text, finish, mayBreak }) => {
      rig.fake.on('/a', () => reply(mode));
      const answer = await rig.ask('a-alone', mode);
      expect(answer.status).toBe(200);
      const broke = at(lastEvent(answer.text), 'error') !== undefined;
      expect(broke).toBe(broke && mayBreak === true && !answer.done);
      if (broke) return;
      const choice = answer.reading.choices.get(0);
      expect(choice?.text === text, 'the text is whole').toBe(true);
      expect(choice?.finish).toBe(finish ?? 'stop');
      expect(answer.done).toBe(mode === 'stream');
      expect(answer.reading.tokens?.total).toBe(USAGE.total_tokens);
      expect(answer.reading.cost).toBeCloseTo(GOOD_COST, 12);
    });
  });

  describe('promise 26: lies about usage do not reach the bill', () => {
    const lies = USAGE_LIES.flatMap((lie) => MODES.map((mode) => ({ ...lie, mode })));
    it.each(lies)('$name ($mode)', async ({ usage, mode, flagged, counted }) => {
      rig.fake.on('/a', () => goodReply(mode, { usage }));
      const answer = await rig.ask('a-alone', mode);
      expect(answer.status).toBe(200);
      expect(answer.reading.choices.get(0)?.text).toBe(TEXT);
      const cost = answer.reading.cost ?? -1;
      expect(cost).toBeGreaterThanOrEqual(counted ? NANO_USD : 0);
      // The text is short and the limit was low: everything beyond is a lie.
      expect(cost).toBeLessThanOrEqual(OUTPUT_TOKENS_MAX * OUTPUT_USD);
      const tokens = answer.reading.tokens;
      for (const count of [tokens?.prompt, tokens?.completion, tokens?.total]) {
        expect(Number.isSafeInteger(count), `a count: ${count}`).toBe(true);
        expect(count).toBeGreaterThanOrEqual(0);
      }
      const receipt = await rig.server.receipt(answer.generationId);
      expect(Math.abs(costOf(receipt) - cost)).toBeLessThan(NANO_USD);
      expect(listOf(receipt['usage_flags']).length > 0).toBe(flagged);
    });

    it.each([
      { everywhere: false, name: 'said twice' },
      { everywhere: true, name: 'said in every chunk' },
    ])('$name: counted once', async ({ everywhere }) => {
      rig.fake.on('/a', () => repeatedUsage(everywhere));
      const answer = await rig.ask('a-alone', 'stream');
      expect(answer.reading.tokens?.total).toBe(USAGE.total_tokens);
      expect(answer.reading.cost).toBeCloseTo(GOOD_COST, 12);
    });

    it.each(MODES)('an explicit zero is zero (%s)', async (mode) => {
      const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
      rig.fake.on('/a', () => goodReply(mode, { usage }));
      const answer = await rig.ask('a-alone', mode);
      expect(answer.reading.cost).toBe(0);
    });
  });

  describe('promise 10: a client that leaves stops the upstream and is billed the truth', () => {
    /** Leaves once `bytes` of the answer came; the generation's id, where headers came. */
    async function leaveAfter(model: string, chunks: number): Promise<string> {
      const abort = new AbortController();
      const response = await fetch(`${rig.server.baseUrl}/chat/completions`, {
        method: 'POST',
        signal: abort.signal,
        headers: { authorization: `Bearer ${rig.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          model,
          stream: true,
          max_tokens: 200,
          messages: [{ role: 'user', content: 'hi there' }],
        }),
      });
      const reader = response.body?.getReader();
      let seen = '';
      while (seen.split('\n\n').length <= chunks) {
        const piece = await reader?.read();
        if (piece?.value === undefined) break;
        seen += new TextDecoder().decode(piece.value);
      }
      abort.abort();
      return response.headers.get('x-generation-id') ?? '';
    }

    it.each([1, 2, 3])(
      'after %i events, where the bill stops with the connection',
      async (chunks) => {
        rig.fake.forget();
        rig.fake.on('/stops', () => [...goodReply('stream').slice(0, 5), { do: 'hang' }]);
        const generationId = await leaveAfter('stops-alone', chunks);
        await rig.fake.until('the abort', () => rig.fake.at('/stops')[0]?.aborted !== null, 3_000);
        const receipt = await rig.server.receipt(generationId);
        expect(receipt['cancelled']).toBe(true);
        expect(costOf(receipt)).toBeGreaterThan(0);
        expect(costOf(receipt)).toBeLessThan(OUTPUT_TOKENS_MAX * OUTPUT_USD);
        await usageSoFar();
      },
    );

    it('where the host bills on, its usage is drained and billed', async () => {
      rig.fake.forget();
      const whole = goodReply('stream');
      rig.fake.on('/a', () => [...whole.slice(0, 4), { do: 'wait', ms: 200 }, ...whole.slice(4)]);
      const generationId = await leaveAfter('a-alone', 2);
      await rig.fake.until('the end', () => rig.fake.at('/a')[0]?.finished === true);
      const receipt = await rig.server.receipt(generationId);
      expect(receipt['cancelled']).toBe(true);
      expect(costOf(receipt)).toBeCloseTo(GOOD_COST, 12);
      expect(rig.fake.at('/a')[0]?.aborted).toBeNull();
    });

    it.each(MODES)('before the first byte (%s)', async (mode) => {
      rig.fake.forget();
      rig.fake.on('/stops', () => [{ do: 'hang' }]);
      const abort = new AbortController();
      const asked = fetch(`${rig.server.baseUrl}/chat/completions`, {
        method: 'POST',
        signal: abort.signal,
        headers: { authorization: `Bearer ${rig.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'stops-alone',
          stream: mode === 'stream',
          max_tokens: 200,
          messages: [{ role: 'user', content: 'hi' }],
        }),
      });
      await rig.fake.until('the request', () => rig.fake.at('/stops').length === 1);
      const before = (await rig.server.credits()).total_usage;
      abort.abort();
      await expect(asked).rejects.toThrow(/abort/i);
      await rig.fake.until('the abort', () => rig.fake.at('/stops')[0]?.aborted !== null, 3_000);
      const after = await usageSoFar();
      // The input at most: nothing was produced.
      expect(after - before).toBeLessThan(OUTPUT_TOKENS_MAX * INPUT_USD);
    });

    it.each(MODES)('after the last byte (%s): the whole cost', async (mode) => {
      rig.fake.on('/stops', answerWell);
      const answer = await rig.ask('stops-alone', mode);
      const receipt = await rig.server.receipt(answer.generationId);
      expect(receipt['cancelled']).toBe(false);
      expect(numberOf(receipt['total_cost'])).toBe(answer.reading.cost);
    });
  });
});
