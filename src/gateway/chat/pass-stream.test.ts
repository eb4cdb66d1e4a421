/** What goes through a passed stream: the same bytes, the usage, and the last event of ours. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toBytes, toText } from '#base/bytes.ts';
import { nanoUsd } from '#base/money.ts';
import { providers } from '#providers/registry.ts';
import type { Provider } from '#providers/provider.ts';
import { passThroughOf } from '#testing/chat-support.ts';
import { at, objectOf, type JsonObject } from '#testing/recordings-json.ts';
import type { Usage } from '#wire/usage.ts';
import type { AnswerTail } from '../answer.ts';
import { PassStream } from './pass-stream.ts';

const EVENT_BYTES_MAX = 100_000;
const DONE = 'data: [DONE]\n\n';
const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const BUCKETS = { input: 11, output: 7 };

function openStream(provider: Provider = providers.openai): PassStream {
  const { codec, passThrough } = passThroughOf(provider);
  return new PassStream({ codec, passThrough, eventBytesMax: EVENT_BYTES_MAX, choices: 1 });
}

interface Passed {
  readonly out: string;
  readonly usage: Usage | null;
  readonly finish: string | null;
  readonly ended: boolean;
  readonly complaint: string | null;
  readonly stream: PassStream;
}

/** Pushes pieces and closes, as the exchange does. */
function pass(pieces: readonly (string | Uint8Array)[], provider?: Provider): Passed {
  const stream = openStream(provider);
  const out: Uint8Array[] = [];
  const take = (bytes: Uint8Array | null): void => {
    if (bytes === null) return;
    expect(stream.began, 'nothing is forwarded before the answer begins').toBe(true);
    out.push(bytes);
  };
  for (const piece of pieces) {
    take(stream.push(typeof piece === 'string' ? toBytes(piece) : piece));
  }
  take(stream.close());
  const { usage, finish, ended, complaint } = stream;
  return {
    out: toText(concatBytes(out)),
    usage,
    finish,
    ended,
    complaint: complaint?.code ?? null,
    stream,
  };
}

function chunk(choices: readonly unknown[], more: JsonObject = {}): string {
  const head = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm' };
  return `data: ${JSON.stringify({ ...head, choices, ...more })}\n\n`;
}

function delta(content: string, more: JsonObject = {}): string {
  return chunk([{ index: 0, delta: { content }, finish_reason: null }], more);
}

function finish(reason = 'stop', more: JsonObject = {}): string {
  return chunk([{ index: 0, delta: {}, finish_reason: reason }], more);
}

const usageOnly = chunk([], { usage: USAGE });

/** Every way to cut the bytes in two. */
function cuts(text: string): (readonly [Uint8Array, Uint8Array])[] {
  const bytes = toBytes(text);
  return Array.from({ length: bytes.length + 1 }, (_, cut) => [
    bytes.subarray(0, cut),
    bytes.subarray(cut),
  ]);
}

const TAIL: AnswerTail = {
  usage: { buckets: BUCKETS, source: 'upstream', flags: [], native: USAGE },
  cost: { total: nanoUsd(25_000n), prompt: nanoUsd(11_000n), completions: nanoUsd(14_000n) },
  usageText: null,
  providerName: 'host',
  warnings: [],
};

/** The JSON of our last event. */
function closingJson(stream: PassStream, tail: AnswerTail = TAIL): JsonObject {
  const text = toText(stream.closing(tail));
  expect(text.endsWith(`\n\n${DONE}`)).toBe(true);
  const parsed: unknown = JSON.parse(text.slice('data: '.length, -(DONE.length + 2)));
  return objectOf(parsed);
}

describe('a stream cut anywhere', () => {
  const body = [delta('Hel'), delta('lö 🌍'), ': ping\n\n', finish()].join('');

  it.each([
    ['LF', body + usageOnly + DONE, body],
    ['CRLF', (body + usageOnly + DONE).replaceAll('\n', '\r\n'), body.replaceAll('\n', '\r\n')],
    ['CR', (body + usageOnly + DONE).replaceAll('\n', '\r'), body.replaceAll('\n', '\r')],
  ])('gives the same bytes, usage and finish with %s', (_end, sent, expected) => {
    for (const [cut, pieces] of cuts(sent).entries()) {
      const passed = pass(pieces);
      expect(passed.out, `cut at ${cut}`).toBe(expected);
      expect(passed.usage?.buckets, `cut at ${cut}`).toEqual(BUCKETS);
      expect(passed).toMatchObject({ finish: 'stop', ended: true, complaint: null });
    }
  });

  it('is the same in writes of one byte', () => {
    const bytes = toBytes(body + usageOnly + DONE);
    const passed = pass(Array.from(bytes, (byte) => Uint8Array.of(byte)));
    expect(passed).toMatchObject({ out: body, finish: 'stop', ended: true });
  });

  it('is the same where the host has its events rewritten', () => {
    const sent = body + finish('stop', { usage: USAGE }) + DONE;
    for (const pieces of cuts(sent)) {
      const passed = pass(pieces, providers.mistral);
      expect(passed.out).toBe(body + finish('stop', { usage: USAGE }));
      expect(passed.usage?.buckets).toEqual(BUCKETS);
    }
  });

  it('arrives event by event and not at the end', () => {
    const stream = openStream();
    expect(stream.push(toBytes(delta('a')))).toEqual(toBytes(delta('a')));
    expect(stream.push(toBytes(delta('b').slice(0, 20)))).toBeNull();
    expect(stream.push(toBytes(delta('b').slice(20)))).toEqual(toBytes(delta('b')));
  });
});

