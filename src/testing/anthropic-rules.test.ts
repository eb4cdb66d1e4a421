/**
 * Conversations that go round: what the dialect reads from an answer it must be able to send back,
 * to a host that refuses what Anthropic refuses. First the host is shown to refuse.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatForm, Part, Turn } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';
import { anthropicSupport } from '#providers/dialects/anthropic/support.ts';
import { readForm } from '#providers/dialects/openai-chat/read-form.ts';
import { writeAnswer } from '#providers/dialects/openai-chat/write-answer.ts';
import { formOf, resultsOf } from './chat-forms.ts';
import { refuseMessages, signThought } from './anthropic-rules.ts';
import { formArbitrary } from './form-arbitrary.ts';
import { at, listOf, objectOf } from './recordings-json.ts';

const { codec } = anthropicSupport();
const target = {
  baseUrl: 'https://api.anthropic.com',
  model: 'claude-sonnet-4-5',
  region: null,
  project: null,
  account: null,
};

const user = { role: 'user', content: 'How warm is it in Bern and in Basel?' };
const call = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { place: 'Bern' } };
const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: '9' };
const base = { model: 'm', max_tokens: 4_096, messages: [user] };

function loop(answer: readonly unknown[], results: readonly unknown[], more: object = {}): object {
  const messages = [
    user,
    { role: 'assistant', content: answer },
    { role: 'user', content: results },
  ];
  return { ...base, ...more, messages };
}

function begun(text: string): object {
  return { ...base, messages: [user, { role: 'assistant', content: text }] };
}

function answerIn(schema: object): object {
  return { ...base, output_config: { format: { type: 'json_schema', schema } } };
}

const deep = { type: 'object', properties: { again: { $ref: '#' } } };

describe('the host of the tests', () => {
  const thinking = { type: 'enabled', budget_tokens: 1_024 };

  it('takes what is right', () => {
    const thought = { type: 'thinking', thinking: 'Bern.', signature: signThought('Bern.') };
    expect(refuseMessages(base)).toBeNull();
    expect(refuseMessages(loop([thought, call], [result], { thinking }))).toBeNull();
    expect(refuseMessages(begun('Hm.'))).toBeNull();
    const pair = { $defs: { a: {} }, anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] };
    expect(refuseMessages(answerIn(pair))).toBeNull();
    expect(refuseMessages({ ...base, tools: [{ name: 'f', input_schema: deep }] })).toBeNull();
  });

  it.each<[string, object]>([
    ['an unsigned thought', loop([{ type: 'thinking', thinking: 'x' }, call], [result])],
    ['a thought that was changed', loop([{ type: 'thinking', thinking: 'x', signature: 'y' }], [])],
    ['a result without its call', loop([{ type: 'text', text: 'Hm.' }], [result])],
    ['a call without its result', loop([call], [{ type: 'text', text: 'And?' }])],
    ['a call without an id', loop([{ ...call, id: '' }], [result])],
    ['results behind text', loop([call], [{ type: 'text', text: 'Here:' }, result])],
    ['arguments that are text', loop([{ ...call, input: '{}' }], [result])],
    ['a budget as large as the bound', { ...base, max_tokens: 1_024, thinking }],
    ['a loop that began without thought', loop([call], [result], { thinking })],
    ['a temperature above 1', { ...base, temperature: 1.5 }],
    ['an unknown member', { ...base, seed: 1 }],
    ['no bound', { model: 'm', messages: [user] }],
    ['an address of mail', { ...base, metadata: { user_id: 'alice@example.com' } }],
    ['a begun answer that ends in a blank', begun('Hm. ')],
    ['a begun answer, where the model is new', { ...begun('Hm.'), model: 'claude-opus-4-6' }],
    ['a begun answer, where the model is to think', { ...begun('Hm.'), thinking }],
    ['a schema that holds itself', answerIn({ type: 'array', items: { $ref: '#' } })],
    ['a reference in allOf', answerIn({ allOf: [{ $ref: '#/$defs/a' }], $defs: { a: {} } })],
    [
      'a strict tool whose schema holds itself',
      { ...base, tools: [{ name: 'f', strict: true, input_schema: deep }] },
    ],
  ])('refuses %s', (_case, body) => {
    expect(refuseMessages(body)).not.toBeNull();
  });
});

/** The host's answer to its nth request: it thinks, in the open and not, and calls two tools. */
function answerOf(round: number): object {
  const thought = `Round ${round}: both — “now”.`;
  const content = [
    { type: 'thinking', thinking: thought, signature: signThought(thought) },
    { type: 'redacted_thinking', data: `sealed-${round}` },
    { type: 'text', text: `Looking, ${round}.` },
    { ...call, id: `toolu_${round}a` },
    { ...call, id: `toolu_${round}b`, name: 'clock', input: {} },
  ];
  const usage = { input_tokens: 9, output_tokens: 9 };
  return { id: `msg_${round}`, type: 'message', role: 'assistant', model: 'm', content, usage };
}

