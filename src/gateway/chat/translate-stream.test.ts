/** What a client gets of a translated stream, when it begins and ends, and what breaks it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toBytes, toText } from '#base/bytes.ts';
import { nanoUsd } from '#base/money.ts';
import type { ChatEvent } from '#providers/form.ts';
import type { ChatCodec, StreamFraming } from '#providers/provider.ts';
import { awsExceptionFrame, awsFrame, stringHeader } from '#testing/aws-event-frames.ts';
import { at, numberOf, stringOf } from '#testing/recordings-json.ts';
import { readSse } from '#testing/recordings-reading.ts';
import { TALK_PIECES, TALK_USED, talkBytes, talkCodec, talkEvents } from '#testing/test-dialect.ts';
import type { AnswerTail } from '../answer.ts';
import { TranslateStream, type TranslateStreamOptions } from './translate-stream.ts';

const FRAMINGS: readonly StreamFraming[] = ['sse', 'aws-event-stream'];
const EVENT_BYTES_MAX = 10_000;
const STATED = { id: 'chatcmpl-ours', created: 1_800_000_000, model: 'model-at-t' };
const BUCKETS = { input: 11, cache_read: 3, output: 7 };
const TAIL: AnswerTail = {
  usage: { buckets: BUCKETS, source: 'upstream', flags: [], native: TALK_USED },
  usageText: null,
  cost: { total: nanoUsd(25n), prompt: nanoUsd(11n), completions: nanoUsd(14n) },
  providerName: 't',
  warnings: [{ code: 'dropped', param: 'seed', message: 'no seed' }],
};

function open(framing: StreamFraming = 'sse', more: Partial<TranslateStreamOptions> = {}) {
  const chat = { codec: talkCodec, framing };
  const limits = { eventBytesMax: EVENT_BYTES_MAX, choices: 1, stated: STATED };
  return new TranslateStream({ chat, ...limits, ...more });
}

/** Pushes pieces and closes, as the exchange does. */
function run(pieces: readonly Uint8Array[], stream = open()) {
  const out: Uint8Array[] = [];
  const take = (bytes: Uint8Array | null): void => {
    if (bytes === null) return;
    expect(stream.began, 'nothing is forwarded before the answer begins').toBe(true);
    out.push(bytes);
  };
  for (const piece of pieces) take(stream.push(piece));
  take(stream.close());
  const { usage, finish, ended } = stream;
  const complaint = stream.complaint?.code ?? null;
  return { out: toText(concatBytes(out)), usage, finish, ended, complaint, stream };
}

function textIn(out: string): string {
  return readSse(out)
    .map((data) => stringOf(at(JSON.parse(data), 'choices', 0, 'delta', 'content')))
    .join('');
}

function codecOf(push: (data: string) => readonly ChatEvent[]): ChatCodec {
  return { ...talkCodec, stream: () => ({ push: ({ data }) => push(data), end: () => [] }) };
}

describe.each(FRAMINGS)('a translated stream in %s', (framing) => {
  const whole = Buffer.concat(talkBytes(talkEvents(), framing));

  it('says the same wherever it is cut', () => {
    const expected = run([whole], open(framing));
    expect(textIn(expected.out)).toBe(TALK_PIECES.join(''));
    expect(expected).toMatchObject({ finish: 'end', ended: true, complaint: null });
    expect(expected.usage?.buckets).toEqual(BUCKETS);
    for (let cut = 1; cut < whole.length; cut += 1) {
      const { out, usage, ended } = run(
        [whole.subarray(0, cut), whole.subarray(cut)],
        open(framing),
      );
      expect({ out, usage, ended }).toEqual({
        out: expected.out,
        usage: expected.usage,
        ended: true,
      });
    }
    const bytes = Array.from(whole, (byte) => Uint8Array.of(byte));
    expect(run(bytes, open(framing)).out).toBe(expected.out);
  });

  it('holds no text back: each piece goes on with the bytes that complete it', () => {
    const stream = open(framing);
    const events = talkBytes(talkEvents(), framing);
    expect(stream.push(events[0] ?? new Uint8Array())).toBeNull();
    for (const [index, piece] of TALK_PIECES.entries()) {
      const out = stream.push(events[index + 1] ?? new Uint8Array());
      expect(textIn(toText(out ?? new Uint8Array()))).toBe(piece);
    }
  });

  it('that is cut off anywhere before its finish is not an answer', () => {
    const events = talkBytes(talkEvents(), framing);
    const beforeFinish = Buffer.concat(events.slice(0, -2)).length;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: beforeFinish }), (length) => {
        const { complaint, ended } = run([whole.subarray(0, length)], open(framing));
        expect(ended).toBe(false);
        expect(['truncated', 'empty_answer', 'malformed_event']).toContain(complaint);
      }),
    );
  });

  it('refuses an event that is too large', () => {
    const stream = open(framing, { eventBytesMax: 500 });
    const [long = Buffer.alloc(0)] = talkBytes([{ text: 'x'.repeat(600) }], framing);
    expect(run([long.subarray(0, -8)], stream).complaint).toBe('event_too_large');
  });
});