describe('contents', () => {
  it.each([
    'usage',
    'error',
    '"usage":{"prompt_tokens":1}',
    '\\"usage\\":{',
    '"error":{"message":"boom"}',
    '"finish_reason":"stop"',
    '"choices":[]',
    'data: [DONE]\n\n',
    '[DONE]',
    '"base_resp":{"status_code":1}',
    '\u0000\u2028\u2029\ufeff',
  ])('%j is only text', (text) => {
    const sent = [delta('a'), delta(text), delta('z')].join('');
    const passed = pass([sent + finish() + usageOnly + DONE]);
    expect(passed.out).toBe(sent + finish());
    expect(passed.usage?.buckets).toEqual(BUCKETS);
    expect(passed.complaint).toBeNull();
  });

  it('survive byte for byte, whatever they are and however they are cut', () => {
    const word = fc.constantFrom(
      '"usage":{',
      '"error":',
      '"finish_reason":"x',
      '{',
      '}',
      '\\',
      '"',
    );
    const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), word, fc.json());
    const content = fc.array(piece, { maxLength: 4 }).map((parts) => parts.join(''));
    const extra = fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue(), { maxKeys: 2 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(content, extra), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat({ max: 4_000 }), { maxLength: 6 }),
        (deltas, places) => {
          const sent = deltas
            .map(([text, more]) =>
              chunk([{ index: 0, delta: { content: text, x: more }, finish_reason: null }]),
            )
            .join('');
          const bytes = toBytes(sent + finish() + usageOnly + DONE);
          const at0 = [0, ...places.map((place) => place % bytes.length).toSorted((a, b) => a - b)];
          const pieces = at0.map((from, index) => bytes.subarray(from, at0[index + 1]));
          const passed = pass(pieces);
          expect(passed.out).toBe(sent + finish());
          expect(passed).toMatchObject({ finish: 'stop', ended: true, complaint: null });
          expect(passed.usage?.buckets).toEqual(BUCKETS);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are kept for counting until the upstream has counted', () => {
    expect(pass([delta('one '), delta('two')]).stream.producedText()).toBe('one two');
    const long = Array.from({ length: 500 }, (_, n) => delta(`word${n} `));
    const text = Array.from({ length: 500 }, (_, n) => `word${n} `).join('');
    expect(pass(long).stream.producedText()).toBe(text);
    expect(pass([delta('one'), finish(), usageOnly, DONE]).stream.producedText()).toBe('');
  });
});

describe('usage', () => {
  it.each([
    ['in an event of its own, which is withheld', [finish(), usageOnly], finish()],
    [
      'in the finishing event',
      [finish('stop', { usage: USAGE })],
      finish('stop', { usage: USAGE }),
    ],
    [
      'under x_groq',
      [finish('stop', { x_groq: { id: 'r', usage: USAGE } })],
      finish('stop', { x_groq: { id: 'r', usage: USAGE } }),
    ],
    [
      'inside the last choice',
      [chunk([{ index: 0, delta: {}, finish_reason: 'stop', usage: USAGE }])],
      chunk([{ index: 0, delta: {}, finish_reason: 'stop', usage: USAGE }]),
    ],
    [
      'with a null in every other event',
      [delta('b', { usage: null }), finish('stop', { usage: null }), usageOnly],
      delta('b', { usage: null }) + finish('stop', { usage: null }),
    ],
  ])('is read %s', (_place, events, forwarded) => {
    const passed = pass([delta('a'), ...events, DONE]);
    expect(passed.out).toBe(delta('a') + forwarded);
    expect(passed.usage).toMatchObject({ buckets: BUCKETS, source: 'upstream', flags: [] });
    expect(passed.ended).toBe(true);
  });

  it('that stands in every event grows, and the last one counts (Perplexity)', () => {
    const events = [1, 2, 7].map((completion) =>
      delta('x', { usage: { ...USAGE, completion_tokens: completion, total_tokens: 0 } }),
    );
    const passed = pass([...events, finish('stop', { usage: USAGE }), DONE], providers.perplexity);
    expect(passed.usage?.buckets).toMatchObject(BUCKETS);
    expect(passed.usage?.flags).toEqual([]);
    expect(passed.out).toBe(events.join('') + finish('stop', { usage: USAGE }));
  });

  it('said twice counts once and is flagged (promise 26)', () => {
    const passed = pass([delta('a'), finish(), usageOnly, usageOnly, DONE]);
    expect(passed.usage).toMatchObject({ buckets: BUCKETS, flags: ['repeated'] });
    expect(passed.out).toBe(delta('a') + finish());
  });

  it('that is missing, or null everywhere, is nothing', () => {
    expect(pass([delta('a'), finish(), DONE]).usage).toBeNull();
    expect(
      pass([delta('a', { usage: null }), finish('stop', { usage: null }), DONE]),
    ).toMatchObject({ usage: null, ended: true });
  });

  it('that cannot be read leaves the text to be counted', () => {
    const passed = pass([delta('one '), delta('two'), finish('stop', { usage: 'plenty' }), DONE]);
    expect(passed.usage).toMatchObject({ source: 'none', flags: ['malformed'] });
    const alone = pass([delta('one'), finish(), chunk([], { usage: ['x'] }), DONE]);
    expect(alone.stream.producedText()).toBe('one');
    const object = { prompt_tokens: 'many', completion_tokens: null };
    const unreadable = pass([delta('one'), finish(), chunk([], { usage: object }), DONE]);
    expect(unreadable.usage?.source).toBe('none');
    expect(unreadable.stream.producedText()).toBe('one');
  });

  it.each([
    ['a space before the colon', '"usage" :{'],
    ['a tab after the colon', '"usage":\t{'],
    ['spaces everywhere', '"usage"  :  {'],
  ])('is seen with %s', (_case, spelling) => {
    const event = finish('stop', { usage: USAGE }).replace('"usage":{', spelling);
    expect(pass([delta('a'), event, DONE]).usage?.buckets).toEqual(BUCKETS);
    const beside = delta('a', { usage: USAGE }).replace('"usage":{', spelling);
    expect(pass([delta('a'), beside, finish(), DONE]).usage?.buckets).toEqual(BUCKETS);
  });
});

