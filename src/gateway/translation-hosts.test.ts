/**
 * Every provider that is translated, with the fixtures of its folder, through the whole gateway and
 * back to the official client: a new provider is tested by being there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readEvents } from '#base/sse.ts';
import type { Provider, StreamFraming } from '#providers/provider.ts';
import { providers } from '#providers/registry.ts';
import { awsEventFrame, awsExceptionFrame } from '#testing/aws-event-frames.ts';
import { chatSupportOf } from '#testing/chat-support.ts';
import { jsonReply, type Mode } from '#testing/fake-upstream-replies.ts';
import {
  at,
  listOf,
  objectOf,
  parse,
  stringOf,
  type JsonObject,
} from '#testing/recordings-json.ts';
import { readAnswer, readSse } from '#testing/recordings-reading.ts';
import { talkStream } from '#testing/test-dialect.ts';
import { createTestGateway, TEST_PRICE, type TestGateway } from '#testing/test-gateway.ts';

/** As the fixtures name it. */
const MODEL = 'our-model';
const MODES: readonly Mode[] = ['json', 'stream'];
const folderOf = (id: string): URL => new URL(`../providers/${id}/fixtures/`, import.meta.url);

interface Case {
  readonly id: string;
  readonly name: string;
  readonly framing: StreamFraming;
}

function casesOf(ending: string): readonly Case[] {
  return Object.entries<Provider>(providers).flatMap(([id, provider]) => {
    if (provider.chat === undefined) return [];
    const { passThrough, framing = 'sse' } = chatSupportOf(provider, MODEL);
    const folder = folderOf(id);
    if (passThrough !== undefined || !existsSync(folder)) return [];
    const files = readdirSync(folder).filter((file) => file.endsWith(ending));
    return files.map((file) => ({ id, name: file.slice(0, -ending.length), framing }));
  });
}

const read = ({ id, name }: Case, ending: string): string =>
  readFileSync(new URL(`${name}${ending}`, folderOf(id)), 'utf8');

/** A stream's fixture as its host sends it, one piece an event. */
function streamOf(one: Case, ending: string): readonly Uint8Array[] {
  const bytes = Buffer.from(read(one, ending));
  return readEvents(bytes).flatMap(({ event, data, start, end }) => {
    if (one.framing === 'sse') return [bytes.subarray(start, end)];
    if (data === null) return [];
    const frame = event?.endsWith('Exception') === true ? awsExceptionFrame : awsEventFrame;
    return [frame(event ?? '', data)];
  });
}

const WHOLE = casesOf('.response.json');
const BROKEN = casesOf('.broken.sse');
const HOSTS = [...new Set(WHOLE.map(({ id }) => id))];

let house: TestGateway;
beforeAll(async () => {
  const settings = HOSTS.map((id) => {
    const host = { type: id, base_url: `/${id}`, api_key: 'sk-canary-upstream' };
    return [id, { ...host, region: 'our-region', project: 'our-project' }] as const;
  });
  const models = HOSTS.map((id) => {
    const endpoint = { provider: id, model: MODEL, price: TEST_PRICE };
    return [`at-${id}`, { endpoints: [endpoint] }] as const;
  });
  house = await createTestGateway({
    providers: Object.fromEntries(settings),
    models: Object.fromEntries(models),
  });
});
afterEach(async () => {
  await house.untilSettled();
  house.fake.forget();
});
afterAll(() => house.close());

interface Told {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly unknown[];
  readonly finish: string | null;
}

/** What the official client hands on. */
async function ask(body: JsonObject, mode: Mode): Promise<Told> {
  const { client } = house;
  const path = '/chat/completions';
  const events: unknown[] = [];
  if (mode === 'json') {
    events.push(await client.post<unknown>(path, { body }));
  } else {
    const asked = { body: { ...body, stream: true }, stream: true };
    const stream = await client.post<AsyncIterable<unknown>>(path, asked);
    for await (const chunk of stream) events.push(chunk);
  }
  const choice = readAnswer(events).choices.get(0);
  return {
    text: choice?.text ?? '',
    reasoning: choice?.reasoning['reasoning_content'] ?? '',
    calls: (choice?.toolCalls ?? []).map(({ id: _id, ...call }) => call),
    finish: choice?.finish ?? null,
  };
}

async function lastReceipt(): Promise<JsonObject> {
  await house.untilSettled();
  const entry = house.log.findLast(({ event }) => event === 'request');
  return house.receipt(entry?.fields.request_id ?? null);
}

/** The fixture's request, for the mode in which it is asked. */
function requestOf(one: Case): JsonObject {
  const recorded = objectOf(parse(read(one, '.request.json')));
  const { stream: _stream, stream_options: _options, ...body } = recorded;
  return { ...body, model: `at-${one.id}` };
}

describe('every translated provider', () => {
  it('has a whole answer and a broken stream among its fixtures', () => {
    expect(HOSTS.length).toBeGreaterThan(0);
    expect([...new Set(BROKEN.map(({ id }) => id))].toSorted()).toEqual(HOSTS.toSorted());
  });

  it.each(WHOLE.flatMap((one) => MODES.map((mode) => [one.id, one.name, mode, one] as const)))(
    'answers the official client: %s, %s, %s',
    async (id, _name, mode, one) => {
      house.fake.on(`/${id}`, () =>
        mode === 'json'
          ? jsonReply(200, read(one, '.response.json'))
          : talkStream(streamOf(one, '.stream.sse'), undefined, one.framing),
      );
      const expected = objectOf(parse(read(one, '.reading.json')));
      const { text, reasoning, calls, finish } = expected;
      expect(await ask(requestOf(one), mode)).toEqual({ text, reasoning, calls, finish });
      const receipt = await lastReceipt();
      const told = listOf(receipt['warnings']).map(
        (warning) => `${stringOf(at(warning, 'code'))} ${stringOf(at(warning, 'param'))}`,
      );
      const warned = listOf(expected['warnings']).map(stringOf);
      expect(told.toSorted()).toEqual(warned.toSorted());
      expect(receipt['buckets']).toEqual(expected['buckets']);
      expect(receipt).toMatchObject({ usage_source: 'upstream', outcome: 'completed' });
    },
  );

  it.each(BROKEN.map((one) => [one.id, one] as const))(
    'that breaks in the middle is free (promise 13): %s',
    async (id, one) => {
      house.fake.on(`/${id}`, () =>
        talkStream(streamOf(one, '.broken.sse'), undefined, one.framing),
      );
      const response = await house.chat({ model: `at-${id}`, stream: true });
      const text = await response.text();
      expect(response.status).toBe(200);
      expect(parse(readSse(text).at(-1) ?? '')).toHaveProperty('error');
      expect(text).not.toContain('[DONE]');
      const receipt = await house.receipt(response.headers.get('x-generation-id'));
      expect(receipt).toMatchObject({ total_cost: 0, outcome: 'broken' });
    },
  );
});
