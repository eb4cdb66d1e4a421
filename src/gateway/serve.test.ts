/** The whole way of a request, from the official client to the receipt. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

let house: TestGateway;
beforeAll(async () => {
  house = await createTestGateway();
});
afterEach(() => house.untilSettled());
afterAll(() => house.close());

describe('a request', () => {
  it('is answered', async () => {
    const t0 = performance.now();
    const answer = await house.client.chat.completions.create({
      model: 'at-a',
      messages: [{ role: 'user', content: 'hi' }],
    });
    console.log(answer, performance.now() - t0);
    const r = await house.chat({ model: 'at-a', stream: true });
    console.log(await r.text(), [...r.headers]);
    console.log(await house.receipt(r.headers.get('x-generation-id')), await house.credits());
    expect(1).toBe(1);
  });
});
