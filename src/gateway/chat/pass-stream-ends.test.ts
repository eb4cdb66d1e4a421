/** How a passed stream ends, well or badly, and that a client can always read its last event. */
import { Stream } from 'openai/core/streaming';
import { APIError } from 'openai';
import { describe, expect, it } from 'vitest';
import { concatBytes, toBytes, toText } from '#base/bytes.ts';
import { providers } from '#providers/registry.ts';
import type { Provider } from '#providers/provider.ts';
import { passThroughOf } from '#testing/chat-support.ts';
import type { JsonObject } from '#testing/recordings-json.ts';
import { GatewayError } from '#wire/errors.ts';
import { PassStream } from './pass-stream.ts';

const DONE = 'data: [DONE]\n\n';
const EVENT_BYTES_MAX = 4_000;

function openStream(provider: Provider = providers.openai, choices = 1): PassStream {
  const { codec, passThrough } = passThroughOf(provider);
  return new PassStream({ codec, passThrough, eventBytesMax: EVENT_BYTES_MAX, choices });
}

function run(pieces: readonly string[], provider?: Provider, choices?: number) {
  const stream = openStream(provider, choices);
  const out: Uint8Array[] = [];
  for (const piece of pieces) {
    const bytes = stream.push(toBytes(piece));
    if (bytes !== null) out.push(bytes);
  }
  const rest = stream.close();
  if (rest !== null) out.push(rest);
  return { stream, out: toText(concatBytes(out)) };
}

function chunk(choices: readonly unknown[], more: JsonObject = {}): string {
  return `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', choices, ...more })}\n\n`;
}
const delta = (content: string): string =>
  chunk([{ index: 0, delta: { content }, finish_reason: null }]);
const finish = chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]);

const BROKEN = new GatewayError('upstream_error', { message: 'The answer is incomplete.' });

/** What the official client makes of the bytes: the text, and what it threw. */
async function read(text: string): Promise<{ text: string; thrown: unknown }> {
  const response = new Response(text, { headers: { 'content-type': 'text/event-stream' } });
  const stream = Stream.fromSSEResponse<{ choices: { delta: { content?: string } }[] }>(
    response,
    new AbortController(),
  );
  let said = '';
  try {
    for await (const { choices } of stream) said += choices[0]?.delta.content ?? '';
  } catch (thrown) {
    return { text: said, thrown };
  }
  return { text: said, thrown: null };
}

describe('a proper end', () => {
  it('is [DONE], also without a finish', () => {
    const { stream } = run([delta('a'), DONE]);
    expect(stream).toMatchObject({ ended: true, complaint: null, finish: null });
  });

  it('is a finish, also without [DONE]', () => {
    const { stream, out } = run([delta('a'), finish]);
    expect(stream).toMatchObject({ ended: true, complaint: null, finish: 'stop' });
    expect(out).toBe(delta('a') + finish);
  });

  it('hears nothing after [DONE]', () => {
    const { stream, out } = run([delta('a') + finish + DONE + delta('late')]);
    expect(out).toBe(delta('a') + finish);
    expect(stream.push(toBytes(delta('later')))).toBeNull();
  });

  it.each(['data: [DONE]', 'data: [DONE]\n', 'data:[DONE]\r\n', 'data: [DONE] \n\n'])(
    'is seen in %j',
    (done) => {
      expect(run([delta('a'), finish, done]).stream).toMatchObject({
        ended: true,
        complaint: null,
      });
    },
  );

  it('may lack its blank line: what follows is an event of its own', async () => {
    const { stream, out } = run([delta('a'), finish.trimEnd()]);
    expect(stream).toMatchObject({ ended: true, finish: 'stop' });
    const ours = `data: {"choices":[{"delta":{"content":"!"}}]}\n\n${DONE}`;
    expect(await read(out + ours)).toEqual({ text: 'a!', thrown: null });
  });

  it('takes any word for a finish', () => {
    const odd = chunk([{ index: 0, delta: {}, finish_reason: 'abandoned' }]);
    expect(run([delta('a'), odd]).stream).toMatchObject({ ended: true, finish: 'abandoned' });
    const empty = chunk([{ index: 0, delta: {}, finish_reason: '' }]);
    expect(run([delta('a'), empty]).stream).toMatchObject({ finish: null });
  });
});

describe('several choices', () => {
  const said = (index: number, content: string): string =>
    chunk([{ index, delta: { content }, finish_reason: null }]);
  const stop = (index: number): string => chunk([{ index, delta: {}, finish_reason: 'stop' }]);
  const both = said(0, 'a') + said(1, 'b');

  it('are cut off where one that had begun did not finish', () => {
    const { stream, out } = run([both, stop(0), said(1, 'bb')], providers.openai, 2);
    expect(stream).toMatchObject({ ended: false, complaint: { code: 'truncated' } });
    expect(out).toBe(both + stop(0) + said(1, 'bb'));
  });

  it('end where each has finished, in any order, or the host says that it is done', () => {
    const ended = { ended: true, complaint: null };
    expect(run([both, stop(1), stop(0)], providers.openai, 2).stream).toMatchObject(ended);
    expect(run([both, stop(0) + stop(1)], providers.openai, 2).stream).toMatchObject(ended);
    expect(run([both, stop(0), DONE], providers.openai, 2).stream).toMatchObject(ended);
  });

  it('end with the one that a host gave, should it give no more', () => {
    const { stream } = run([said(0, 'a'), stop(0), said(0, '')], providers.openai, 2);
    expect(stream).toMatchObject({ ended: true, complaint: null });
  });
});

