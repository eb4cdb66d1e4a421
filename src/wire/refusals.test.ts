/** The words of the usual errors: exact, helpful, and safe whatever the caller wrote. */
import { describe, expect, it } from 'vitest';
import { nanoUsd } from '#base/money.ts';
import {
  insufficientCredits,
  keyLimitExceeded,
  methodNotAllowed,
  modelNotFound,
  quote,
  rateLimited,
  requestTooLarge,
  unknownParameter,
} from './refusals.ts';

describe('refusals name the field, the limit and the next step', () => {
  it('says how much a request could cost, what is left and what is held', () => {
    const shortfall = {
      required: nanoUsd(2_000_000_001n),
      available: nanoUsd(500_000_000n),
      held: nanoUsd(1n),
      limit: null,
    };
    const error = insufficientCredits(shortfall, 'live');
    expect(error.message).toContain('could cost $2.000000001; $0.5 is left');
    expect(error.message).toContain('$0.000000001 more is held');
    expect(error).toMatchObject({ status: 402, shouldRetry: false });
    expect(error.metadata.limitSource).toBe('account');
    expect(error.message).not.toContain('test');
    const inSandbox = insufficientCredits(shortfall, 'test').message;
    expect(inSandbox).toMatch(/^Not enough test credit\..*"mode": "test"/);
  });

  it('tells a key limit from a lack of credit', () => {
    const limit = nanoUsd(1_000_000_000n);
    const zero = nanoUsd(0n);
    const error = keyLimitExceeded({ required: limit, available: zero, held: zero, limit });
    expect(error.code).toBe('key_limit_exceeded');
    expect(error.message).toContain('The spending limit of $1 of this API key');
    expect(error.message).not.toContain('held');
    expect(error.metadata.limitSource).toBe('key');
  });

  it('suggests the nearest models', () => {
    expect(modelNotFound('gpt4', ['gpt-4o', 'gpt-4.1']).message).toContain(
      "Did you mean 'gpt-4o' or 'gpt-4.1'?",
    );
    expect(modelNotFound('x', []).message).toContain('GET /v1/models');
  });

  it('states a limit of bytes, and 431 for headers', () => {
    expect(requestTooLarge('headers', 65_536)).toMatchObject({ status: 431 });
    expect(requestTooLarge('body', 65_536).message).toContain('64 KiB');
  });

  it('lists the methods that a URL takes', () => {
    expect(methodNotAllowed('PUT', ['GET', 'POST']).headers).toEqual([['allow', 'GET, POST']]);
  });

  it('names every unknown field', () => {
    const error = unknownParameter(['a', 'b'], 'POST /v1/keys');
    expect(error.message).toBe("Unknown parameters of POST /v1/keys: 'a', 'b'.");
    expect(error.param).toBe('a');
  });

  it('says when to come back', () => {
    const error = rateLimited('key', 'the limit of 60 requests per minute', 1500);
    expect(error.message).toContain('Try again in 2 s');
    expect(error.retryAfterMs).toBe(1500);
  });
});

describe('words of a caller in a message', () => {
  it('are cut and made printable', () => {
    expect(quote('a\r\nx-evil: 1\u202e\u0000')).toBe("'a??x-evil: 1??'");
    expect(quote('x'.repeat(5000)).length).toBeLessThan(130);
  });
});
