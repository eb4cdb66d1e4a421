/** The quick check may hesitate, but it must never wave through what the full check refuses. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBytes } from '#base/bytes.ts';
import { DEFAULT_LIMITS, scanJson } from '#base/json-scan.ts';
import { quickCheck } from './quick-check.ts';
import { parseChatRequest } from './request.ts';

function judge(text: string, indexDepth = DEFAULT_LIMITS.indexDepth): string {
  const scanned = scanJson(toBytes(text), { ...DEFAULT_LIMITS, indexDepth });
  if (!scanned.ok) throw new Error(`not scanned: ${scanned.error.message}`);
  return quickCheck(scanned.value);
}

function isTaken(text: string): boolean {
  try {
    parseChatRequest(JSON.parse(text));
    return true;
  } catch {
    return false;
  }
}

function isWavedThrough(text: string): boolean {
  return judge(text) === 'fine' && !isTaken(text);
}

const TOOL = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'd',
    strict: true,
    parameters: { type: 'object', properties: { a: { type: 'array', items: { type: 'string' } } } },
  },
};

const EVERYDAY: Readonly<Record<string, Record<string, unknown>>> = {
  text: {},
  'scalar parameters': {
    temperature: 0.7,
    top_p: 1,
    n: 1,
    seed: -1,
    max_completion_tokens: 100,
    max_tokens: null,
    stop: ['a'],
    stream: true,
    stream_options: { include_usage: true },
    logprobs: true,
    top_logprobs: 5,
    user: 'u',
    store: false,
    frequency_penalty: 0.5,
    presence_penalty: -0.5,
    reasoning_effort: 'low',
    metadata: { a: 'b' },
    parallel_tool_calls: true,
    top_k: 40,
    models: ['a', 'b'],
    usage: { include: true },
  },
  parts: {
    messages: [
      { role: 'system', content: 's' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what is this' },
          { type: 'image_url', image_url: { url: 'https://a/b.png', detail: 'low' } },
          { type: 'video_url', video_url: { url: 'https://a/b.mp4' } },
        ],
      },
    ],
  },
  'tool calls and results': {
    messages: [
      { role: 'user', content: 'weather?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"a":[]}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
      { role: 'assistant', content: 'It is sunny.', reasoning_content: 'r', tool_calls: [] },
      { role: 'user', content: 'thanks', name: 'n' },
    ],
    tools: [TOOL, { function: TOOL.function }],
    tool_choice: { type: 'function', function: { name: 'weather' } },
  },
  'a response format': {
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'n', strict: true, schema: { type: 'object' } },
    },
  },
};

function everyday(fields: Record<string, unknown>): Record<string, unknown> {
  return { model: 'lab/model-1', messages: [{ role: 'user', content: 'hi' }], ...fields };
}

describe('the quick check knows everyday requests', () => {
  it.each(Object.keys(EVERYDAY))('with %s', (name) => {
    const body = everyday(EVERYDAY[name] ?? {});
    expect(judge(JSON.stringify(body))).toBe('fine');
    expect(judge(JSON.stringify(body, null, 2))).toBe('fine');
  });
});

describe('the quick check leaves to the full check', () => {
  it.each([
    ['a field that is not served yet', everyday({ provider: {} })],
    ['a suffix that is not served yet', everyday({ model: 'a:floor' })],
    ['a number beyond JavaScript', { ...everyday({}), max_tokens: 1e21 }],
    ['a fraction for a whole number', everyday({ n: 1.5 })],
    ['no messages', everyday({ messages: [] })],
    [
      'a part without its text',
      everyday({ messages: [{ role: 'user', content: [{ type: 'text' }] }] }),
    ],
    ['an unknown role', everyday({ messages: [{ role: 'bot', content: '' }] })],
    ['a wrong type', everyday({ stream: 'yes' })],
  ])('%s', (_name, body) => {
    expect(judge(JSON.stringify(body))).toBe('unsure');
  });

  it('names that are written with escapes', () => {
    const messages = '"messages":[{"role":"user","content":"a"}]';
    expect(judge(`{"model":"a",${messages},"str\\u0065am":"yes"}`)).toBe('unsure');
    expect(judge(`{"model":"a:fl\\u006for",${messages}}`)).toBe('unsure');
  });

  it('what lies below the index', () => {
    const body = JSON.stringify(everyday(EVERYDAY['parts'] ?? {}));
    for (let depth = 1; depth < 5; depth += 1) expect(judge(body, depth)).toBe('unsure');
  });
});

describe('fine means that the full check takes it', () => {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(null, '', 'text', 'a:nitro', 0, -1, 1.5, 1e300, [], {}, [null], [{}]),
  );

  /** Every place in a value: to be replaced by something odd, or removed. */
  function placesOf(value: unknown, path: readonly string[] = []): string[][] {
    if (typeof value !== 'object' || value === null) return [[...path]];
    const inside = Object.entries(value).flatMap(([key, item]) => placesOf(item, [...path, key]));
    return [[...path], ...inside];
  }

  function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
    const [step, ...rest] = path;
    if (step === undefined) return by;
    if (typeof value !== 'object' || value === null) return value;
    const change = (key: string, item: unknown): unknown =>
      key === step ? replaced(item, rest, by) : item;
    if (Array.isArray(value)) return value.map((item, at) => change(String(at), item));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(key, item)]));
  }

  const bodies = Object.values(EVERYDAY).map(everyday);
  const mutated = fc
    .record({ body: fc.constantFrom(...bodies), spot: fc.nat(), by: odd, remove: fc.boolean() })
    .map(({ body, spot, by, remove }) => {
      const places = placesOf(body);
      return replaced(body, places[spot % places.length] ?? [], remove ? undefined : by);
    })
    .filter((body) => typeof body === 'object' && !Array.isArray(body));

  it('for everyday requests with something odd anywhere', () => {
    let fine = 0;
    fc.assert(
      fc.property(mutated, (body) => {
        const text = JSON.stringify(body);
        fine += judge(text) === 'fine' ? 1 : 0;
        expect(isWavedThrough(text)).toBe(false);
      }),
      { numRuns: 4000 },
    );
    expect(fine, 'the property must have been tried').toBeGreaterThan(200);
  });

  it('for any parameter with any value', () => {
    const names = ['temperature', 'n', 'stop', 'tools', 'tool_choice', 'usage', 'models', 'model'];
    const extra = fc.dictionary(fc.constantFrom(...names, 'messages', 'response_format'), odd);
    fc.assert(
      fc.property(extra, (fields) => {
        const text = JSON.stringify(everyday(fields));
        expect(isWavedThrough(text)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('for nested objects that repeat a key, of which the last counts', () => {
    const value = fc.constantFrom('"a"', '5', 'null', '[{"type":"text","text":1}]');
    fc.assert(
      fc.property(value, value, value, (first, second, role) => {
        const message = `{"role":"user","role":${role},"role":"user","content":${first},"content":${second}}`;
        const text = `{"model":"m","messages":[${message}]}`;
        expect(isWavedThrough(text)).toBe(false);
      }),
    );
  });
});
