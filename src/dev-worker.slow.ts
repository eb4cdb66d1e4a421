/**
 * `npm run dev:worker`, as somebody without an account uses it: the Worker in Cloudflare's runtime
 * on a real socket, with the keys that it prints.
 */
import OpenAI from 'openai';
import { expect, it, onTestFinished } from 'vitest';
import { startDevWorker } from '#testing/dev-worker.ts';

it('serves the official client, whole and streamed, bills it, and stops when it is told to', async () => {
  const worker = await startDevWorker();
  onTestFinished(() => worker.dispose());
  const { url } = worker;
  const key = /sk-omx-test-\S+/.exec(worker.output())?.[0] ?? '';
  const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
  const asked = {
    model: 'sandbox/echo',
    messages: [{ role: 'user' as const, content: 'Hello OmniX' }],
  };
  const { data, response } = await client.chat.completions.create(asked).withResponse();
  expect(data.choices[0]?.message.content).toBe('Hello OmniX');
  expect(await client.chat.completions.stream(asked).finalContent()).toBe('Hello OmniX');
  const id = response.headers.get('x-generation-id') ?? '';
  const headers = { authorization: `Bearer ${key}` };
  const receipt = await fetch(`${url}/v1/generation?id=${id}`, { headers });
  expect(await receipt.json()).toMatchObject({ data: { total_cost: 0.000009 } });
  const credits = await fetch(`${url}/v1/credits`, { headers });
  expect(await credits.json()).toMatchObject({ data: { total_usage: 0.000018, held: 0 } });
  expect(await worker.stop()).toBe(0);
});
