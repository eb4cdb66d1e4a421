/**
 * Every row of the error table, read by the official client: the oracle for class, fields and
 * retries.
 */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  ERROR_TABLE,
  GatewayError,
  toGatewayError,
  type ErrorCode,
  type ErrorRow,
} from './errors.ts';
import { errorHeaders, toOpenAiErrorBody, toOpenAiErrorChunk } from './openai-error.ts';

const REQUEST_ID = 'req_test';

const CODES = Object.keys(ERROR_TABLE).filter((code): code is ErrorCode => code in ERROR_TABLE);

const CLASSES: Readonly<Record<number, unknown>> = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  403: OpenAI.PermissionDeniedError,
  404: OpenAI.NotFoundError,
  409: OpenAI.ConflictError,
  422: OpenAI.UnprocessableEntityError,
  429: OpenAI.RateLimitError,
  500: OpenAI.InternalServerError,
  502: OpenAI.InternalServerError,
  503: OpenAI.InternalServerError,
  504: OpenAI.InternalServerError,
};

function toResponse(error: GatewayError): Response {
  const headers = new Headers({ 'content-type': 'application/json', 'x-request-id': REQUEST_ID });
  for (const [name, value] of errorHeaders(error)) headers.append(name, value);
  return new Response(JSON.stringify(toOpenAiErrorBody(error, REQUEST_ID)), {
    status: error.status,
    headers,
  });
}

/** Calls through the official client, which gets `error` as often as it asks. */
async function callInto(error: GatewayError): Promise<{ raised: unknown; calls: number }> {
  let calls = 0;
  const client = new OpenAI({
    apiKey: 'sk-none',
    maxRetries: 1,
    fetch: () => {
      calls += 1;
      return Promise.resolve(toResponse(error));
    },
  });
  const raised = await client.chat.completions
    .create({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
    .then(
      () => null,
      (failure: unknown) => failure,
    );
  return { raised, calls };
}

type Fetch = () => Promise<Response>;

/** Asks with two retries; never rejects. */
async function askOpenAi(fetch: Fetch): Promise<unknown> {
  return new OpenAI({ apiKey: 'sk-none', maxRetries: 2, fetch }).models.list().catch(String);
}

async function askAnthropic(fetch: Fetch): Promise<unknown> {
  return new Anthropic({ apiKey: 'sk-none', maxRetries: 2, fetch }).models.list().catch(String);
}

afterEach(() => {
  vi.useRealTimers();
});

describe('the error table, read by the official client', () => {
  it.each(CODES)('%s raises the class of its status with all its fields', async (code) => {
    const error = new GatewayError(code, { param: 'some[0].field', retryAfterMs: 1 });
    const { raised, calls } = await callInto(error);
    const row = ERROR_TABLE[code];
    expect(raised).toBeInstanceOf(CLASSES[row.status] ?? OpenAI.APIError);
    expect(raised).toMatchObject({
      status: row.status,
      code,
      type: row.type,
      param: 'some[0].field',
      requestID: REQUEST_ID,
    });
    expect(calls, 'retries only as x-should-retry says').toBe(row.clientRetries ? 2 : 1);
  });

  it.each(CODES)(
    '%s is tried again exactly when the headers say so, and after what they say',
    async (code) => {
      for (const create of [askOpenAi, askAnthropic]) {
        vi.useFakeTimers();
        const times: number[] = [];
        const asking = create(() => {
          times.push(Date.now());
          return Promise.resolve(toResponse(new GatewayError(code)));
        });
        await vi.runAllTimersAsync();
        await asking;
        vi.useRealTimers();
        const row: ErrorRow = ERROR_TABLE[code];
        const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
        expect(pauses).toHaveLength(row.clientRetries ? 2 : 0);
        const asked = row.retryAfterMs;
        const other = pauses.filter((pause) => asked !== undefined && pause !== asked);
        expect(other).toEqual([]);
      }
    },
  );

  it('keeps an upstream status that one code stands for', async () => {
    const error = new GatewayError('invalid_request_error', { status: 422 });
    const { raised } = await callInto(error);
    expect(raised).toBeInstanceOf(OpenAI.UnprocessableEntityError);
  });

  it('is not retried once every target was tried', async () => {
    const error = new GatewayError('rate_limit_exceeded', {
      limitSource: 'upstream',
      shouldRetry: false,
    });
    expect((await callInto(error)).calls).toBe(1);
  });

  it('is not retried when the pause is longer than clients wait', async () => {
    const error = new GatewayError('rate_limit_exceeded', { retryAfterMs: 60_001 });
    expect((await callInto(error)).calls).toBe(1);
    expect(new Map(errorHeaders(error)).get('retry-after')).toBe('61');
  });

  it('raises out of a stream that broke after its first chunk', async () => {
    const chunk = {
      id: 'gen_1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }],
    };
    const error = new GatewayError('upstream_error', { provider: 'sandbox' });
    const body = `data: ${JSON.stringify(chunk)}\n\n${toOpenAiErrorChunk(error, REQUEST_ID)}`;
    const client = new OpenAI({
      apiKey: 'sk-none',
      fetch: () =>
        Promise.resolve(
          new Response(body, {
            headers: { 'content-type': 'text/event-stream', 'x-request-id': REQUEST_ID },
          }),
        ),
    });
    const stream = await client.chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
    });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of stream) seen.push(event.choices[0]?.delta.content ?? '');
    })();
    await expect(reading).rejects.toMatchObject({ code: 'upstream_error', type: 'server_error' });
    expect(seen).toEqual(['a']);
  });
});

describe('the body and the headers of an error', () => {
  it('always has message, type, param, code and whole metadata', () => {
    for (const code of CODES) {
      const body = toOpenAiErrorBody(new GatewayError(code), REQUEST_ID);
      expect(Object.keys(body.error)).toEqual(['message', 'type', 'param', 'code', 'metadata']);
      expect(body.error.message.length).toBeGreaterThan(10);
      expect(body.error.metadata).toEqual({
        error_type: ERROR_TABLE[code].family,
        provider: null,
        limit_source: null,
        retryable: ERROR_TABLE[code].retryable,
        docs_url: `/docs/errors#${code}`,
        request_id: REQUEST_ID,
      });
    }
  });

  it.each([
    [0, '1', '0'],
    [1, '1', '1'],
    [999.2, '1', '1000'],
    [1001, '2', '1001'],
    [-5, '1', '0'],
  ])('writes a pause of %d ms as %s s and %s ms', (pauseMs, seconds, milliseconds) => {
    const error = new GatewayError('rate_limit_exceeded', { retryAfterMs: pauseMs });
    const headers = new Map(errorHeaders(error));
    expect(headers.get('retry-after')).toBe(seconds);
    expect(headers.get('retry-after-ms')).toBe(milliseconds);
    expect(headers.get('x-should-retry')).toBe('true');
  });

  it('says on a 402 that trying again is useless', () => {
    const unpaid = CODES.filter((code) => ERROR_TABLE[code].status === 402);
    expect(unpaid).toHaveLength(4);
    for (const code of unpaid) {
      const headers = new Map(errorHeaders(new GatewayError(code)));
      expect(headers.get('x-should-retry')).toBe('false');
      expect(headers.has('retry-after')).toBe(false);
    }
  });

  it('leaks nothing of an unforeseen error, promise 34', () => {
    const canary = 'sk-canary at /srv/secret.ts';
    const error = toGatewayError(new Error(canary));
    expect(error.status).toBe(500);
    expect(JSON.stringify(toOpenAiErrorBody(error, REQUEST_ID))).not.toContain('canary');
    expect(error.cause).toBeInstanceOf(Error);
  });
});
