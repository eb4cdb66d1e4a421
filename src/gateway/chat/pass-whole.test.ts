/** What goes through a whole answer to the byte, what is spliced in, and what is no answer. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBytes, toText } from '#base/bytes.ts';
import { nanoUsd } from '#base/money.ts';
import { providers } from '#providers/registry.ts';
import type { Provider } from '#providers/provider.ts';
import { passThroughOf } from '#testing/chat-support.ts';
import { at } from '#testing/recordings-json.ts';
import type { AnswerTail, WholeAnswer } from '../answer.ts';
import { readPassWhole } from './pass-whole.ts';

function read(body: string, provider: Provider = providers.openai) {
  const { codec, passThrough } = passThroughOf(provider);
  return readPassWhole(toBytes(body), passThrough, codec);
}

function readAnswer(body: string, provider?: Provider): WholeAnswer {
  const answer = read(body, provider);
  if (!answer.ok) throw new Error(answer.error.code);
  return answer.value;
}

const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const TAIL: AnswerTail = {
  usage: { buckets: { input: 11, output: 7 }, source: 'upstream', flags: [], native: USAGE },
  cost: { total: nanoUsd(123_456_789_000_001n), prompt: nanoUsd(1n), completions: nanoUsd(2n) },
  usageText: null,
  providerName: 'host',
  warnings: [],
};

function closing(answer: WholeAnswer, tail: AnswerTail = TAIL): string {
  return toText(answer.closing(tail));
}

const CHOICE = '{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}';

describe('a whole answer', () => {
  it('keeps every byte but usage and provider', () => {
    const before =
      '{ "id" : "x",\n\t"choices":[ {"index":0,"message":{"content":"h\\u00e9 \\/"},"x_y":1e3} ],';
    const body = `${before}"usage": {"prompt_tokens":1,"completion_tokens":2}, "odd":[1.50,{"a":-0}]}`;
    const out = closing(readAnswer(body));
    expect(out.startsWith(before)).toBe(true);
    expect(out).toContain(', "odd":[1.50,{"a":-0}],"provider":"host"}');
    expect(out.match(/"usage"/g)).toHaveLength(1);
  });

  it('carries the cost as an exact decimal, never a float', () => {
    expect(closing(readAnswer(`{"choices":[${CHOICE}]}`))).toContain('"cost":123456.789000001,');
  });

  it('has our provider in the place of theirs, once (contract: Answers, provider)', () => {
    const out = closing(readAnswer(`{"provider":"theirs","choices":[${CHOICE}]}`));
    expect(out.match(/"provider"/g)).toHaveLength(1);
    expect(at(JSON.parse(out), 'provider')).toBe('host');
  });

  it('gets usage where there was none, and warnings where there are some', () => {
    const warning = { code: 'dropped', param: 'seed', message: 'no seed' } as const;
    const out = closing(readAnswer(`{"choices":[${CHOICE}]}`), { ...TAIL, warnings: [warning] });
    expect(JSON.parse(out)).toMatchObject({ usage: USAGE, warnings: [warning] });
  });

  it('survives whatever members it has', () => {
    const name = fc.string().filter((key) => !['choices', 'error', 'base_resp'].includes(key));
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue(), { maxKeys: 5 }), (members) => {
        const { usage: _usage, provider: _provider, ...kept } = members;
        const sent = `{"choices":[${CHOICE}]${Object.entries(kept)
          .map(([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`)
          .join('')}}`;
        const out = closing(readAnswer(sent));
        expect(out.startsWith(sent.slice(0, -1))).toBe(true);
        expect(() => void JSON.parse(out)).not.toThrow();
      }),
    );
  });

  it('tells usage, finish and what it said', () => {
    const body = `{"choices":[${CHOICE}],"usage":${JSON.stringify(USAGE)}}`;
    const answer = readAnswer(body);
    expect(answer).toMatchObject({ finish: 'stop', usage: { buckets: { input: 11, output: 7 } } });
    expect(answer.producedText()).toBe('hi');
    expect(readAnswer(`{"choices":[${CHOICE}]}`).usage).toBeNull();
    expect(readAnswer(`{"choices":[${CHOICE}],"usage":null}`).usage).toBeNull();
  });

  it('has its usage read where the host puts it', () => {
    const groq = `{"choices":[${CHOICE}],"usage":null,"x_groq":{"usage":${JSON.stringify(USAGE)}}}`;
    expect(readAnswer(groq).usage?.buckets).toEqual({ input: 11, output: 7 });
  });

  it('is rewritten where the official client could not read it (Mistral)', () => {
    const parts =
      '[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"hi"}]';
    const body = `{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":${parts}}}]}`;
    const out: unknown = JSON.parse(closing(readAnswer(body, providers.mistral)));
    expect(at(out, 'choices', 0, 'message')).toMatchObject({
      content: 'hi',
      reasoning_content: 'hm',
    });
    expect(at(out, 'usage', 'prompt_tokens')).toBe(11);
  });

  it('may be as odd as it likes without an exception', () => {
    const odd = fc.oneof(
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(fc.array(odd, { minLength: 1, maxLength: 3 }), odd, (choices, more) => {
        const answer = read(`{"choices":[${choices.join()}],"usage":${more}}`);
        if (!answer.ok) return;
        void answer.value.producedText();
        expect(() => void JSON.parse(closing(answer.value))).not.toThrow();
      }),
    );
  });
});

describe('a body under 200 that is no answer', () => {
  it.each([
    ['nothing', '', 'malformed_answer'],
    ['HTML', '<html><body>502</body></html>', 'malformed_answer'],
    ['a list', '[1,2]', 'malformed_answer'],
    ['null', 'null', 'malformed_answer'],
    ['an answer cut off', `{"id":"x","choices":[${CHOICE}`, 'malformed_answer'],
    ['two answers', `{"choices":[${CHOICE}]}{}`, 'malformed_answer'],
    ['no choices', '{"id":"x"}', 'empty_answer'],
    ['empty choices', '{"choices":[]}', 'empty_answer'],
    ['choices that are no list', '{"choices":{"a":1}}', 'empty_answer'],
    ['an error', '{"error":{"message":"busy","code":"overloaded"}}', 'overloaded'],
    ['an error beside choices', `{"choices":[${CHOICE}],"error":{"code":"bad"}}`, 'bad'],
    [
      'an error inside the choice (OpenRouter)',
      '{"choices":[{"finish_reason":"error","error":{"code":502,"message":"gone"}}]}',
      '502',
    ],
    [
      "a breakdown told as a finish (DeepSeek's word)",
      `{"choices":[${CHOICE.replace('stop', 'insufficient_system_resource')}]}`,
      'insufficient_system_resource',
    ],
    [
      "a breakdown of one choice (Z.ai's word)",
      `{"choices":[${CHOICE},${CHOICE.replace('stop', 'network_error')}]}`,
      'network_error',
    ],
    ['base_resp', '{"choices":null,"base_resp":{"status_code":1008,"status_msg":"x"}}', '1008'],
    ['a bare detail', '{"detail":"Internal Server Error"}', 'upstream_error'],
  ])('is refused: %s', (_case, body, code) => {
    const answer = read(body);
    expect(answer.ok ? 'an answer' : answer.error.code).toBe(code);
  });

  it('never shows what it said of our account in place of its code', () => {
    const answer = read('<html>org-canary</html>');
    expect(JSON.stringify(answer)).not.toContain('canary');
  });

  it('is an answer after all where the error is null or the status is 0', () => {
    expect(read(`{"error":null,"choices":[${CHOICE}]}`).ok).toBe(true);
    const fine = '"base_resp":{"status_code":0,"status_msg":""}';
    expect(read(`{"choices":[${CHOICE}],${fine}}`, providers.minimax).ok).toBe(true);
    expect(read(`{"choices":[{"error":null,"message":{"content":"x"}}]}`).ok).toBe(true);
  });
});