describe('a breakdown of the host, told as a finish', () => {
  it.each(['insufficient_system_resource', 'network_error', 'error'])('by the word %s', (word) => {
    const broke = chunk([{ index: 0, delta: { role: 'assistant' }, finish_reason: word }]);
    const first = run([broke, DONE]);
    expect(first.stream).toMatchObject({ began: false, complaint: { code: word } });
    expect(first.out).toBe('');
    const later = run([delta('a'), broke, DONE]);
    expect(later.stream).toMatchObject({ began: true, ended: false, complaint: { code: word } });
    expect(later.out).toBe(delta('a'));
  });
});

const ERROR = 'data: {"error":{"message":"overloaded","code":"overloaded_error"}}\n\n';

describe('an error of the upstream (promise 14)', () => {
  it.each([
    ['an error event', ERROR],
    ['a named error event', `event: error\n${ERROR}`],
    ['a named error event without the envelope', 'event: error\ndata: {"oops":1}\n\n'],
    ['an error as text', 'data: {"error":"boom"}\n\n'],
    ['an error inside a choice', chunk([{ index: 0, delta: {}, error: { message: 'gone' } }])],
    ['an error beside empty choices', chunk([], { error: { message: 'gone', code: 502 } })],
    ['something that is not JSON', 'data: {"id":"c1","cho\n\n'],
    ['HTML', 'data: <html></html>\n\n'],
    ['a number', 'data: 1\n\n'],
    ['a list', 'data: []\n\n'],
  ])('is no answer when it comes first: %s', (_case, event) => {
    const { stream, out } = run([': ping\n\n', event, delta('a'), finish, DONE]);
    expect(stream.began).toBe(false);
    expect(stream.complaint).not.toBeNull();
    expect(out).toBe('');
  });

  it.each([
    ['an error event', ERROR],
    ['a named error event', `event: error\n${ERROR}`],
    ['an error inside a choice', chunk([{ index: 0, delta: {}, error: { message: 'gone' } }])],
    ['something that is not JSON', 'data: {"id":"c1","cho\n\n'],
  ])('ends the answer when it comes later, and is not shown: %s', (_case, event) => {
    for (const pieces of [[delta('a'), event, delta('b'), DONE], [delta('a') + event + DONE]]) {
      const { stream, out } = run(pieces);
      expect(stream.complaint).not.toBeNull();
      expect(stream.ended).toBe(false);
      expect(out).toBe(delta('a'));
    }
  });

  it('is read under 200 in base_resp (MiniMax), where 0 is none', () => {
    const wrong = chunk([], { base_resp: { status_code: 1008, status_msg: 'no balance' } });
    const right = chunk([], { base_resp: { status_code: 0, status_msg: '' } });
    expect(run([wrong, delta('a')], providers.minimax).stream.complaint?.code).toBe('1008');
    expect(run([delta('a'), right, finish], providers.minimax).stream.complaint).toBeNull();
  });

  it('with null is none', () => {
    const event = chunk([{ index: 0, delta: { content: 'a' } }], { error: null });
    expect(run([event, finish]).stream).toMatchObject({ complaint: null, ended: true });
  });
});

describe('an end in the middle (promise 13)', () => {
  const whole = delta('Hello') + delta(' "}]} ') + finish;

  it('is told as an error that the official client throws, wherever the cut is', async () => {
    const bytes = toBytes(whole);
    const seen = new Set<string>();
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const stream = openStream();
      const first = stream.push(bytes.subarray(0, cut));
      const rest = stream.close();
      if (!stream.began || stream.complaint === null) continue;
      seen.add(stream.complaint.code);
      const sent = [first, rest, stream.breaking(BROKEN, 'req_1')].map((part) =>
        part === null ? '' : toText(part),
      );
      const { thrown } = await read(sent.join(''));
      expect(thrown, `cut at ${cut}: ${sent.join('')}`).toBeInstanceOf(APIError);
    }
    expect([...seen].toSorted()).toEqual(['malformed_event', 'truncated']);
  });

  it('before anything is an empty answer', () => {
    expect(run([]).stream.complaint?.code).toBe('empty_answer');
    expect(run([': ping\n\n']).stream.complaint?.code).toBe('empty_answer');
    expect(run(['data: {"id":"c1"']).stream.began).toBe(false);
  });
});

describe('events that are too large', () => {
  it('end the stream, and what came before stays', () => {
    const big = delta('x'.repeat(2 * EVENT_BYTES_MAX));
    const parts = big.match(/[^]{1,1000}/g) ?? [];
    const { stream, out } = run([delta('a'), ...parts, finish, DONE]);
    expect(stream.complaint?.code).toBe('event_too_large');
    expect(out).toBe(delta('a'));
  });

  it('are bounded, not their number', () => {
    const many = Array.from({ length: 500 }, (_, n) => delta(`word ${n}`)).join('');
    const { stream } = run([many, finish, DONE]);
    expect(stream).toMatchObject({ complaint: null, ended: true });
  });
});

describe('the error event', () => {
  it('carries the envelope and is followed by nothing', async () => {
    const { stream } = run([delta('a')]);
    const text = toText(stream.breaking(BROKEN, 'req_1'));
    expect(text).not.toContain('[DONE]');
    const { thrown } = await read(delta('a') + text);
    expect(thrown).toMatchObject({
      code: 'upstream_error',
      message: expect.stringMatching(/incomplete/),
    });
  });
});
