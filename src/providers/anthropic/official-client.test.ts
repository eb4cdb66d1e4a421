/**
 * The official client as the judge: it asks at the same address as we do, and reads the fixtures as
 * we read them, so that they are what the host would send.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Anthropic } from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { createSseSplitter, readEvents } from '#base/sse.ts';
import type { ChatEvent, Part } from '../form.ts';
import { parseJson } from '../json.ts';
import type { Target } from '../provider.ts';
import { anthropicSupport } from '../dialects/anthropic/support.ts';
import { anthropic } from './index.ts';

const folder = new URL('./fixtures/', import.meta.url);
const { codec } = anthropicSupport();

function fixture(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8');
}

function namesOf(ending: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.endsWith(ending));
}

interface Asked {
  readonly url: string;
  readonly headers: Headers;
}

/** A client that gets the body as the answer to whatever it asks. */
function clientOf(name: string, baseURL?: string, asked: Asked[] = []): Anthropic {
  const contentType = name.endsWith('.sse') ? 'text/event-stream' : 'application/json';
  return new Anthropic({
    apiKey: 'secret',
    ...(baseURL === undefined ? {} : { baseURL }),
    maxRetries: 0,
    fetch: (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      asked.push({ url, headers: new Headers(init?.headers) });
      const headers = { 'content-type': contentType };
      return Promise.resolve(new Response(fixture(name), { headers }));
    },
  });
}

const request = {
  model: 'claude-haiku-4-5',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'x' }],
};

function targetOf(baseUrl: string): Target {
  return { baseUrl, model: request.model, region: null, project: null, account: null };
}

/** Text, thoughts with signatures, and calls with their input, in order. */
function readParts(parts: readonly Part[]): readonly unknown[] {
  return parts.map((part) => {
    if (part.type === 'tool_call') return [part.id, part.name, parseJson(part.arguments)];
    if (part.type === 'reasoning') return [part.text, part.signature ?? part.encrypted];
    return part.type === 'text' ? part.text : part.type;
  });
}

function readContent(content: readonly Anthropic.ContentBlock[]): readonly unknown[] {
  return content.map((block) => {
    if (block.type === 'tool_use') return [block.id, block.name, block.input];
    if (block.type === 'thinking') return [block.thinking, block.signature];
    if (block.type === 'redacted_thinking') return ['', block.data];
    return block.type === 'text' ? block.text : block.type;
  });
}

function streamParts(sse: string): readonly Part[] {
  const splitter = createSseSplitter(1_000_000);
  const block = splitter.push(new TextEncoder().encode(sse));
  if (!(block instanceof Uint8Array)) throw new Error('the fixture holds no event');
  const decoder = codec.stream();
  const parts: Part[] = [];
  for (const { event, data } of readEvents(block)) {
    for (const told of decoder.push({ event, data: data ?? '' })) collect(told, parts);
  }
  return parts;
}

function collect(event: ChatEvent, parts: Part[]): void {
  if (event.type === 'part_start') parts.push(event.value);
  if (!('part' in event)) return;
  const part = parts[event.part];
  if (part !== undefined) parts[event.part] = grow(part, event);
}

function grow(part: Part, event: ChatEvent): Part {
  switch (part.type) {
    case 'tool_call':
      return event.type === 'arguments_delta'
        ? { ...part, arguments: part.arguments + event.text }
        : part;
    case 'text':
      return event.type === 'text_delta' ? { ...part, text: part.text + event.text } : part;
    case 'reasoning':
      if (event.type === 'signature') return { ...part, signature: event.signature };
      return event.type === 'reasoning_delta' ? { ...part, text: part.text + event.text } : part;
    default:
      return part;
  }
}

describe('the official client', () => {
  it.each(['https://api.anthropic.com', 'https://gate.example/claude'])(
    'asks at the same address under %s',
    async (baseURL) => {
      const asked: Asked[] = [];
      const client = clientOf('text.response.json', baseURL, asked);
      await client.messages.create(request);
      const address = anthropic.address(targetOf(baseURL), 'chat');
      expect(asked[0]?.url).toBe(address.url);
      expect(asked[0]?.headers.get('anthropic-version')).toMatch(/^\d{4}-\d\d-\d\d$/);
    },
  );

  it.each(namesOf('.response.json'))('reads the answer %s as we do', async (name) => {
    const client = clientOf(name);
    const message = await client.messages.create(request);
    const answer = codec.decode(JSON.parse(fixture(name)));
    expect(readParts(answer.choices[0]?.parts ?? [])).toEqual(readContent(message.content));
    expect(answer.choices[0]?.finish?.native).toBe(message.stop_reason);
  });

  it.each(namesOf('.stream.sse'))('reads the stream %s as we do', async (name) => {
    const client = clientOf(name);
    const message = await client.messages.stream(request).finalMessage();
    expect(readParts(streamParts(fixture(name)))).toEqual(readContent(message.content));
  });

  it.each(namesOf('.broken.sse'))('sees the stream %s fail, too', async (name) => {
    const client = clientOf(name);
    const failure: unknown = await client.messages
      .stream(request)
      .finalMessage()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Anthropic.APIError);
  });
});