describe('what comes before the answer', () => {
  const empty = chunk([], { prompt_filter_results: [{ index: 0 }], model: '' });

  it('is held and then forwarded: the empty first chunk of Azure', () => {
    const stream = openStream(providers['azure-openai']);
    expect(stream.push(toBytes(empty))).toBeNull();
    expect(stream.began).toBe(false);
    expect(toText(stream.push(toBytes(delta('a'))) ?? toBytes(''))).toBe(empty + delta('a'));
    expect(stream.began).toBe(true);
  });

  it('is no answer if nothing follows', () => {
    expect(pass([empty])).toMatchObject({ out: '', complaint: 'empty_answer' });
    expect(pass([empty, DONE])).toMatchObject({ out: '', complaint: 'empty_answer' });
    expect(pass([DONE])).toMatchObject({ out: '', complaint: 'empty_answer' });
    expect(pass([''])).toMatchObject({ out: '', complaint: 'empty_answer' });
  });

  it('is dropped if it is a comment, and comments later go on', () => {
    const sent = [': processing\n\n', delta('a'), ': ping\n\n', 'event: ping\n\n', finish(), DONE];
    expect(pass(sent).out).toBe(`${delta('a')}: ping\n\nevent: ping\n\n${finish()}`);
    expect(pass([sent.join('')]).out).toBe(`${delta('a')}: ping\n\nevent: ping\n\n${finish()}`);
  });
});

describe('our last event', () => {
  it('stands before [DONE] with usage, cost and provider, whatever the upstream called itself (contract: Answers, usage; provider)', () => {
    const { stream } = pass([delta('a', { provider: 'theirs' }), finish(), usageOnly, DONE]);
    const last = closingJson(stream);
    expect(last).toMatchObject({ id: 'c1', model: 'm', choices: [], provider: 'host' });
    expect(last['object']).toBe('chat.completion.chunk');
    expect(at(last, 'usage', 'cost')).toBe(0.000_025);
    expect(at(last, 'usage', 'prompt_tokens')).toBe(11);
    expect(last).not.toHaveProperty('warnings');
  });

  it('keeps what else stood in the event that it replaces', () => {
    const theirs = { usage: USAGE, service_tier: 'default', obfuscation: 'xx', citations: ['u'] };
    const { stream } = pass([delta('a'), finish(), chunk([], theirs), DONE]);
    expect(closingJson(stream)).toMatchObject({ service_tier: 'default', citations: ['u'] });
  });

  it('is made from the first event where there was none to replace', () => {
    const first = delta('a', { system_fingerprint: 'fp_1', service_tier: 'flex' });
    const { stream } = pass([first, finish(), DONE]);
    expect(closingJson(stream)).toMatchObject({ system_fingerprint: 'fp_1', service_tier: 'flex' });
  });

  it('carries the warnings', () => {
    const { stream } = pass([delta('a'), finish(), DONE]);
    const warning = { code: 'dropped', param: 'seed', message: 'no seed here' } as const;
    expect(closingJson(stream, { ...TAIL, warnings: [warning] })['warnings']).toEqual([warning]);
  });
});
