/** What Bedrock's refusals may show, and what they mean where the exception's name is missing. */
import { describe, expect, it } from 'vitest';
import { readError } from './errors.ts';

function read(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
  return readError({ status, headers, body: bytes, nowMs: 0 });
}

describe('a refusal', () => {
  it('shows no account, no resource and no key of the operator', () => {
    const who = 'arn:aws:iam::111122223333:user/gate';
    const message = `User: ${who} of 111122223333 with AKIAIOSFODNN7EXAMPLE is not authorized`;
    const said = read(403, { message }, { 'x-amzn-errortype': 'AccessDeniedException' });
    expect(said.message).not.toMatch(/111122223333|gate|AKIA/);
    expect(said).toMatchObject({ kind: 'permission', retry: 'elsewhere' });
  });

  it.each([
    ['{"message":"x"}', 429, 'rate_limit'],
    ['{"Message":"x"}', 503, 'overloaded'],
    ['{"message":"x"}', 424, 'server_error'],
    ['{"message":"x"}', 408, 'timeout'],
    ['{"message":"x"}', 500, 'server_error'],
    ['{"message":"x"}', 403, 'permission'],
    ['{"message":"x"}', 404, 'model_not_found'],
    ['{"message":"x"}', 400, 'invalid_request'],
    ['<html>', 502, 'server_error'],
    ['', 400, 'invalid_request'],
  ])('of %s under %i is %s', (body, status, kind) => {
    expect(read(status, body)).toMatchObject({ kind, status });
  });

  it('takes the name out of the body where no header has it', () => {
    const type = 'com.amazon.coral.service#UnrecognizedClientException';
    expect(read(403, { ['__type']: type, Message: 'no' })).toMatchObject({
      kind: 'authentication',
      code: 'UnrecognizedClientException',
      message: 'no',
    });
  });

  it('of a quota is a limit that another host may not have, whatever its status', () => {
    const headers = { 'x-amzn-errortype': 'ServiceQuotaExceededException' };
    expect(read(400, { message: 'x' }, headers)).toMatchObject({
      kind: 'rate_limit',
      retry: 'elsewhere',
    });
  });
});
