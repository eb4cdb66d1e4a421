/**
 * `Idempotency-Key` and kill -9: what died half-way is never run again under its key, what was kept
 * is replayed by the next process, and the books say what each caller was told.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodReply, modeOf } from '#testing/fake-upstream-replies.ts';
import { startFakeUpstream, type FakeUpstream } from '#testing/fake-upstream.ts';
import { errorCode } from '#testing/fake-upstream-rig.ts';
import { numberOf, type JsonObject } from '#testing/recordings-json.ts';
import { readBooks } from '#testing/server-books.ts';
import { startServer, type ApiAnswer, type TestServer } from '#testing/server.ts';

const CHAT = '/v1/chat/completions';
const PRICE = { input: '2.5', output: '10' };
const NANO_A_DOLLAR = 1e9;

describe('promises 2, 5: kill -9 and the same key', () => {
  let fake: FakeUpstream;
  let server: TestServer;
  let key: string;
  const bodyOf = (content: string, stream = false): JsonObject => ({
    model: 'slow',
    max_tokens: 100,
    stream,
    messages: [{ role: 'user', content }],
  });

  function ask(body: JsonObject, idempotencyKey: string): Promise<ApiAnswer> {
    return server.call(CHAT, { key, body, headers: { 'idempotency-key': idempotencyKey } });
  }

  beforeAll(async () => {
    fake = await startFakeUpstream();
    fake.on('/', ({ body }) =>
      body.includes('parked') ? [{ do: 'hang' }] : goodReply(modeOf(body)),
    );
    const provider = { type: 'openai-compatible', base_url: fake.origin, api_key: 'sk-canary' };
    const endpoint = { provider: 'host', model: 'slow', price: PRICE };
    const config = { providers: { host: provider }, models: { slow: { endpoints: [endpoint] } } };
    server = await startServer({ config });
    await server.grant('100');
    ({ key } = await server.createKey());
  });

  afterAll(async () => {
    await server?.dispose();
    await fake?.close();
  });

  it.each([
    ['the server', (): Promise<void> => server.kill9()],
    ['the whole group', (): Promise<void> => server.killGroup9()],
  ])('%s dies while it runs: unknown, and never run again', async (victim, kill) => {
    const kept = await ask(bodyOf('kept', true), `kept ${victim}`);
    expect(kept.status).toBe(200);
    // An answer is kept after its last byte: a twin waits until it is.
    const twin = await ask(bodyOf('kept', true), `kept ${victim}`);
    expect(twin.headers.get('idempotent-replayed')).toBe('true');
    fake.forget();
    const parked = ask(bodyOf(`parked ${victim}`), `parked ${victim}`).catch(() => null);
    await fake.until('the parked one', () => fake.received.length === 1);
    await kill();
    expect(await parked).toBeNull();
    await server.restart();
    for (let again = 0; again < 3; again += 1) {
      const unknown = await ask(bodyOf(`parked ${victim}`), `parked ${victim}`);
      expect(unknown.status).toBe(409);
      expect(errorCode(unknown.json)).toBe('idempotency_outcome_unknown');
      expect(unknown.headers.get('x-should-retry')).toBe('false');
      const generationId = unknown.headers.get('x-generation-id') ?? '';
      expect(unknown.text).toContain(generationId);
      const receipt = await server.receipt(generationId);
      expect(receipt).toMatchObject({ status: 'interrupted', total_cost: 0 });
    }
    const replayed = await ask(bodyOf('kept', true), `kept ${victim}`);
    expect(replayed.text).toBe(kept.text);
    expect(replayed.headers.get('idempotent-replayed')).toBe('true');
    expect(fake.received).toHaveLength(1);
  });

  it('the books have each answer once, and no replay', async () => {
    const { total_usage: used } = await server.credits();
    expect(await server.terminate()).toBe(0);
    const books = await readBooks(server.dataDir);
    expect(books.differences).toEqual([]);
    const costs = books.postings.map(({ kind, costNano }) => `${kind} ${costNano > 0n}`);
    expect(costs.toSorted((a, b) => a.localeCompare(b))).toEqual([
      'outcome true',
      'outcome true',
      'swept false',
      'swept false',
    ]);
    const total = books.postings.reduce((sum, { costNano }) => sum + costNano, 0n);
    expect(Math.round((numberOf(used) ?? 0) * NANO_A_DOLLAR)).toBe(Number(total));
  });
});
