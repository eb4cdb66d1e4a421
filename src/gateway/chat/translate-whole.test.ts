/** A whole answer of another dialect: written anew, our members at its end, and what is none. */
import { describe, expect, it } from 'vitest';
import { toBytes, toText } from '#base/bytes.ts';
import { nanoUsd } from '#base/money.ts';
import { talkCodec } from '#testing/test-dialect.ts';
import type { AnswerTail } from '../answer.ts';
import { readTranslateWhole } from './translate-whole.ts';

const STATED = { id: 'chatcmpl-ours', created: 1_800_000_000, model: 'model-at-t' };
const USED = { in: 11, kept: 3, out: 7, cost: 1e9 };

function read(body: unknown, codec = talkCodec) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readTranslateWhole(toBytes(text), codec, STATED);
}

function readAnswer(body: unknown) {
  const answer = read(body);
  if (!answer.ok) throw new Error(answer.error.code);
  return answer.value;
}

function tailFor(usage: AnswerTail['usage']): AnswerTail {
  const cost = { total: nanoUsd(25n), prompt: nanoUsd(11n), completions: nanoUsd(14n) };
  return { usage, usageText: null, cost, providerName: 't', warnings: [] };
}

describe('a translated whole answer', () => {
  it('is a chat completion with usage of the buckets, and the native object apart', () => {
    const answer = readAnswer({ said: 'Hëllo', why: 'end', used: USED });
    expect(answer.finish).toBe('end');
    expect(answer.producedText()).toBe('Hëllo');
    const written: unknown = JSON.parse(toText(answer.closing(tailFor(answer.usage ?? never()))));
    expect(written).toMatchObject({
      id: 'chatcmpl-ours',
      object: 'chat.completion',
      created: STATED.created,
      model: STATED.model,
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hëllo' } }],
      provider: 't',
      usage: { prompt_tokens: 14, completion_tokens: 7, total_tokens: 21, cost: 25e-9 },
    });
    expect(written).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      usage: { native_usage: USED, prompt_tokens_details: { cached_tokens: 3 } },
    });
    expect(written).not.toHaveProperty('warnings');
  });

  it.each([
    ['', 'malformed_answer'],
    ['<html>', 'malformed_answer'],
    ['[]', 'malformed_answer'],
    [{ nothing: 'said' }, 'malformed_answer'],
    [{ oops: 'overloaded' }, 'overloaded'],
  ])('%j is none', (body, code) => {
    expect(read(body)).toMatchObject({ ok: false, error: { code } });
  });

  it('without choices is none', () => {
    const codec = { ...talkCodec, decode: (body: unknown) => emptied(talkCodec.decode(body)) };
    expect(read({ said: '' }, codec)).toMatchObject({ ok: false, error: { code: 'empty_answer' } });
  });
});

function never(): never {
  throw new Error('there is usage');
}

function emptied<Answer extends object>(answer: Answer): Answer & { readonly choices: [] } {
  return { ...answer, choices: [] };
}
