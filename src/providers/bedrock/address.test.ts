/** Where a model is asked: by region, by path, and with ids that hold colons and slashes. */
import { describe, expect, it } from 'vitest';
import type { Operation, Target } from '../provider.ts';
import { BASE_URL_DEFAULT, bedrockAddress, signingRegion } from './address.ts';

const PROFILE = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';

function urlOf(given: Partial<Target>, operation: Operation = 'chat'): string {
  return bedrockAddress(targetOf(given), operation).url;
}

function targetOf(given: Partial<Target>): Target {
  const base = { baseUrl: BASE_URL_DEFAULT, region: null, project: null, account: null };
  return { ...base, model: PROFILE, ...given };
}

describe('the address', () => {
  it('is another for a stream', () => {
    const model = 'https://bedrock-runtime.us-east-1.amazonaws.com/model/';
    const id = 'us.anthropic.claude-sonnet-4-5-20250929-v1%3A0';
    expect(urlOf({})).toBe(`${model}${id}/converse`);
    expect(urlOf({}, 'chat_stream')).toBe(`${model}${id}/converse-stream`);
  });

  it('holds an ARN as one step of its path', () => {
    const model =
      'arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.amazon.nova-lite-v1:0';
    expect(new URL(urlOf({ model })).pathname.split('/')).toEqual([
      '',
      'model',
      encodeURIComponent(model),
      'converse',
    ]);
  });

  it.each([
    ['eu-central-1', 'bedrock-runtime.eu-central-1.amazonaws.com'],
    ['us-gov-west-1', 'bedrock-runtime.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'bedrock-runtime.cn-north-1.amazonaws.com.cn'],
  ])('is in the region %s', (region, host) => {
    expect(new URL(urlOf({ region })).hostname).toBe(host);
  });

  it("leaves an operator's own host where it is", () => {
    const baseUrl = 'https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com';
    const target = targetOf({ baseUrl });
    const address = bedrockAddress({ ...target, region: 'eu-north-1' }, 'chat');
    expect(new URL(address.url).hostname).toBe(new URL(baseUrl).hostname);
    expect(signingRegion(target, bedrockAddress(target, 'chat'))).toBe('eu-west-1');
  });

  it('signs for the region of the target, of the host, or the default', () => {
    const signed = (given: Partial<Target>): string => {
      const target = targetOf(given);
      return signingRegion(target, bedrockAddress(target, 'chat'));
    };
    expect(signed({ region: 'ap-south-1' })).toBe('ap-south-1');
    const fips = 'https://bedrock-runtime-fips.ca-central-1.amazonaws.com';
    expect(signed({ baseUrl: fips })).toBe('ca-central-1');
    expect(signed({ baseUrl: 'https://proxy.example' })).toBe('us-east-1');
  });
});
