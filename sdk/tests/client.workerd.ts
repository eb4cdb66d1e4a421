/** The client and the gateway, both inside workerd: chat, streams, refusals, embeddings. */
import { exports } from 'cloudflare:workers';
import { describe, expect, inject, it } from 'vitest';
import { TEXT } from '#testing/fake-upstream-replies.ts';
import { NotFoundError, OmniX } from '../typescript/src/index.ts';

const { keys } = inject('workerWorld');
const COST = 0.000_025;
const messages = [{ role: 'user' as const, content: 'the client in workerd' }];

function clientWith(apiKey: string): OmniX {
  return new OmniX({
    apiKey,
    baseURL: 'http://omnix.test/v1',
    fetch: (url, init) => exports.default.fetch(new Request(url, init)),
  });
}

const client = clientWith(keys.live);

describe('the client on Workers', () => {
  it('answers, and the receipt agrees', async () => {
    const answer = await client.chat.completions.create({ model: 'at-a', messages });
    expect(answer.choices[0]?.message.content).toBe(TEXT);
    expect(answer.response.cost).toBe(COST);
    const id = answer.response.generationId ?? '';
    await expect
      .poll(async () => (await client.generations.retrieve(id)).data.total_cost)
      .toBe(COST);
  });

  it('streams to the end, with usage and cost', async () => {
    const stream = await client.chat.completions.create({ model: 'at-a', messages, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe(TEXT);
    expect(stream.response.cost).toBe(COST);
  });

  it('replays under one idempotency key', async () => {
    const ask = { model: 'at-a', messages };
    const options = { idempotencyKey: 'sdk-in-workerd' };
    const first = await client.chat.completions.create(ask, options);
    const second = await client.chat.completions.create(ask, options);
    expect(second).toEqual(first);
    expect([first.response.replayed, second.response.replayed]).toEqual([false, true]);
  });

  it('throws typed errors, and takes a management key: it is no browser', async () => {
    const wrong = client.chat.completions.create({ model: 'no-such-model', messages });
    await expect(wrong).rejects.toBeInstanceOf(NotFoundError);
    const { data } = await clientWith(keys.management).keys.current();
    expect(data.type).toBe('management');
  });

  it('embeds', async () => {
    const body = { model: 'sandbox/embedding', input: 'hello' };
    const { data } = await clientWith(keys.test).embeddings.create(body);
    expect(data[0]?.embedding.every(Number.isFinite)).toBe(true);
  });
});