describe('a translated stream', () => {
  it('ends in usage with cost, provider and warnings, then [DONE]', () => {
    const { stream } = run(talkBytes(talkEvents()));
    const closing = toText(stream.closing(TAIL));
    expect(closing.endsWith('\n\ndata: [DONE]\n\n')).toBe(true);
    const [last = ''] = readSse(closing);
    expect(JSON.parse(last)).toMatchObject({
      id: 't1',
      object: 'chat.completion.chunk',
      created: STATED.created,
      model: STATED.model,
      choices: [],
      provider: 't',
      warnings: TAIL.warnings,
      usage: {
        prompt_tokens: 14,
        completion_tokens: 7,
        total_tokens: 21,
        prompt_tokens_details: { cached_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 0 },
        native_usage: TALK_USED,
        cost: 25e-9,
        cost_details: { upstream_inference_cost: 25e-9 },
      },
    });
  });

  it('carries one id, time and model in every chunk: of the upstream where it has them', () => {
    const { out, stream } = run(talkBytes(talkEvents()));
    const chunks = readSse(out + toText(stream.closing(TAIL)));
    for (const chunk of chunks) {
      expect(JSON.parse(chunk)).toMatchObject({ id: 't1', created: 1_800_000_000 });
    }
    const nameless = run(talkBytes(talkEvents().with(0, { begin: '' })));
    expect(nameless.out).toContain('"id":"chatcmpl-ours"');
  });

  it('ends its answer in an error event, with what was said before it sent', () => {
    const { out, complaint } = run(
      talkBytes([{ begin: 't1' }, { text: 'Hel' }, { text: 'lo' }, { oops: 'overloaded' }]),
    );
    expect([textIn(out), complaint]).toEqual(['Hello', 'overloaded']);
  });

  it('has not begun when it complains before any content, so that another may serve', () => {
    const { out, complaint, stream } = run(talkBytes([{ begin: 't1' }, { oops: 'overloaded' }]));
    expect([out, complaint, stream.began]).toEqual(['', 'overloaded', false]);
  });

  it('is broken by a codec that throws, and nothing else is', () => {
    const { complaint } = run([toBytes('data: no json\n\n')]);
    expect(complaint).toBe('malformed_event');
  });

  it.each([
    ['with a wrong checksum', 'malformed_event', (good: Buffer) => good.fill(0, 30, 31)],
    ['that ends in the middle', 'truncated', (good: Buffer) => good.subarray(0, -1)],
  ])('is broken by a frame %s', (_name, code, spoil) => {
    const [begin = Buffer.alloc(0), text = Buffer.alloc(0), more = Buffer.alloc(0)] = talkBytes(
      talkEvents(),
      'aws-event-stream',
    );
    const { complaint, out } = run([begin, text, spoil(more)], open('aws-event-stream'));
    expect([complaint, textIn(out)]).toEqual([code, 'Hello']);
  });

  it.each([
    ['an exception that the codec does not know', awsExceptionFrame('unknownException', '{}')],
    [
      'an error of the transport',
      awsFrame([stringHeader(':message-type', 'error'), stringHeader(':error-code', 'Odd')], ''),
    ],
  ])('is broken by %s', (_name, frame) => {
    const events = talkBytes(talkEvents().slice(0, 3), 'aws-event-stream');
    const { complaint } = run([...events, frame], open('aws-event-stream'));
    expect(['unknownException', 'Odd']).toContain(complaint);
  });

  it('is whole once it has finished and counted, whatever comes after', () => {
    const stream = open();
    stream.push(Buffer.concat(talkBytes(talkEvents().slice(0, -1))));
    expect(stream.complete).toBe(false);
    stream.push(Buffer.concat(talkBytes(talkEvents().slice(-1))));
    expect(stream.complete).toBe(true);
    stream.push(toBytes('data: {"oops":"late"}\n\ndata: nonsense\n\n'));
    stream.close();
    expect([stream.complaint, stream.ended]).toEqual([null, true]);
  });

  it('of two choices is cut off while one of them has not finished', () => {
    const codec = codecOf((data) => {
      const choice = numberOf(JSON.parse(data)) ?? 0;
      const finish = { reason: 'stop', native: 'stop' } as const;
      return choice < 2
        ? [{ type: 'part_start', choice, part: 0, value: { type: 'text', text: 'x' } }]
        : [{ type: 'finish', choice: choice - 2, finish }];
    });
    const say = (...numbers: readonly number[]) => {
      const pieces = numbers.map((number) => toBytes(`data: ${number}\n\n`));
      return run(pieces, open('sse', { chat: { codec }, choices: 2 })).complaint;
    };
    expect(say(0, 1, 2)).toBe('truncated');
    expect(say(0, 1, 2, 3)).toBeNull();
  });
});

describe('the text of a translated stream', () => {
  it('is kept until the upstream counts, then not', () => {
    const stream = open();
    const events = talkBytes(talkEvents());
    for (const event of events.slice(0, -1)) stream.push(event);
    expect(stream.producedText()).toBe(TALK_PIECES.join(''));
    expect(stream.uncountedText()).toBe(TALK_PIECES.join(''));
    stream.push(events.at(-1) ?? new Uint8Array());
    expect([stream.producedText(), stream.uncountedText()]).toEqual(['', null]);
  });

  it('is what came after the last count where the upstream counts as it goes', () => {
    const stream = open();
    const used = { in: 5, out: 2 };
    stream.push(Buffer.concat(talkBytes([{ begin: 't' }, { text: 'ab', used }, { text: 'cd' }])));
    expect([stream.usage?.buckets.output, stream.uncountedText()]).toEqual([2, 'cd']);
  });

  it('is all there, however many its pieces are', () => {
    const many = 2_000;
    const codec = codecOf((data) => [{ type: 'text_delta', choice: 0, part: 0, text: data }]);
    const stream = open('sse', { chat: { codec } });
    for (let piece = 0; piece < many; piece += 1) stream.push(toBytes('data: abcd\n\n'));
    expect(stream.producedText()).toBe('abcd'.repeat(many));
  });
});
