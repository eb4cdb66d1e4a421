/**
 * Every recorded exchange of Responses, read and streamed by the codec and compared with what was
 * recorded, piece by piece. Streams are also cut short at every event: none may seem whole.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ChatEvent, Part } from '#providers/form.ts';
import { isRecord, listOf, parseJson, recordOf, textOf, type JsonRecord } from '#providers/json.ts';
import { readSse } from '#testing/recordings-reading.ts';
import { findRecordings } from '#testing/recordings-rows.ts';
import type { Usage } from '#wire/usage.ts';
import { openAiResponses } from './codec.ts';

const { codec } = openAiResponses;

interface Exchange {
  readonly label: string;
  /** One whole response, or the events of a stream as JSON texts. */
  readonly answer: JsonRecord | readonly string[];
}

function load(folder: string): readonly Exchange[] {
  return ['pydantic-ai', 'dd-trace-py'].flatMap((source) =>
    readdirSync(join(folder, source)).flatMap((provider) => {
      const path = join(folder, source, provider, 'exchanges.jsonl');
      const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
      return lines.map((line) => recordOf(parseJson(line))).flatMap(readExchange);
    }),
  );
}

function readExchange(row: JsonRecord): readonly Exchange[] {
  const { status, bodyKind, body } = recordOf(row['response']);
  const label = textOf(row['id']) ?? '';
  if (row['api'] !== 'responses' || status !== 200) return [];
  if (bodyKind === 'text' && typeof body === 'string') return [{ label, answer: readSse(body) }];
  return isRecord(body) && Array.isArray(body['output']) ? [{ label, answer: body }] : [];
}

/** What a response says, told by hand: nothing here goes through the codec. */
function recorded(response: JsonRecord): JsonRecord {
  const items = listOf(response['output']).map(recordOf);
  const ofType = (type: string): readonly JsonRecord[] =>
    items.filter((item) => item['type'] === type);
  const said = ofType('message').flatMap((item) => listOf(item['content']).map(recordOf));
  const thought = ofType('reasoning').flatMap((item) => [
    ...listOf(item['summary']),
    ...listOf(item['content']),
  ]);
  const calls = items.filter((item) =>
    /^(?:function|custom_tool)_call$/.test(String(item['type'])),
  );
  const usage = recordOf(response['usage']);
  return {
    text: said.map((content) => textOf(content['text']) ?? '').join(''),
    refusal: said.map((content) => textOf(content['refusal']) ?? '').join(''),
    reasoning: thought.map((each) => textOf(recordOf(each)['text']) ?? '').join(''),
    // The last event encrypts the same state again, so only their number can be compared.
    encrypted: ofType('reasoning').filter((item) => textOf(item['encrypted_content'])).length,
    calls: calls.map((item) => [item['call_id'], item['name'], item['arguments'] ?? item['input']]),
    cited: said
      .flatMap((content) => listOf(content['annotations']).map(recordOf))
      .map((annotation) => annotation['url'] ?? annotation['file_id']),
    images: ofType('image_generation_call').length,
    tokens: isRecord(response['usage']) ? [usage['input_tokens'], usage['output_tokens']] : null,
  };
}

/** The same of what the codec made of it. */
function reading(parts: readonly Part[], usage: Usage | null): JsonRecord {
  const joined = (type: 'text' | 'refusal' | 'reasoning'): string =>
    parts.map((part) => (part.type === type ? part.text : '')).join('');
  const { buckets = {} } = usage ?? {};
  const input = (buckets.input ?? 0) + (buckets.cache_read ?? 0) + (buckets.cache_write_5m ?? 0);
  const output = (buckets.output ?? 0) + (buckets.reasoning ?? 0);
  return {
    text: joined('text'),
    refusal: joined('refusal'),
    reasoning: joined('reasoning'),
    encrypted: parts.filter((part) => part.type === 'reasoning' && part.encrypted !== undefined)
      .length,
    calls: parts.flatMap((part) =>
      part.type === 'tool_call' ? [[part.id, part.name, part.arguments]] : [],
    ),
    cited: parts
      .flatMap((part) => (part.type === 'text' ? (part.citations ?? []) : []))
      .map((citation) => citation.url ?? citation.fileId),
    images: parts.filter((part) => part.type === 'image').length,
    tokens: usage?.source === 'upstream' ? [input, output] : null,
  };
}

function decode(events: readonly string[]): readonly ChatEvent[] {
  const decoder = codec.stream();
  const told = events.flatMap((data) => decoder.push({ event: null, data }));
  return [...told, ...decoder.end()];
}

/** Parts as a stream adds up to them; throws where one grows that is not open. */
function grown(events: readonly ChatEvent[]): readonly Part[] {
  const parts: Part[] = [];
  const open = new Set<number>();
  for (const event of events) {
    if (!('part' in event)) continue;
    const part = event.type === 'part_start' ? event.value : parts[event.part];
    if (event.type === 'part_start') open.add(event.part);
    if (part === undefined || !open.has(event.part)) throw new Error(`no open part: ${event.type}`);
    if (event.type === 'part_stop') open.delete(event.part);
    parts[event.part] = grow(part, event);
  }
  if (open.size > 0) throw new Error('a part was never closed');
  return parts;
}

function grow(part: Part, event: ChatEvent): Part {
  if (event.type === 'citation' && part.type === 'text') {
    return { ...part, citations: [...(part.citations ?? []), event.citation] };
  }
  if (!('text' in event)) return part;
  if (part.type === 'tool_call') return { ...part, arguments: part.arguments + event.text };
  return 'text' in part ? { ...part, text: part.text + event.text } : part;
}

function usageOf(events: readonly ChatEvent[]): Usage | null {
  const last = events.findLast((event) => event.type === 'usage');
  return last?.type === 'usage' ? last.usage : null;
}

const folder = findRecordings(fileURLToPath(new URL('../../../..', import.meta.url)));

describe.skipIf(folder === null)('recorded responses', () => {
  const exchanges = folder === null ? [] : load(folder);

  it('say through the codec what they said', () => {
    const answers = exchanges.flatMap(({ label, answer }) =>
      isRecord(answer) ? [{ label, answer }] : [],
    );
    for (const { label, answer } of answers) {
      const { choices, usage } = codec.decode(answer);
      expect({ label, ...reading(choices[0]?.parts ?? [], usage) }).toEqual({
        label,
        ...recorded(answer),
      });
    }
    expect(answers.length).toBeGreaterThanOrEqual(300);
  });

  it('say in streams what their last event says', () => {
    let read = 0;
    for (const { label, answer } of exchanges) {
      if (isRecord(answer)) continue;
      const last = answer
        .map(parseJson)
        .map(recordOf)
        .findLast((event) => isRecord(event['usage'] ?? recordOf(event['response'])['usage']));
      if (last === undefined) continue;
      read += 1;
      const events = decode(answer);
      expect({ label, ...reading(grown(events), usageOf(events)) }).toEqual({
        label,
        ...recorded(recordOf(last['response'])),
      });
      for (let count = 0; count < answer.length - 1; count += 7) {
        const cut = decode(answer.slice(0, count));
        expect({ label, count, ends: cut.some(({ type }) => type === 'finish') }).toEqual({
          label,
          count,
          ends: false,
        });
        grown(cut);
      }
    }
    expect(read).toBeGreaterThanOrEqual(40);
  });
});
