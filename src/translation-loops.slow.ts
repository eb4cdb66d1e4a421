/**
 * A tool loop of three turns with thinking, through the running gateway with the official client,
 * against hosts that refuse what the real ones refuse: what an answer carries must survive the
 * client and go back unchanged.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeUpstream, type FakeUpstream } from '#testing/fake-upstream.ts';
import {
  at,
  listOf,
  objectOf,
  parse,
  stringOf,
  type JsonObject,
} from '#testing/recordings-json.ts';
import { readAnswer } from '#testing/recordings-reading.ts';
import { ask, describe as describeError, type Rig } from '#testing/recordings-replay.ts';
import { startServer, type TestServer } from '#testing/server.ts';
import {
  LOOP_HOSTS,
  LOOP_TURNS,
  answerLoop,
  type LoopHost,
} from '#testing/translation-loop-hosts.ts';

const TOOL = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
    },
  },
};
const QUESTION = { role: 'user', content: 'How warm is it in Bern, Basel and Chur?' };

let fake: FakeUpstream;
let server: TestServer;
let rig: Rig;

beforeAll(async () => {
  fake = await startFakeUpstream();
  server = await startServer({ config: configFor(fake.origin) });
  await server.grant('100');
  rig = { fake, server, key: (await server.createKey()).key };
});

afterAll(async () => {
  await server?.dispose();
  await fake?.close();
});

describe.each(LOOP_HOSTS)('a tool loop with thinking at $place', (host) => {
  it.each([false, true])('comes to its end, streamed: %s', async (stream) => {
    script(host, stream);
    const messages: JsonObject[] = [QUESTION];
    for (const turn of LOOP_TURNS) {
      const view = await ask(rig, requestOf(host, { messages, stream }));
      expect(view.thrown === null ? null : describeError(view.thrown)).toBeNull();
      const choice = readAnswer(view.events).choices.get(0);
      expect(choice?.reasoning['reasoning_content']).toBe(turn.thought);
      expect(choice?.text).toBe(turn.text);
      expect(choice?.toolCalls.map((call) => at(parse(call.arguments), 'city'))).toEqual(
        turn.calls.map(({ city }) => city),
      );
      expect(choice?.finish).toBe(turn.calls.length > 0 ? 'tool_calls' : 'stop');
      const message = messageOf(view.events);
      messages.push(message, ...listOf(message['tool_calls']).map(resultOf));
    }
    // The first two answers went back with what proves them.
    const last = fake.at(`/${host.place}/`).at(-1)?.body.toString('utf8') ?? '';
    expect(last.split(host.proof)).toHaveLength(1 + 2);
  });

  it('is refused where a client changes a thought, with the words of the host', async () => {
    script(host, false);
    const first = await ask(rig, requestOf(host, { messages: [QUESTION], stream: false }));
    const message = messageOf(first.events);
    const changed = parse(
      JSON.stringify(message).replaceAll(/signed-|sig-|c2lnbmVk|First/g, 'changed'),
    );
    const messages = [QUESTION, objectOf(changed), ...listOf(message['tool_calls']).map(resultOf)];
    const second = await ask(rig, requestOf(host, { messages, stream: false }));
    expect(at(second.thrown, 'status')).toBe(400);
  });
});

function configFor(origin: string): JsonObject {
  const price = { input: '1', output: '2' };
  const providers = LOOP_HOSTS.map(({ place }) => [
    `at-${place}`,
    {
      type: place,
      base_url: `${origin}/${place}`,
      api_key: `canary-${place}`,
      region: 'us-east-1',
    },
  ]);
  const models = LOOP_HOSTS.map(({ place, model }) => [
    `loop-${place}`,
    { endpoints: [{ provider: `at-${place}`, model, price, context: 200_000 }] },
  ]);
  return { providers: Object.fromEntries(providers), models: Object.fromEntries(models) };
}

function script(host: LoopHost, streamed: boolean): void {
  fake.on(`/${host.place}/`, ({ body }) =>
    answerLoop(host, parse(body.toString('utf8')), streamed),
  );
}

function requestOf(
  host: LoopHost,
  { messages, stream }: { readonly messages: readonly JsonObject[]; readonly stream: boolean },
): JsonObject {
  return {
    model: `loop-${host.place}`,
    messages,
    tools: [TOOL],
    reasoning_effort: 'low',
    max_completion_tokens: 8_000,
    ...(stream ? { stream } : {}),
  };
}

/** The message that a client keeps: as it came, or its deltas put together member by member. */
function messageOf(events: readonly unknown[]): JsonObject {
  const [whole] = events;
  if (at(whole, 'choices', 0, 'message') !== undefined) {
    return objectOf(at(whole, 'choices', 0, 'message'));
  }
  const details: unknown[] = [];
  const calls: Record<string, unknown>[] = [];
  let content = '';
  for (const event of events) {
    const delta = at(event, 'choices', 0, 'delta');
    content += stringOf(at(delta, 'content'));
    details.push(...listOf(at(delta, 'reasoning_details')));
    for (const piece of listOf(at(delta, 'tool_calls'))) addCall(calls, objectOf(piece));
  }
  const made = calls.length === 0 ? {} : { tool_calls: calls };
  return { role: 'assistant', content, reasoning_details: details, ...made };
}

function addCall(calls: Record<string, unknown>[], piece: JsonObject): void {
  const { index, ...members } = piece;
  const place = typeof index === 'number' ? index : calls.length;
  const before = calls[place];
  if (before === undefined) {
    calls[place] = members;
    return;
  }
  const text = stringOf(at(before, 'function', 'arguments'));
  const more = stringOf(at(piece, 'function', 'arguments'));
  before['function'] = { ...objectOf(before['function']), arguments: text + more };
}

function resultOf(call: unknown): JsonObject {
  const city = at(parse(stringOf(at(call, 'function', 'arguments'))), 'city');
  return { role: 'tool', tool_call_id: at(call, 'id'), content: `${String(city)}: 9 degrees` };
}
