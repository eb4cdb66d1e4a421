/**
 * Conversations that go round: what the dialect reads from an answer it must be able to send back,
 * to a host that refuses what Google refuses. First the host is shown to refuse.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEvent, ChatForm, Part, Turn } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';
import { geminiSupport } from '#providers/dialects/gemini/support.ts';
import { readForm } from '#providers/dialects/openai-chat/read-form.ts';
import { writeAnswer } from '#providers/dialects/openai-chat/write-answer.ts';
import { formOf, resultsOf } from './chat-forms.ts';
import { formArbitrary } from './form-arbitrary.ts';
import { refuseGenerateContent, signCall } from './gemini-rules.ts';
import { at, listOf, objectOf, stringOf } from './recordings-json.ts';

const { codec } = geminiSupport();
const target = {
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  model: 'gemini-3.6-flash',
  region: null,
  project: null,
  account: null,
};

const user = { role: 'user', parts: [{ text: 'How warm is it in Bern and in Basel?' }] };
const args = { place: 'Bern' };
const call = {
  functionCall: { name: 'weather', args },
  thoughtSignature: signCall('weather', args),
};
const result = { functionResponse: { name: 'weather', response: { output: '9' } } };

function loop(said: readonly unknown[], answered: readonly unknown[]): object {
  const model = { role: 'model', parts: said };
  return { contents: [user, model, { role: 'user', parts: answered }] };
}

describe('the host of the tests', () => {
  it('takes what is right', () => {
    expect(refuseGenerateContent({ contents: [user] }, true)).toBeNull();
    expect(refuseGenerateContent(loop([call], [result]), true)).toBeNull();
    const unsigned = loop([{ functionCall: call.functionCall }], [result]);
    expect(refuseGenerateContent(unsigned, false)).toBeNull();
  });

  it.each<[string, object]>([
    ['a call that lost its signature', loop([{ functionCall: call.functionCall }], [result])],
    ['the signature of another call', loop([{ ...call, thoughtSignature: 'eA==' }], [result])],
    ['fewer results than calls', loop([call, call], [result])],
    ['a result without its call', loop([{ text: 'Hm.' }], [result])],
    ['a call without its result', loop([call], [{ text: 'And?' }])],
    ['a result of another name', loop([call], [{ functionResponse: { name: 'x', response: {} } }])],
    ['a call before any user', { contents: [{ role: 'model', parts: [call] }] }],
    [
      'arguments that are text',
      loop([{ functionCall: { name: 'weather', args: '{}' } }], [result]),
    ],
    ['a role of another dialect', { contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }],
    ['a content without parts', { contents: [{ role: 'user', parts: [] }] }],
    ['an unknown member', { contents: [user], temperature: 1 }],
    ['an unknown setting', { contents: [user], generationConfig: { max_tokens: 1 } }],
    ['a file without its type', { contents: [{ role: 'user', parts: [{ fileData: {} }] }] }],
  ])('refuses %s', (_case, body) => {
    expect(refuseGenerateContent(body, true)).not.toBeNull();
  });
});

/** The host's answer to its nth request: it thinks, speaks, and calls two tools. */
function answerOf(round: number): object {
  const place = { place: `Bern ${round} “now”` };
  const parts = [
    { text: `Round ${round}: both.`, thought: true },
    { text: `Looking, ${round}.` },
    {
      functionCall: { id: `f${round}a`, name: 'weather', args: place },
      thoughtSignature: signCall('weather', place),
    },
    { functionCall: { id: `f${round}b`, name: 'clock', args: {} } },
  ];
  const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 9, totalTokenCount: 18 };
  const candidate = { content: { role: 'model', parts }, finishReason: 'STOP', index: 0 };
  return { candidates: [candidate], usageMetadata, responseId: `r${round}`, modelVersion: 'm' };
}

/** The same answer, each part an event of its own. */
function streamed(answer: object): readonly ChatEvent[] {
  const decoder = codec.stream();
  const parts = listOf(at(answer, 'candidates', 0, 'content', 'parts'));
  const events = parts.flatMap((part, index) => {
    const finish = index === parts.length - 1 ? { finishReason: 'STOP' } : {};
    const candidate = { content: { role: 'model', parts: [part] }, index: 0, ...finish };
    const event = { ...answer, candidates: [candidate] };
    return decoder.push({ event: null, data: JSON.stringify(event) });
  });
  return [...events, ...decoder.end()];
}

/** Puts the parts of a stream together, as a client of ours would. */
function collect(answer: object): readonly Part[] {
  const parts: Part[] = [];
  for (const event of streamed(answer)) {
    if (event.type === 'part_start') parts.push(event.value);
    const last = parts.at(-1);
    if (last === undefined || !('text' in event)) continue;
    if (last.type === 'tool_call') {
      parts.splice(-1, 1, { ...last, arguments: last.arguments + event.text });
    }
    if (last.type === 'text' || last.type === 'reasoning') {
      parts.splice(-1, 1, { ...last, text: last.text + event.text });
    }
  }
  return parts;
}

