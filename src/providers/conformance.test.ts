/**
 * Walks every provider of the registry and every fixture of its folder. A new one is tested by
 * being there: `<case>.request.json` must become `<case>.upstream.json`, `<case>.response.json` and
 * `<case>.stream.sse` must both read as `<case>.reading.json`, each `*.error-<status>.json` as its
 * row of `errors.reading.json`, and a `<case>.broken.sse` must end in a complaint. Requests are
 * chat completions everywhere: adapted where they pass through, translated where the host speaks
 * another dialect. Embeddings are the same, of `<case>.embeddings-request.json` and so on.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { OpenAI } from 'openai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSseSplitter, readEvents } from '#base/sse.ts';
import { readForm } from './dialects/openai-chat/read-form.ts';
import { chunkWriter } from './dialects/openai-chat/write-stream.ts';
import { readEmbeddingsForm } from './dialects/openai-embeddings/read-form.ts';
import type { EmbeddingsSupport } from './embeddings.ts';
import type { ChatAnswer, ChatEvent, Part } from './form.ts';
import { isRecord, listOf, parseJson, recordOf, type JsonRecord } from './json.ts';
import type { BodyEdit, BodyMembers, ChatSupport, Provider, Target } from './provider.ts';
import { providers } from './registry.ts';

const here = new URL('./', import.meta.url);

const readingSchema = z.strictObject({
  warnings: z.array(z.string()).readonly(),
  text: z.string(),
  reasoning: z.string(),
  calls: z.array(z.strictObject({ name: z.string(), arguments: z.string() })).readonly(),
  finish: z.string(),
  buckets: z.record(z.string(), z.number()),
  flags: z.array(z.string()).readonly(),
});

const errorReadingsSchema = z.record(
  z.string(),
  z.strictObject({
    kind: z.string(),
    retry: z.string(),
    headers: z.record(z.string(), z.string()),
    retryAfterMs: z.number().nullable(),
  }),
);

const vectorsReadingSchema = z.strictObject({
  /** Where it is asked. */
  path: z.string(),
  warnings: z.array(z.string()).readonly(),
  /** Of the answer. */
  headers: z.record(z.string(), z.string()),
  vectors: z.array(z.array(z.number()).readonly()).readonly(),
  buckets: z.record(z.string(), z.number()).nullable(),
});

type Reading = z.infer<typeof readingSchema>;
type ErrorReadings = z.infer<typeof errorReadingsSchema>;

class Fixtures {
  readonly names: readonly string[];
  readonly #folder: URL;