/** The same answer as the events of a stream. */
function streamOf(answer: object): readonly object[] {
  const blocks = listOf(at(answer, 'content'));
  const told = blocks.flatMap((block, index) => [
    { type: 'content_block_start', index, content_block: emptied(block) },
    ...deltasOf(block).map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]);
  const stop = { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: {} };
  return [
    { type: 'message_start', message: { ...answer, content: [] } },
    ...told,
    stop,
    { type: 'message_stop' },
  ];
}

function emptied(block: unknown): unknown {
  const record: Record<string, unknown> = { ...objectOf(block) };
  if ('text' in record) record['text'] = '';
  if ('input' in record) record['input'] = {};
  return 'thinking' in record ? { type: 'thinking', thinking: '', signature: '' } : record;
}

function deltasOf(block: unknown): readonly object[] {
  const { type, text, thinking, signature, input } = objectOf(block);
  if (type === 'text') return [{ type: 'text_delta', text }];
  if (type === 'tool_use') {
    return [{ type: 'input_json_delta', partial_json: JSON.stringify(input) }];
  }
  if (type !== 'thinking') return [];
  return [
    { type: 'thinking_delta', thinking },
    { type: 'signature_delta', signature },
  ];
}

/** Puts the parts of a stream together, as a client of ours would. */
function collect(answer: object): readonly Part[] {
  const parts: Part[] = [];
  const decoder = codec.stream();
  const events = streamOf(answer).flatMap((event) =>
    decoder.push({ event: null, data: JSON.stringify(event) }),
  );
  for (const event of events) {
    if (event.type === 'part_start') parts.push(event.value);
    const last = parts.at(-1);
    if (last === undefined) continue;
    const grown = grow(last, event);
    if (grown !== null) parts.splice(-1, 1, grown);
  }
  return parts;
}

function grow(part: Part, event: { readonly type: string }): Part | null {
  if ('text' in event && typeof event.text === 'string') {
    if (part.type === 'tool_call') return { ...part, arguments: part.arguments + event.text };
    if (part.type === 'text' || part.type === 'reasoning') {
      return { ...part, text: part.text + event.text };
    }
  }
  const signs = part.type === 'reasoning' && 'signature' in event;
  return signs ? { ...part, signature: String(event.signature) } : null;
}

const TOOLS = ['weather', 'clock'].map((name) => ({ kind: 'function', name }) as const);