function sentOf(body: unknown): unknown {
  return listOf(at(body, 'contents')).at(-2);
}

/** The message as a client keeps that knows only OpenAI's own members. */
function stripped(message: unknown): object {
  const { role, content, tool_calls } = objectOf(message);
  const calls = listOf(tool_calls).map((one) => {
    const { id, type, function: named } = objectOf(one);
    return { id, type, function: named };
  });
  return { role, content, tool_calls: calls };
}

/** Three rounds of chat completions; gives what was sent last for each. */
function talk(keep: (message: unknown) => unknown): readonly unknown[] {
  const messages: unknown[] = [{ role: 'user', content: 'How warm?' }];
  const tools = ['weather', 'clock'].map((name) => ({ type: 'function', function: { name } }));
  return [1, 2, 3].map((round) => {
    const answer = codec.decode(answerOf(round));
    const chat = writeAnswer(answer, { id: 'chatcmpl-1', created: 1, model: 'm' });
    const message = at(chat, 'choices', 0, 'message');
    messages.push(keep(message));
    for (const one of listOf(at(message, 'tool_calls'))) {
      messages.push({ role: 'tool', tool_call_id: at(one, 'id'), content: '9' });
    }
    const { body } = codec.encode(readForm({ model: 'm', messages, tools }), target);
    expect(refuseGenerateContent(body, true)).toBeNull();
    return sentOf(body);
  });
}

const TOOLS = ['weather', 'clock'].map((name) => ({ kind: 'function', name }) as const);

describe('three rounds of tools with thinking', () => {
  it.each<[string, (answer: object) => readonly Part[]]>([
    ['whole', (answer) => codec.decode(answer).choices[0]?.parts ?? []],
    ['streamed', collect],
  ])('come back unchanged where answers are %s', (_case, read) => {
    let turns: Turn[] = [{ role: 'user', parts: [{ type: 'text', text: 'How warm?' }] }];
    for (const round of [1, 2, 3]) {
      const parts = read(answerOf(round));
      turns = [...turns, { role: 'assistant', parts }, ...resultsOf(parts)];
      const { body, warnings } = codec.encode(
        formOf(turns, { tools: TOOLS, reasoning: { effort: 'low' } }),
        target,
      );
      expect(refuseGenerateContent(body, true)).toBeNull();
      expect(warnings).toEqual([]);
      expect(sentOf(body)).toEqual(at(answerOf(round), 'candidates', 0, 'content'));
    }
  });

  it('come back unchanged through chat completions', () => {
    const sent = talk((message) => message);
    expect(sent).toEqual([1, 2, 3].map((n) => at(answerOf(n), 'candidates', 0, 'content')));
  });

  it('are still taken from a client that drops what it does not know', () => {
    const sent = talk(stripped);
    expect(sent.map((content) => listOf(at(content, 'parts')).length)).toEqual([3, 3, 3]);
    const signature = stringOf(at(sent[0], 'parts', 1, 'thoughtSignature'));
    expect(atob(signature)).toBe('skip_thought_signature_validator');
  });
});

const MODELS = ['gemini-2.0-flash', 'gemini-2.5-pro', 'gemini-3-pro-preview', 'gemini-3.6-flash'];

/** What the host says to it; or the path at which the dialect refuses it itself. */
function send(form: ChatForm, model: string): { said: unknown } | { refused: CannotSay } {
  try {
    const { body } = codec.encode(signed(form), { ...target, model });
    return { said: refuseGenerateContent(body, model.includes('-3')) };
  } catch (error) {
    if (error instanceof CannotSay) return { refused: error };
    throw error;
  }
}

/** The same conversation with signatures that this host gave out for its calls. */
function signed(form: ChatForm): ChatForm {
  const sign = (part: Part): Part => {
    if (part.type !== 'tool_call' || part.native?.['google'] === undefined) return part;
    const thought_signature = signCall(part.name, JSON.parse(part.arguments || '{}'));
    return { ...part, native: { google: { thought_signature } } };
  };
  return {
    ...form,
    turns: form.turns.map((turn) => ({ ...turn, parts: turn.parts.map(sign) })),
  };
}

describe('any conversation', () => {
  it('is taken by the host, or refused with the path of what is at fault', () => {
    const property = fc.property(formArbitrary, fc.constantFrom(...MODELS), (form, model) => {
      const sent = send(form, model);
      if ('said' in sent) return sent.said === null;
      const { param, message } = sent.refused;
      return /^(messages|tools|response_format)/.test(param) && /^\S.*\.$/s.test(message);
    });
    fc.assert(property, { numRuns: 400 });
  });

  it('is seldom refused', () => {
    const forms = fc.sample(formArbitrary, { numRuns: 200, seed: 7 });
    const taken = forms.filter((form) => 'said' in send(form, 'gemini-3.6-flash'));
    expect(taken.length).toBeGreaterThan(60);
  });
});
