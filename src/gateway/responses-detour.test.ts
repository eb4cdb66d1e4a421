/**
 * Requests that OpenAI takes as responses only, through the whole gateway: said as such where that
 * loses nothing, and tried elsewhere where it would.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { jsonReply, SSE_HEADERS, type Mode } from '#testing/fake-upstream-replies.ts';
import type { ReceivedRequest, Reply } from '#testing/fake-upstream.ts';
import { at, listOf, parse } from '#testing/recordings-json.ts';
import { readAnswer, readSse } from '#testing/recordings-reading.ts';
import {
  answerWell,
  createTestGateway,
  TEST_PRICE,
  type ChatBody,
  type TestGateway,
} from '#testing/test-gateway.ts';

const MODES: readonly Mode[] = ['json', 'stream'];
const TOOLS = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }];
/** 8 input at $1, 3 from the cache at $0.1, 7 output at $2 a million. */
const COST = 0.000_022_3;
const USAGE = {
  input_tokens: 11,
  input_tokens_details: { cached_tokens: 3 },
  output_tokens: 7,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 18,
};
const CALL = {
  id: 'fc_1',
  type: 'function_call',
  status: 'completed',
  call_id: 'call_1',
  name: 'look',
  arguments: '{"at":"geckos"}',
};
const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_795_000_000,
  model: 'gpt-5.6-terra',
  status: 'completed',
  error: null,
  incomplete_details: null,
  output: [CALL],
  usage: USAGE,
};
const REFUSAL =
  'Function tools with reasoning_effort are not supported for gpt-5.6-terra in ' +
  '/v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to ' +
  "'none'.";

let house: TestGateway;

beforeAll(async () => {
  const own = { provider: 'stops', model: 'gpt-5.6-terra', price: TEST_PRICE };
  const other = { provider: 'b', model: 'openai/gpt-5.6-terra', price: TEST_PRICE };
  house = await createTestGateway({
    models: { alone: { endpoints: [own] }, either: { endpoints: [own, other] } },
  });
  house.fake.on('/stops', answerAsOpenAi);
  house.fake.on('/b', answerWell);
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
});
afterAll(() => house.close());

/** Chat refuses function tools of a model that reasons; Responses call them. */
function answerAsOpenAi(request: ReceivedRequest): Reply {
  const body = parse(request.body.toString());
  if (request.path === '/stops/responses') {
    return at(body, 'stream') === true
      ? streamedResponse()
      : jsonReply(200, JSON.stringify(RESPONSE));
  }
  if (at(body, 'tools') === undefined || at(body, 'reasoning_effort') === 'none') {
    return answerWell(request);
  }
  const error = { message: REFUSAL, type: 'invalid_request_error', param: 'reasoning_effort' };
  return jsonReply(400, JSON.stringify({ error }));
}

function streamedResponse(): Reply {
  const events = [
    { type: 'response.created', response: { ...RESPONSE, status: 'in_progress', output: [] } },
    { type: 'response.output_item.added', output_index: 0, item: { ...CALL, arguments: '' } },
    { type: 'response.function_call_arguments.delta', output_index: 0, delta: CALL.arguments },
    { type: 'response.output_item.done', output_index: 0, item: CALL },
    { type: 'response.completed', response: RESPONSE },
  ];
  const bytes = events
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join('');
  return [{ do: 'head', status: 200, headers: SSE_HEADERS }, { do: 'write', bytes }, { do: 'end' }];
}

async function ask(body: ChatBody, mode: Mode = 'json') {
  const response = await house.chat(mode === 'stream' ? { ...body, stream: true } : body);
  const text = await response.text();
  const id = response.headers.get('x-generation-id');
  const events = mode === 'stream' ? readSse(text).map(parse) : [parse(text)];
  return { status: response.status, id, text, events, last: events.at(-1) };
}

const asked = (): unknown[] => house.fake.received.map(({ path }) => path);

describe('function tools of a model that reasons', () => {
  it.each(MODES)(
    'are called by way of Responses, with usage, cost and a receipt: %s',
    async (mode) => {
      const answer = await ask({ model: 'alone', tools: TOOLS, reasoning_effort: 'low' }, mode);
      expect(answer.status).toBe(200);
      expect(asked()).toEqual(['/stops/responses']);
      expect(parse(house.fake.received[0]?.body.toString() ?? '')).toMatchObject({
        model: 'gpt-5.6-terra',
        tools: [{ type: 'function', name: 'look' }],
        reasoning: { effort: 'low' },
      });
      expect(readAnswer(answer.events).choices.get(0)).toMatchObject({
        finish: 'tool_calls',
        toolCalls: [{ id: 'call_1', name: 'look', arguments: CALL.arguments }],
      });
      expect(answer.last).toMatchObject({
        usage: { prompt_tokens: 11, completion_tokens: 7, cost: COST },
      });
      expect(at(answer.last, 'warnings')).toBeUndefined();
      expect(answer.text.endsWith('data: [DONE]\n\n')).toBe(mode === 'stream');
      expect(await house.receipt(answer.id)).toMatchObject({
        total_cost: COST,
        buckets: { input: 8, cache_read: 3, output: 3, reasoning: 4 },
        outcome: 'completed',
        streamed: mode === 'stream',
      });
    },
  );

  it.each(MODES)('pass as they came where the model does not reason: %s', async (mode) => {
    const answer = await ask({ model: 'alone', tools: TOOLS, reasoning_effort: 'none' }, mode);
    expect(answer.status).toBe(200);
    expect(asked()).toEqual(['/stops/chat/completions']);
  });

  it('reach the official client as calls of chat', async () => {
    const stream = house.client.chat.completions.stream({
      model: 'alone',
      messages: [{ role: 'user', content: 'Look.' }],
      tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
    });
    const { choices } = await stream.finalChatCompletion();
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ id: 'call_1', function: { arguments: CALL.arguments } }] },
    });
  });

  it('tell of a seed that was left out', async () => {
    const answer = await ask({ model: 'alone', tools: TOOLS, seed: 7 });
    expect(at(answer.last, 'warnings')).toMatchObject([{ code: 'dropped', param: 'seed' }]);
  });

  it.each(MODES)('go elsewhere beside what Responses cannot say: %s', async (mode) => {
    const answer = await ask({ model: 'either', tools: TOOLS, n: 2 }, mode);
    expect(answer.status).toBe(200);
    expect(asked()).toEqual(['/stops/chat/completions', '/b/chat/completions']);
    const { attempts, outcome } = await house.receipt(answer.id);
    expect(outcome).toBe('completed');
    expect(listOf(attempts).map((one) => at(one, 'outcome'))).toEqual([
      'invalid_request',
      'completed',
    ]);
  });

  it('are refused in the words of the host where nobody else is left, and cost nothing', async () => {
    const answer = await ask({ model: 'alone', tools: TOOLS, n: 2 });
    expect(answer.status).toBe(400);
    expect(at(answer.last, 'error')).toMatchObject({
      message: REFUSAL,
      param: 'reasoning_effort',
      type: 'invalid_request_error',
    });
    expect(await house.receipt(answer.id)).toMatchObject({ total_cost: 0 });
  });
});
