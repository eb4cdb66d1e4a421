/**
 * Refusals of the family in all their forms: whose fault it is decides failover and what is shown.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UpstreamError } from '#providers/provider.ts';
import { readError } from './errors.ts';

const NOW_MS = Date.parse('2026-11-20T12:00:00Z');

function read(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): UpstreamError {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readError({ status, headers, body: new TextEncoder().encode(text), nowMs: NOW_MS });
}

describe('reads whose fault it is', () => {
  it.each<[string, number, unknown, UpstreamError['kind']]>([
    [
      'a full context',
      400,
      { error: { message: 'too long', code: 'context_length_exceeded' } },
      'context_length',
    ],
    [
      'a long prompt in prose',
      400,
      { error: { message: "This model's maximum context length is 8192 tokens." } },
      'context_length',
    ],
    [
      'a bad parameter',
      400,
      { error: { message: 'Unknown parameter: foo', param: 'foo', code: null } },
      'invalid_request',
    ],
    [
      'FastAPI',
      422,
      { detail: [{ loc: ['body', 'top_p'], msg: 'must be below 1', type: 'x' }] },
      'invalid_request',
    ],
    ['a body too large', 413, 'Payload Too Large', 'invalid_request'],
    [
      'a filter of Azure',
      400,
      {
        error: {
          code: 'content_filter',
          message: 'm',
          innererror: { code: 'ResponsibleAIPolicyViolation' },
        },
      },
      'content_filter',
    ],
    [
      'a filter of DeepSeek',
      400,
      { error: { message: 'Content Exists Risk', type: 'invalid_request_error' } },
      'content_filter',
    ],
    [
      'a filter of Alibaba',
      400,
      {
        error: {
          message: 'Input data may contain inappropriate content.',
          code: 'data_inspection_failed',
        },
      },
      'content_filter',
    ],
    [
      'moderation by OpenRouter',
      403,
      {
        error: {
          code: 403,
          message: 'refused',
          metadata: { reasons: ['violence'], flagged_input: 'x' },
        },
      },
      'content_filter',
    ],
  ])('the caller: %s', (_case, status, body, kind) => {
    expect(read(status, body)).toMatchObject({ kind, retry: 'never', status });
  });

  it.each<[string, number, unknown, UpstreamError['kind']]>([
    [
      'a bad key',
      401,
      { error: { message: 'Incorrect API key provided: sk-abc***def', code: 'invalid_api_key' } },
      'authentication',
    ],
    [
      'a bad key at xAI',
      400,
      {
        code: 'Client specified an invalid argument',
        error: 'Incorrect API key provided: xa***f. ',
      },
      'authentication',
    ],
    [
      'a bad key at Google',
      400,
      [{ error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' } }],
      'authentication',
    ],
    [
      'a deployment of Azure that answers no chat',
      400,
      { error: { code: 'OperationNotSupported', message: 'The operation does not work.' } },
      'model_not_found',
    ],
    ['a bad key at Mistral', 401, { detail: 'Unauthorized' }, 'authentication'],
    [
      'an empty account',
      402,
      { error: { message: 'Insufficient Balance', code: 'invalid_request_error' } },
      'billing',
    ],
    [
      'a used up quota',
      429,
      { error: { message: 'You exceeded your current quota', type: 'insufficient_quota' } },
      'billing',
    ],
    [
      'a forbidden region',
      403,
      { error: { message: 'Country not supported', code: 'unsupported_country' } },
      'permission',
    ],
    [
      'an unknown model',
      404,
      { error: { message: 'The model `x` does not exist', code: 'model_not_found' } },
      'model_not_found',
    ],
    [
      'an unknown deployment',
      404,
      { error: { code: 'DeploymentNotFound', message: 'no' } },
      'model_not_found',
    ],
    [
      'an unknown model as 400',
      400,
      { message: 'Invalid model: x', type: 'invalid_model', code: '1500' },
      'model_not_found',
    ],
    ['a missing page', 404, { detail: 'Not Found' }, 'model_not_found'],
    ['a limit', 429, { error: { message: 'slow down' } }, 'rate_limit'],
    [
      'a limit as 413',
      413,
      { error: { message: 'Request too large: tokens per minute', code: 'rate_limit_exceeded' } },
      'rate_limit',
    ],
    ['overload', 529, { error: { type: 'overloaded_error', message: 'Overloaded' } }, 'overloaded'],
    [
      'overload as 500',
      500,
      { error: { message: 'The engine is currently overloaded' } },
      'overloaded',
    ],
    ['an outage', 503, '', 'overloaded'],
    ['a page of markup', 502, '<html><body>nginx 10.0.0.3</body></html>', 'server_error'],
    ['a timeout', 504, 'upstream request timeout', 'timeout'],
    ['a slow request', 408, {}, 'timeout'],
    ['a plain text', 500, { error: 'model runner has stopped' }, 'server_error'],
    ['a conflict', 409, { error: { message: 'busy' } }, 'server_error'],
    ['a redirect', 302, '', 'server_error'],
  ])('the host or our credential: %s', (_case, status, body, kind) => {
    expect(read(status, body)).toMatchObject({ kind, retry: 'elsewhere', status });
  });
});

describe('what a host takes in another dialect only', () => {
  it.each([
    'Function tools with reasoning_effort are not supported for gpt-5.4 in /v1/chat/completions. ' +
      'Please use /v1/responses instead.',
    'Function tools with reasoning_effort are not supported for gpt-5.6-sol in ' +
      "/v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
  ])('may be taken elsewhere, and is the request all the same: %s', (message) => {
    const error = { message, type: 'invalid_request_error', param: 'reasoning_effort', code: null };
    expect(read(400, { error })).toMatchObject({
      kind: 'invalid_request',
      retry: 'elsewhere',
      message,
      param: 'reasoning_effort',
    });
  });

  it('is not what the caller says of it', () => {
    expect(read(422, { error: { message: 'Bad value "use /v1/responses".' } }).retry).toBe('never');
  });
});

describe('a caller cannot make his own mistake look like ours', () => {
  it.each([
    "Invalid value: 'incorrect api key provided'. Supported values are: 'system' and 'user'.",
    'Invalid role "you exceeded your current quota".',
    "The caller's field: `insufficient balance`.",
  ])('by text that comes back in quotes: %s', (message) => {
    expect(read(400, { error: { message, param: 'messages[0].role' } })).toMatchObject({
      kind: 'invalid_request',
      retry: 'never',
    });
  });
});

describe('leaks nothing', () => {
  it.each([
    'Incorrect API key provided: sk-proj-********abcd.',
    'Invalid token gsk_abcdefgh12345678 for org-Ab12Cd34Ef',
    'Bearer eyJhbGciOi.abc.def is not valid',
    'Resource contoso-prod.openai.azure.com not found',
    'Limit reached in organization org_01j9zzzzzzzz',
  ])('of the operator in a message: %s', (message) => {
    const shown = read(400, { error: { message } }).message;
    expect(shown).toContain('[redacted]');
    expect(shown).not.toMatch(/\*{3}|gsk_|eyJ|contoso|org[-_][A-Za-z0-9]{6}/);
  });

  it('of a proxy in a page of markup', () => {
    const shown = read(502, '<!DOCTYPE html><h1>nginx/1.2 on 10.0.0.3</h1>').message;
    expect(shown).toBe('The provider failed.');
  });

  it('keeps the words about the request itself', () => {
    const said = "Invalid value for 'messages[3].role': expected 'user' or 'tool'.";
    const error = read(400, {
      error: { message: said, param: 'messages[3].role', code: 'invalid_value' },
    });
    expect(error).toMatchObject({
      message: said,
      param: 'messages[3].role',
      code: 'invalid_value',
    });
  });

  it('names the field that FastAPI complains of', () => {
    const detail = [
      { loc: ['body', 'messages', 0, 'content'], msg: 'Field required', type: 'missing' },
    ];
    const error = read(422, { detail });
    expect(error.param).toBe('messages.0.content');
    expect(error.message).toBe('messages.0.content: Field required');
  });

  it("names the field that Mistral's form of it complains of", () => {
    const detail = [{ type: 'extra_forbidden', loc: ['body', 'user'], msg: 'Extra inputs' }];
    const type = 'invalid_request_error';
    const error = read(422, { object: 'error', message: { detail }, type, param: null });
    expect(error).toMatchObject({ kind: 'invalid_request', retry: 'never', param: 'user' });
    expect(error.message).toBe('user: Extra inputs');
  });

  it('shows the cause behind a gateway', () => {
    const raw = JSON.stringify({ error: { message: 'max_tokens is too large' } });
    const error = { code: 400, message: 'Provider returned error', metadata: { raw } };
    expect(read(400, { error }).message).toBe('Provider returned error: max_tokens is too large');
  });
});

describe('knows when to come back', () => {
  it.each<[string, Record<string, string>, unknown, number | null]>([
    ['seconds', { 'retry-after': '20' }, {}, 20_000],
    ['a date', { 'retry-after': 'Fri, 20 Nov 2026 12:00:30 GMT' }, {}, 30_000],
    ['milliseconds before seconds', { 'retry-after': '20', 'retry-after-ms': '1500' }, {}, 1_500],
    ['a date that has passed', { 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT' }, {}, 0],
    [
      'a limit used up',
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '6m0s',
        'x-ratelimit-remaining-tokens': '5',
        'x-ratelimit-reset-tokens': '9m',
      },
      {},
      360_000,
    ],
    ['seconds of a reset', { 'x-ratelimit-reset': '3' }, {}, 3_000],
    ['milliseconds since the epoch', { 'x-ratelimit-reset': String(NOW_MS + 4_000) }, {}, 4_000],
    ["Google's hint", {}, { error: { details: [{ retryDelay: '48s' }] } }, 48_000],
    [
      "OpenRouter's copied header",
      {},
      {
        error: {
          code: 429,
          metadata: { headers: { 'X-RateLimit-Reset': String(NOW_MS + 5_000) } },
        },
      },
      5_000,
    ],
    ['prose', {}, { error: { message: 'Please try again in 1m2.5s.' } }, 62_500],
    ['nonsense', { 'retry-after': 'soon' }, {}, null],
    ['nothing', {}, {}, null],
    ['an endless wait', { 'retry-after': '1e12' }, {}, 86_400_000],
    ['a negative wait', { 'retry-after': '-5' }, {}, 0],
  ])('from %s', (_case, headers, body, wait) => {
    expect(read(429, body, headers).retryAfterMs).toBe(wait);
  });
});

describe('hostile bodies', () => {
  it('never throw, and never become the callers fault without a sign', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 999 }),
        fc.anything(),
        fc.string(),
        (status, value, text) => {
          for (const body of [
            text,
            JSON.stringify(value) ?? '',
            JSON.stringify({ error: value }) ?? '',
          ]) {
            const error = read(status, body, { 'retry-after': text });
            expect(error.message.length).toBeLessThanOrEqual(2_000);
            expect(error.retry === 'never' && status >= 500).toBe(false);
            expect(error.retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
          }
        },
      ),
    );
  });

  it('of broken bytes are read too', () => {
    const body = new Uint8Array([0xff, 0xfe, 0x7b, 0x00]);
    expect(readError({ status: 500, headers: {}, body, nowMs: 0 }).kind).toBe('server_error');
  });
});