  constructor(id: string) {
    this.#folder = new URL(`${id}/fixtures/`, here);
    this.names = existsSync(this.#folder) ? readdirSync(this.#folder) : [];
  }

  bytes(name: string): Uint8Array {
    return new Uint8Array(readFileSync(new URL(name, this.#folder)));
  }

  json(name: string): unknown {
    return JSON.parse(readFileSync(new URL(name, this.#folder), 'utf8'));
  }

  record(name: string): JsonRecord {
    const json = this.json(name);
    if (!isRecord(json)) throw new Error(`${name} is not a JSON object`);
    return json;
  }

  reading(name: string): Reading {
    return readingSchema.parse(this.json(`${name}.reading.json`));
  }

  errorReadings(): ErrorReadings {
    return errorReadingsSchema.parse(this.json('errors.reading.json'));
  }

  /** Names of the cases that have a file with this ending. */
  cases(ending: string): readonly string[] {
    return this.names
      .filter((name) => name.endsWith(ending))
      .map((name) => name.slice(0, -ending.length));
  }
}

/** How the provider speaks chat, with the model of the fixtures. */
function supportOf(provider: Provider): ChatSupport {
  const { chat } = provider;
  if (chat === undefined) throw new Error(`${provider.id} has no chat`);
  return typeof chat === 'function' ? chat(targetOf(provider)) : chat;
}

function chatOf(provider: Provider): Required<Pick<ChatSupport, 'codec' | 'passThrough'>> {
  const { codec, passThrough } = supportOf(provider);
  if (passThrough === undefined) throw new Error(`${provider.id} passes nothing through`);
  return { codec, passThrough };
}

const everyone = Object.entries<Provider>(providers);
const chatting = everyone.filter(([, { chat }]) => chat !== undefined);
const passing = chatting.filter(([, one]) => supportOf(one).passThrough !== undefined);
const translated = chatting.filter(([, one]) => supportOf(one).passThrough === undefined);

function targetOf(provider: Provider, baseUrl = provider.baseUrl): Target {
  const url = baseUrl ?? 'https://host.example/v1';
  return { baseUrl: url, model: 'our-model', region: null, project: null, account: null };
}

function membersOf(body: Readonly<Record<string, unknown>>): BodyMembers {
  return {
    has: (key) => Object.hasOwn(body, key),
    raw: (key) => (Object.hasOwn(body, key) ? JSON.stringify(body[key]) : undefined),
  };
}

function edited(body: Readonly<Record<string, unknown>>, edits: readonly BodyEdit[]): unknown {
  const next: Record<string, unknown> = { ...body };
  for (const edit of edits) {
    if (edit.op === 'set') next[edit.key] = parseJson(edit.json);
    if (edit.op === 'rename') next[edit.to] = next[edit.key];
    if (edit.op !== 'set') delete next[edit.key];
  }
  return next;
}

type SplitEvent = { readonly event: string | null; readonly data: string };

/** What the gateway's own splitter makes of the bytes, when they come in these pieces. */
function split(pieces: readonly Uint8Array[]): readonly SplitEvent[] {
  const splitter = createSseSplitter(1_000_000);
  const events: SplitEvent[] = [];
  const take = (block: Uint8Array): void => {
    for (const { event, data } of readEvents(block)) {
      if (data !== null) events.push({ event, data });
    }
  };
  for (const piece of pieces) {
    const block = splitter.push(piece);
    if (block === 'too_large') throw new Error('an event is too large');
    if (block !== null) take(block);
  }
  const rest = splitter.rest();
  if (rest !== null) take(rest);
  return events;
}

function decodeStream(provider: Provider, events: readonly SplitEvent[]): readonly ChatEvent[] {
  const decoder = supportOf(provider).codec.stream();
  return [...events.flatMap((event) => decoder.push(event)), ...decoder.end()];
}

type Told = Pick<Reading, 'text' | 'reasoning' | 'calls' | 'finish' | 'buckets' | 'flags'>;

function readParts(parts: readonly Part[]): Pick<Told, 'text' | 'reasoning' | 'calls'> {
  const calls = parts.flatMap((part) =>
    part.type === 'tool_call' ? [{ name: part.name, arguments: part.arguments }] : [],
  );
  const joined = (type: 'text' | 'reasoning'): string =>
    parts.map((part) => (part.type === type ? part.text : '')).join('');
  return { text: joined('text'), reasoning: joined('reasoning'), calls };
}

function readAnswer(answer: ChatAnswer): Told {
  const [choice] = answer.choices;
  return {
    ...readParts(choice?.parts ?? []),
    finish: choice?.finish?.reason ?? '',
    buckets: answer.usage.buckets,
    flags: answer.usage.flags,
  };
}

interface GrownPart {
  readonly value: Part;
  said: string;
  open: boolean;
}

/** Puts a stream together again; throws where parts do not open, grow and close in order. */
function readStream(events: readonly ChatEvent[]): Told {
  const parts: GrownPart[] = [];
  let finish = '';
  let usage: Pick<Told, 'buckets' | 'flags'> = { buckets: {}, flags: ['none'] };
  if (events[0]?.type !== 'start') throw new Error('the stream does not start');
  for (const event of events) {
    if (event.type === 'finish') finish = event.finish.reason;
    if (event.type === 'usage') usage = event.usage;
    if (event.type === 'part_start') {
      if (event.part !== parts.length) throw new Error('parts are not numbered densely');
      parts.push({ value: event.value, said: '', open: true });
    } else if ('part' in event) {
      growPart(parts[event.part], event);
    }
  }
  if (parts.some((part) => part.open)) throw new Error('a part was never closed');
  const { buckets, flags } = usage;
  return { ...readParts(parts.map(wholePart)), finish, buckets, flags };
}

function growPart(part: GrownPart | undefined, event: ChatEvent): void {
  if (part?.open !== true) throw new Error(`${event.type} belongs to no open part`);
  if ('text' in event) part.said += event.text;
  if (event.type === 'part_stop') part.open = false;
}

function wholePart({ value, said }: GrownPart): Part {
  if (value.type === 'tool_call') return { ...value, arguments: said };
  return value.type === 'text' || value.type === 'reasoning' ? { ...value, text: said } : value;
}

describe('the registry', () => {
  it('names every provider once, by its own id', () => {
    expect(Object.entries(providers).map(([id, provider]) => [id, provider.id])).toEqual(
      Object.keys(providers).map((id) => [id, id]),
    );
  });

  it('knows every folder that holds a provider', () => {
    const folders = readdirSync(here).filter((name) =>
      existsSync(new URL(`${name}/index.ts`, here)),
    );
    expect(Object.keys(providers).toSorted()).toEqual(folders.toSorted());
  });

  it('lets no environment variable switch on two providers', () => {
    const names = Object.values<Provider>(providers).flatMap(({ env }) => [
      ...env.apiKey,
      ...(env.baseUrl ?? []),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe.each(passing)('%s', (id, provider) => {
  const fixtures = new Fixtures(id);
  const { codec, passThrough } = chatOf(provider);

  it.each(fixtures.cases('.request.json'))('adapts the request %s, and says so', (name) => {
    const body = fixtures.record(`${name}.request.json`);
    const adaptation = passThrough.adapt(membersOf(body), targetOf(provider));
    expect(edited(body, adaptation.edits)).toEqual(fixtures.json(`${name}.upstream.json`));
    const told = adaptation.warnings.map(({ code, param }) => `${code} ${param}`);
    const { warnings } = fixtures.reading(name);
    expect(told.toSorted()).toEqual([...warnings].toSorted());
    for (const { message } of adaptation.warnings) expect(message).toMatch(/^\S.*\.$/s);
  });

  it.each(fixtures.cases('.request.json'))('leaves an adapted request %s alone', (name) => {
    const body = fixtures.record(`${name}.upstream.json`);
    const adaptation = passThrough.adapt(membersOf(body), targetOf(provider));
    expect(edited(body, adaptation.edits)).toEqual(body);
    expect(adaptation.warnings).toEqual([]);
  });

  it.each(fixtures.cases('.response.json'))('reads the answer %s', (name) => {
    const body = fixtures.json(`${name}.response.json`);
    const { warnings: _warnings, ...expected } = fixtures.reading(name);
    const answer = codec.decode(body);
    expect(readAnswer(answer)).toEqual(expected);
    expect(passThrough.readUsage(body)).toEqual(answer.usage);
    expect(passThrough.readComplaint(body)).toBeNull();
  });

  it.each(fixtures.cases('.stream.sse'))('reads the stream %s as it reads the answer', (name) => {
    const events = split([fixtures.bytes(`${name}.stream.sse`)]);
    const { warnings: _warnings, ...expected } = fixtures.reading(name);
    expect(readStream(decodeStream(provider, events))).toEqual(expected);
  });

  it.each(fixtures.cases('.broken.sse'))('sees the failure inside the stream %s', (name) => {
    const events = split([fixtures.bytes(`${name}.broken.sse`)]);
    const expected = fixtures.json(`${name}.broken.reading.json`);
    expect(decodeStream(provider, events).at(-1)).toMatchObject({
      type: 'complaint',
      complaint: expected,
    });
    const said = events.map((event) => passThrough.readComplaint(parseJson(event.data)));
    expect(said.find((complaint) => complaint !== null)).toMatchObject(recordOf(expected));
  });

  it.each(fixtures.names.filter((name) => /\.error-\d{3}\.json$/.test(name)))('maps %s', (name) => {
    const table = fixtures.errorReadings();
    const expected = table[name.replace('.json', '')];
    if (expected === undefined) throw new Error(`errors.reading.json has no row for ${name}`);
    const { headers, ...meaning } = expected;
    const status = Number(/error-(\d{3})/.exec(name)?.[1]);
    const body = fixtures.bytes(name);
    const nowMs = Date.parse('2026-11-18T11:00:00Z');
    const error = provider.readError({ status, headers, body, nowMs });
    expect(error).toMatchObject({ ...meaning, status });
    expect(error.message).not.toBe('');
    // A failure that comes with 200 is seen only by who reads the answer.
    const complaint = passThrough.readComplaint(parseJson(new TextDecoder().decode(body)));
    expect(status !== 200 || complaint !== null).toBe(true);
  });

  it.each(fixtures.cases('.stream.sse'))(
    'sends a stream %s that the official client reads',
    async (name) => {
      const events = split([fixtures.bytes(`${name}.stream.sse`)]).map(({ data }) => {
        if (data === '[DONE]') return data;
        const event = parseJson(data);
        return JSON.stringify(passThrough.event?.(event) ?? event);
      });
      const sse = events.map((data) => `data: ${data}\n\n`).join('');
      const client = clientOf(sse, 'text/event-stream');
      const messages = [{ role: 'user' as const, content: 'x' }];
      const stream = client.chat.completions.stream({ model: 'm', messages });
      const completion = await stream.finalChatCompletion();
      const reading = fixtures.reading(name);
      const message = completion.choices[0]?.message;
      expect(message?.content ?? '').toBe(reading.text);
      expect(message?.tool_calls?.length ?? 0).toBe(reading.calls.length);
      expect(completion.choices[0]?.finish_reason).toBe(reading.finish);
    },
  );

  it.each(fixtures.cases('.response.json'))(
    'sends an answer %s that the official client reads',
    async (name) => {
      const body = fixtures.json(`${name}.response.json`);
      const client = clientOf(
        JSON.stringify(passThrough.answer?.(body) ?? body),
        'application/json',
      );
      const messages = [{ role: 'user' as const, content: 'x' }];
      const completion = await client.chat.completions.create({ model: 'm', messages });
      const reading = fixtures.reading(name);
      expect(completion.choices[0]?.message.content ?? '').toBe(reading.text);
    },
  );

  it('puts its path under base URLs with and without a slash, and keeps their query', () => {
    const plain = provider.address(targetOf(provider, 'https://host.example/gate/v1'), 'chat');
    const slashed = provider.address(targetOf(provider, 'https://host.example/gate/v1//'), 'chat');
    expect(plain).toEqual({ method: 'POST', url: 'https://host.example/gate/v1/chat/completions' });
    expect(slashed).toEqual(plain);
    const asked = provider.address(targetOf(provider, 'https://host.example/v1?v=2'), 'chat');
    expect(asked.url).toBe('https://host.example/v1/chat/completions?v=2');
  });
});

describe.each(everyone)('%s', (id, provider) => {
  const fixtures = new Fixtures(id);
  const { chat } = provider;

  it.runIf(chat !== undefined)('has an answer, a stream, a tool call and an error', () => {
    expect(fixtures.cases('.response.json').length).toBeGreaterThan(0);
    expect(fixtures.cases('.stream.sse').length).toBeGreaterThan(0);
    expect(fixtures.cases('.request.json').length).toBeGreaterThan(0);
    const readings = fixtures.cases('.reading.json').map((name) => `${name}.reading.json`);
    const callsOf = (name: string) => listOf(fixtures.record(name)['calls']);
    expect(readings.some((name) => callsOf(name).length > 1)).toBe(true);
    expect(fixtures.names.some((name) => /\.error-\d{3}\.json$/.test(name))).toBe(true);
  });

  it.each(fixtures.cases('.sse'))(
    'reads the stream %s the same, wherever its bytes are cut',
    (name) => {
      const bytes = fixtures.bytes(`${name}.sse`);
      const whole = split([bytes]);
      const expected = JSON.stringify(whole);
      const bad: number[] = [];
      for (let cut = 1; cut < bytes.length; cut += 1) {
        const events = split([bytes.subarray(0, cut), bytes.subarray(cut)]);
        if (JSON.stringify(events) !== expected) bad.push(cut);
      }
      expect(bad).toEqual([]);
      const single = split(Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1)));
      expect(decodeStream(provider, single)).toEqual(decodeStream(provider, whole));
    },
  );

  it.each(fixtures.names.filter((name) => /\.error-\d{3}\.json$/.test(name)))('maps %s', (name) => {
    const expected = fixtures.errorReadings()[name.replace('.json', '')];
    if (expected === undefined) throw new Error(`errors.reading.json has no row for ${name}`);
    const { headers, ...meaning } = expected;
    const status = Number(/error-(\d{3})/.exec(name)?.[1]);
    const nowMs = Date.parse('2026-11-18T11:00:00Z');
    const error = provider.readError({ status, headers, body: fixtures.bytes(name), nowMs });
    expect(error).toMatchObject({ ...meaning, status });
    expect(error.message).not.toBe('');
  });

  it('puts its secret into a header and never into an address', async () => {
    const target = targetOf(provider);
    const address = provider.address(target, 'chat');
    const secret = 'secret-canary-7';
    const input = { secret, target, address, body: new Uint8Array(), nowMs: 0 };
    const credentials = await provider.credentials(input);
    expect(address.url).not.toContain(secret);
    if (!('headers' in credentials)) return;
    expect(credentials.headers.filter(([, value]) => value.includes(secret)).length).toBe(1);
    expect(credentials.headers.every(([name]) => name === name.toLowerCase())).toBe(true);
  });

  it('has a base URL over TLS, one on this machine, or none', () => {
    const { baseUrl } = provider;
    expect(baseUrl ?? 'https://').toMatch(/^(https:\/\/|http:\/\/(127\.0\.0\.1|[a-z]+\.invalid))/);
    expect(baseUrl ?? '').not.toMatch(/\/$/);
    expect(provider.docs).toMatch(/^https:\/\//);
  });
});

describe.each(translated)('%s, by translation', (id, provider) => {
  const fixtures = new Fixtures(id);
  const { codec } = supportOf(provider);

  it.each(fixtures.cases('.request.json'))('writes the request %s, and says so', (name) => {
    const form = readForm(fixtures.record(`${name}.request.json`));
    const encoded = codec.encode(form, targetOf(provider));
    expect(encoded.body).toEqual(fixtures.json(`${name}.upstream.json`));
    const told = encoded.warnings.map(({ code, param }) => `${code} ${param}`);
    const { warnings } = fixtures.reading(name);
    expect(told.toSorted()).toEqual([...warnings].toSorted());
    for (const { message } of encoded.warnings) expect(message).toMatch(/^\S.*\.$/s);
  });

  it.each(fixtures.cases('.response.json'))('reads the answer %s', (name) => {
    const body = fixtures.json(`${name}.response.json`);
    const { warnings: _warnings, ...expected } = fixtures.reading(name);
    expect(readAnswer(codec.decode(body))).toEqual(expected);
    expect(codec.readComplaint?.(body) ?? null).toBeNull();
  });

  it.each(fixtures.cases('.stream.sse'))('reads the stream %s as it reads the answer', (name) => {
    const events = split([fixtures.bytes(`${name}.stream.sse`)]);
    const { warnings: _warnings, ...expected } = fixtures.reading(name);
    expect(readStream(decodeStream(provider, events))).toEqual(expected);
  });

  it.each(fixtures.cases('.stream.sse'))('ends no stream %s that was cut short', (name) => {
    const events = split([fixtures.bytes(`${name}.stream.sse`)]);
    const finishes = (count: number): number =>
      decodeStream(provider, events.slice(0, count)).filter(({ type }) => type === 'finish').length;
    expect(finishes(events.length)).toBe(1);
    expect(finishes(Math.floor(events.length / 2))).toBe(0);
  });

  it.each(fixtures.cases('.broken.sse'))('sees the failure inside the stream %s', (name) => {
    const events = split([fixtures.bytes(`${name}.broken.sse`)]);
    const complaint = fixtures.json(`${name}.broken.reading.json`);
    expect(decodeStream(provider, events).at(-1)).toMatchObject({ type: 'complaint', complaint });
  });

  it.each(fixtures.cases('.stream.sse'))(
    'becomes a stream %s that the official client reads',
    async (name) => {
      const events = decodeStream(provider, split([fixtures.bytes(`${name}.stream.sse`)]));
      const sse = chunkWriter({ id: 'chatcmpl-1', created: 1, model: 'm' }).push(events);
      const client = clientOf(`${sse}data: [DONE]\n\n`, 'text/event-stream');
      const messages = [{ role: 'user' as const, content: 'x' }];
      const stream = client.chat.completions.stream({ model: 'm', messages });
      const [choice] = (await stream.finalChatCompletion()).choices;
      const reading = fixtures.reading(name);
      expect(choice?.message.content ?? '').toBe(reading.text);
      expect(choice?.message.tool_calls?.length ?? 0).toBe(reading.calls.length);
      expect(choice?.finish_reason).toBe(reading.finish);
    },
  );

  it('puts its path under base URLs with and without a slash, and keeps their query', () => {
    const urlOf = (baseUrl: string): string =>
      provider.address(targetOf(provider, baseUrl), 'chat').url;
    const plain = urlOf('https://host.example/gate');
    expect(urlOf('https://host.example/gate//')).toBe(plain);
    expect(plain).toMatch(/^https:\/\/host\.example\/gate\/./);
    expect(new URL(urlOf('https://host.example/gate?v=2')).searchParams.get('v')).toBe('2');
  });
});

function clientOf(body: string, contentType: string): OpenAI {
  const headers = { 'content-type': contentType };
  return new OpenAI({
    apiKey: 'unused',
    maxRetries: 0,
    fetch: () => Promise.resolve(new Response(body, { headers })),
  });
}

/** How the provider makes vectors with this model of its own. */
function embeddingsOf({ embeddings }: Provider, target: Target): EmbeddingsSupport {
  const support = typeof embeddings === 'function' ? embeddings(target) : embeddings;
  if (support === undefined) throw new Error(`${target.model} makes no vectors`);
  return support;
}

const embedding = everyone.filter(([, { embeddings }]) => embeddings !== undefined);

describe.each(embedding)('%s, embeddings', (id, provider) => {
  const fixtures = new Fixtures(id);

  function setUp(name: string) {
    const request = fixtures.record(`${name}.embeddings-request.json`);
    const target = { ...targetOf(provider), model: String(request['model']) };
    const reading = vectorsReadingSchema.parse(fixtures.json(`${name}.embeddings-reading.json`));
    const support = embeddingsOf(provider, target);
    return { request, target, reading, support, form: readEmbeddingsForm(request) };
  }

  it.runIf(provider.chat === undefined || translated.some(([other]) => other === id))(
    'has a request, an answer and an error to be tested by',
    () => {
      expect(fixtures.cases('.embeddings-request.json').length).toBeGreaterThan(0);
      expect(fixtures.cases('.embeddings-response.json').length).toBeGreaterThan(0);
      expect(fixtures.names.some((name) => /\.error-\d{3}\.json$/.test(name))).toBe(true);
    },
  );

  it.each(fixtures.cases('.embeddings-request.json'))('writes the request %s', (name) => {
    const { request, target, reading, support, form } = setUp(name);
    const upstream = fixtures.json(`${name}.embeddings-upstream.json`);
    const { body, warnings } = support.codec.encode(form, target);
    expect(new URL(provider.address(target, 'embeddings').url).pathname).toBe(reading.path);
    expect(body).toEqual(upstream);
    expect(warnings.map(({ code, param }) => `${code} ${param}`)).toEqual(reading.warnings);
    for (const { message } of warnings) expect(message).toMatch(/^\S.*\.$/s);
    if (support.passThrough === undefined) return;
    const adaptation = support.passThrough.adapt(membersOf(request), target);
    expect(edited(request, adaptation.edits)).toEqual(upstream);
  });

  it.each(fixtures.cases('.embeddings-response.json'))('reads the answer %s', (name) => {
    const { reading, support, form } = setUp(name);
    const body = fixtures.json(`${name}.embeddings-response.json`);
    const answer = support.codec.decode(body, reading.headers, form);
    expect(answer.vectors).toEqual(reading.vectors);
    expect(answer.vectors.length).toBe(form.inputs.length);
    expect(answer.usage?.buckets ?? null).toEqual(reading.buckets);
    expect(support.codec.readComplaint?.(body) ?? null).toBeNull();
  });

  it.each(fixtures.cases('.embeddings-response.json'))('knows that half of %s is none', (name) => {
    const { reading, support, form } = setUp(name);
    for (const body of [{}, null, 'text', [], { embeddings: null }, { data: {} }]) {
      const isAnswer = (): boolean =>
        support.codec.decode(body, reading.headers, form).vectors.length === form.inputs.length;
      expect(attempt(isAnswer)).toBe(false);
    }
  });
});

function attempt(isAnswer: () => boolean): boolean {
  try {
    return isAnswer();
  } catch {
    return false;
  }
}