describe('three rounds of tools with thinking', () => {
  it.each<[string, (answer: object) => readonly Part[]]>([
    ['whole', (answer) => codec.decode(answer).choices[0]?.parts ?? []],
    ['streamed', collect],
  ])('come back unchanged where answers are %s', (_case, read) => {
    let turns: Turn[] = [{ role: 'user', parts: [{ type: 'text', text: user.content }] }];
    for (const round of [1, 2, 3]) {
      const parts = read(answerOf(round));
      turns = [...turns, { role: 'assistant', parts }, ...resultsOf(parts)];
      const { body, warnings } = codec.encode(
        formOf(turns, { tools: TOOLS, reasoning: { budgetTokens: 2_048 } }),
        target,
      );
      expect(refuseMessages(body)).toBeNull();
      expect(warnings).toEqual([]);
      expect(at(body, 'thinking')).toEqual({ type: 'enabled', budget_tokens: 2_048 });
      const sent = listOf(at(body, 'messages'));
      expect(sent.at(-2)).toEqual({ role: 'assistant', content: at(answerOf(round), 'content') });
    }
  });

  it('come back unchanged through chat completions', () => {
    const messages: unknown[] = [user];
    const tools = ['weather', 'clock'].map((name) => ({ type: 'function', function: { name } }));
    for (const round of [1, 2, 3]) {
      const answer = codec.decode(answerOf(round));
      const chat = writeAnswer(answer, { id: 'chatcmpl-1', created: 1, model: 'm' });
      const message = at(chat, 'choices', 0, 'message');
      const calls = listOf(at(message, 'tool_calls'));
      messages.push(message);
      for (const one of calls) {
        messages.push({ role: 'tool', tool_call_id: at(one, 'id'), content: '9' });
      }
      const form = readForm({ model: 'm', messages, tools, thinking: budget(2_048) });
      const { body } = codec.encode(form, target);
      expect(refuseMessages(body)).toBeNull();
      expect(at(body, 'thinking', 'type')).toBe('enabled');
      const said = listOf(at(listOf(at(body, 'messages')).at(-2), 'content'));
      expect(said).toEqual(at(answerOf(round), 'content'));
    }
  });
});

function budget(tokens: number): object {
  return { type: 'enabled', budget_tokens: tokens };
}

const MODELS = [
  'claude-3-haiku',
  'claude-opus-4-1',
  'claude-sonnet-4-5',
  'claude-opus-4-6',
  'claude-sonnet-5',
];

/** What the caller may have begun the answer with. */
const begunArbitrary = fc.constantFrom('', 'So', 'So:\n', '{ ');

/** What the host says to it; or the path at which the dialect refuses it itself. */
function send(form: ChatForm, model: string): { said: unknown } | { refused: CannotSay } {
  try {
    return { said: refuseMessages(codec.encode(signed(form), { ...target, model }).body) };
  } catch (error) {
    if (error instanceof CannotSay) return { refused: error };
    throw error;
  }
}

describe('any conversation', () => {
  it('is taken by the host, or refused with the path of what is at fault', () => {
    const models = fc.constantFrom(...MODELS);
    const property = fc.property(formArbitrary, models, begunArbitrary, (form, model, text) => {
      const answer: Turn = { role: 'assistant', parts: [{ type: 'text', text }] };
      const sent = send({ ...form, turns: [...form.turns, answer] }, model);
      if ('said' in sent) return sent.said === null;
      const { param, message } = sent.refused;
      return param.startsWith('messages') && /^\S.*\.$/s.test(message);
    });
    fc.assert(property, { numRuns: 400 });
  });

  it('is seldom refused', () => {
    const forms = fc.sample(formArbitrary, { numRuns: 200, seed: 7 });
    const taken = forms.filter((form) => 'said' in send(form, 'claude-sonnet-4-5'));
    expect(taken.length).toBeGreaterThan(60);
  });
});

/** The same conversation with the signatures that this host gives out. */
function signed(form: ChatForm): ChatForm {
  const sign = (part: Part): Part =>
    part.type === 'reasoning' && part.signature !== undefined
      ? { ...part, signature: signThought(part.text) }
      : part;
  return {
    ...form,
    turns: form.turns.map((turn) => ({ ...turn, parts: turn.parts.map(sign) })),
  };
}
