/**
 * A million bodies that are almost requests (promise 36): each is read or refused with a 4xx, the
 * bytes and JSON.parse agree on which, and what the quick check lets through is what the schema
 * would let through.
 */
import { expect, it } from 'vitest';
import { toBytes, toText } from '#base/bytes.ts';
import { parseChatRequest } from '#wire/chat/request.ts';
import { GatewayError } from '#wire/errors.ts';
import { readChatRequest } from './chat/read-request.ts';
import { readEmbeddingsRequest } from './embeddings/read-request.ts';

const BODIES = 1_000_000;

const REQUESTS: readonly unknown[] = [
  { model: 'm', messages: [{ role: 'user', content: 'Hi' }] },
  {
    model: 'a/b',
    models: ['c', 'd'],
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'Be brief \u00e9\u{1f600}' }] },
      { role: 'assistant', content: null, tool_calls: [call('f', '{"a":1}')] },
      { role: 'tool', tool_call_id: 'f', content: '"1\\2"' },
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x/y.png' } }] },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    stream: true,
    stream_options: { include_usage: true },
    max_completion_tokens: 16,
    temperature: 0.5,
    stop: ['a', 'b'],
    n: 2,
    response_format: { type: 'json_object' },
    provider: { require_parameters: true },
    metadata: { a: 'b' },
  },
  { model: 'm', input: ['a', 'b'], dimensions: 8, encoding_format: 'base64', user: 'u' },
  { model: 'm', input: [[1, 2], [3]] },
];

function call(id: string, text: string): unknown {
  return { id, type: 'function', function: { name: id, arguments: text } };
}

/** What hurts parsers, as bytes. */
const BARBS = [
  '"',
  '\\',
  '\\u0000',
  '\\ud800',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '-',
  '1e999',
  '-0',
  '00',
  '18446744073709551616',
  '0.1e-400',
  'null',
  'true',
  'NaN',
  '"__proto__":{"stream":true},',
  '"constructor":{"prototype":1},',
  '"model":"m",',
  '"\\u006dodel":1,',
  '[[[[[[[[',
  '{"a":{"a":{"a":',
  '\u0000',
  '\u001f',
  '\t\r\n ',
  '\ufeff',
].map((text) => toBytes(text));
const BROKEN = [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe6, 0xb2]];
const PIECES = [...BARBS, ...BROKEN.map((bytes) => Uint8Array.from(bytes))];

/** What no field expects: of other types, out of range, deep, long, with names of prototypes. */
const STRANGERS: readonly unknown[] = [
  null,
  true,
  '',
  'x',
  '\u0000',
  '__proto__',
  'a'.repeat(300),
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  [],
  {},
  [null],
  { a: null },
  JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`),
  JSON.parse('{"__proto__":{"stream":true},"constructor":[]}'),
  Array.from({ length: 200 }, () => ({ role: 'user', content: 'x' })),
];

/** mulberry32: numbers that a seed repeats. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Some bytes replaced, dropped, repeated or put in. */
function damage(body: Uint8Array, random: (below: number) => number): Uint8Array {
  const at = random(body.length + 1);
  const piece = PIECES[random(PIECES.length)] ?? body;
  const cut = [
    body.subarray(0, at),
    body.subarray(Math.min(body.length, at + random(12))),
  ] as const;
  const parts = [
    [cut[0], piece, body.subarray(at)],
    [cut[0], piece, cut[1]],
    [cut[0], cut[1]],
    [cut[0], body.subarray(random(at + 1), at), body.subarray(at)],
    [cut[0]],
  ][random(5)];
  return Buffer.concat(parts ?? []);
}

/** The same value with a stranger in one place of it. */
function distort(value: unknown, random: (below: number) => number): unknown {
  const stranger = STRANGERS[random(STRANGERS.length)];
  if (typeof value !== 'object' || value === null || random(6) === 0) return stranger;
  if (Array.isArray(value)) {
    const at = random(value.length + 1);
    return value.toSpliced(at, 1, distort(value[at], random));
  }
  const names = Object.keys(value);
  const name = names[random(names.length)];
  return name === undefined
    ? stranger
    : { ...value, [name]: distort(Reflect.get(value, name), random) };
}

type Judgement = 'read' | 'refused' | 'not JSON';

function judge(read: (body: Uint8Array) => unknown, body: Uint8Array): Judgement {
  try {
    read(body);
    return 'read';
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    if (thrown.status < 400 || thrown.status > 499) throw thrown;
    return thrown.code === 'invalid_json' ? 'not JSON' : 'refused';
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parses(body: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(decoder.decode(body));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * What is wrong with a judgement; null if nothing is. What nests too deep or repeats a key is
 * refused without a look at the rest. To compare costs more than to judge: of all that is no JSON,
 * one in eight.
 */
function faultOf(body: Uint8Array, judged: Judgement, run: number): string | null {
  if (judged === 'refused' || (judged === 'not JSON' && run % 8 > 0)) return null;
  if (parses(body) !== (judged === 'read')) return 'JSON.parse sees it otherwise';
  if (judged === 'not JSON') return null;
  const read = judge((bytes) => parseChatRequest(JSON.parse(toText(bytes))), body);
  return read === 'read' ? null : 'the schema would refuse it';
}

it('a million damaged bodies are each read or refused (promise 36)', () => {
  const seed = Number(process.env['OMNIX_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
  process.stdout.write(`OMNIX_FUZZ_SEED=${seed}\n`);
  const random = randomOf(seed);
  const counts: Record<Judgement, number> = { read: 0, refused: 0, 'not JSON': 0 };
  for (let run = 0; run < BODIES; run += 1) {
    let value = REQUESTS[random(REQUESTS.length)];
    if (random(2) === 0) value = distort(value, random);
    let body = toBytes(JSON.stringify(value));
    for (let times = random(3); times > 0; times -= 1) body = damage(body, random);
    const judged = judge(readChatRequest, body);
    counts[judged] += 1;
    counts[judge(readEmbeddingsRequest, body)] += 1;
    const fault = faultOf(body, judged, run);
    expect(fault, fault === null ? '' : Buffer.from(body).toString('latin1')).toBeNull();
  }
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  for (const kind of ['read', 'refused', 'not JSON'] as const) {
    expect(counts[kind], kind).toBeGreaterThan(BODIES / 50);
  }
});
