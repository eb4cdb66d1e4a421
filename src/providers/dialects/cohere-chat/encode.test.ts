/** What Cohere can and cannot be told, beyond the cases of its fixtures. */
import { assert, property, record, array, constantFrom, string, option, integer } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formOf } from '#testing/chat-forms.ts';
import type { ChatForm, Part, Turn } from '#providers/form.ts';
import { isRecord, recordOf, type JsonRecord } from '#providers/json.ts';
import { CannotSay, type Target } from '#providers/provider.ts';
import { encode } from './encode.ts';
import { readRequest } from './read-request.ts';

const TARGET: Target = {
  baseUrl: 'https://api.cohere.com',
  model: 'command',
  region: null,
  project: null,
  account: null,
};

const SAY_HI: Turn = { role: 'user', parts: [{ type: 'text', text: 'Hi' }] };

function bodyOf(request: ChatForm): JsonRecord {
  const { body } = encode(request, TARGET);
  if (!isRecord(body)) throw new Error('no body');
  return body;
}

function warned(request: ChatForm): readonly string[] {
  return encode(request, TARGET).warnings.map(({ code, param }) => `${code} ${param}`);
}

function refusal(turns: readonly Turn[]): string {
  try {
    encode(formOf(turns), TARGET);
  } catch (error) {
    if (error instanceof CannotSay) return error.param;
    throw error;
  }
  return 'nothing was refused';
}

const FILE: Part = {
  type: 'file',
  filename: 'notes.txt',
  source: { kind: 'base64', mediaType: 'text/plain', data: btoa('Geckos climb.') },
};

describe('a conversation for Cohere', () => {
  it('has no instructions where they say nothing, which Cohere refuses', () => {
    const nothing = [{ type: 'text', text: '' }] as const;
    const turns: readonly Turn[] = [
      { role: 'system', parts: [...nothing] },
      { role: 'developer', parts: [] },
      SAY_HI,
    ];
    expect(bodyOf(formOf(turns))['messages']).toEqual([{ role: 'user', content: 'Hi' }]);
    expect(refusal([{ role: 'user', parts: [...nothing] }])).toBe('messages[0]');
  });

  it('sends files of text as documents to cite from, and says so', () => {
    const turn: Turn = { role: 'user', parts: [{ type: 'text', text: 'Read' }, FILE] };
    const request = formOf([turn], { native: { cohere: { documents: ['first'] } } });
    expect(bodyOf(request)).toMatchObject({
      messages: [{ role: 'user', content: 'Read' }],
      documents: ['first', { data: { text: 'Geckos climb.', title: 'notes.txt' } }],
    });
    expect(warned(request)).toEqual(['emulated messages[0].content[1]']);
  });

  it('moves images of tool results behind the last result of the round', () => {
    const url = 'https://a.example/i.png';
    const image: Part = { type: 'image', source: { kind: 'url', url } };
    const turns: readonly Turn[] = [
      SAY_HI,
      {
        role: 'assistant',
        parts: ['a', 'b'].map((id) => ({
          type: 'tool_call',
          id,
          name: 'look',
          arguments: '',
          format: 'json',
        })),
      },
      {
        role: 'tool',
        parts: [
          { type: 'tool_result', callId: 'a', content: [{ type: 'text', text: 'x' }, image] },
        ],
      },
      { role: 'tool', parts: [{ type: 'tool_result', callId: 'b', content: [] }] },
    ];
    const { messages } = bodyOf(formOf(turns));
    expect(messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ function: { arguments: '{}' } }, {}] },
      { role: 'tool', tool_call_id: 'a', content: 'x' },
      { role: 'tool', tool_call_id: 'b', content: '' },
      { role: 'user', content: [{ type: 'image_url', image_url: { url } }] },
    ]);
    expect(warned(formOf(turns))).toEqual(['emulated messages[2].content[1]']);
  });

  it('returns what Cohere thought to its places, and what others thought to nobody', () => {
    const own = { cohere: {} };
    const turn: Turn = {
      role: 'assistant',
      parts: [
        { type: 'reasoning', text: 'Plan.', summary: false, id: 'tool_plan', native: own },
        { type: 'reasoning', text: 'Hm.', summary: false, native: own },
        { type: 'reasoning', text: 'Signed.', summary: false, signature: 's' },
        { type: 'text', text: 'Yes' },
      ],
    };
    expect(bodyOf(formOf([SAY_HI, turn]))['messages']).toMatchObject([
      {},
      {
        role: 'assistant',
        tool_plan: 'Plan.',
        content: [
          { type: 'thinking', thinking: 'Hm.' },
          { type: 'text', text: 'Yes' },
        ],
      },
    ]);
    expect(JSON.stringify(bodyOf(formOf([SAY_HI, turn])))).not.toContain('Signed');
  });

  it('is refused by the path of what cannot be told', () => {
    const pdf: Part = { type: 'file', source: { kind: 'file_id', fileId: 'f' } };
    const odd = { kind: 'base64', mediaType: 'text/html', data: 'AAAA' } as const;
    const said = (...parts: readonly Part[]): Turn => ({ role: 'user', parts });
    expect(refusal([said({ type: 'text', text: '' })])).toBe('messages[0]');
    expect(refusal([SAY_HI, said(pdf)])).toBe('messages[1].content[0]');
    expect(refusal([said({ type: 'image', source: odd })])).toBe('messages[0].content[0]');
    expect(refusal([said({ type: 'audio', source: odd, path: 'messages[0].x' })])).toBe(
      'messages[0].x',
    );
    expect(refusal([{ role: 'assistant', parts: [] }])).toBe('messages[0]');
    const broken = { kind: 'base64', mediaType: 'text/plain', data: '*' } as const;
    expect(refusal([said({ ...FILE, source: broken })])).toBe('messages[0].content[0]');
  });
});

describe('settings for Cohere', () => {
  const tool = { kind: 'function', name: 'f' } as const;

  it('stay within its ranges', () => {
    const sampling = { temperature: 0, topP: 1, topK: 900, stop: ['a', 'b', 'c', 'd', 'e', 'f'] };
    const request = formOf([SAY_HI], { sampling });
    expect(bodyOf(request)).toMatchObject({
      temperature: 0,
      p: 0.99,
      k: 500,
      stop_sequences: ['a', 'b', 'c', 'd', 'e'],
    });
    expect(warned(request)).toEqual(['clamped top_p', 'clamped top_k', 'clamped stop']);
  });

  it('hold one penalty, the one that says something', () => {
    const both = (frequencyPenalty: number, presencePenalty: number): ChatForm =>
      formOf([SAY_HI], { sampling: { frequencyPenalty, presencePenalty } });
    expect(bodyOf(both(0, 0.4))).toMatchObject({ presence_penalty: 0.4 });
    expect(warned(both(0, 0.4))).toEqual([]);
    expect(bodyOf(both(0.3, 0.4))).not.toHaveProperty('presence_penalty');
    expect(warned(both(0.3, 0.4))).toEqual(['dropped presence_penalty']);
  });

  it('say every choice of tools', () => {
    const choose = (toolChoice: NonNullable<ChatForm['toolChoice']>): unknown =>
      bodyOf(formOf([SAY_HI], { tools: [tool], toolChoice }))['tool_choice'];
    expect(choose({ mode: 'auto' })).toBeUndefined();
    expect(choose({ mode: 'none' })).toBe('NONE');
    expect(choose({ mode: 'required' })).toBe('REQUIRED');
    expect(choose({ mode: 'one', name: 'f', kind: 'function' })).toBe('REQUIRED');
    expect(choose({ mode: 'among', names: ['f'], required: false })).toBeUndefined();
  });

  it('drop a response format beside tools or documents, with a warning', () => {
    const output = { kind: 'json' } as const;
    expect(bodyOf(formOf([SAY_HI], { output }))['response_format']).toEqual({
      type: 'json_object',
    });
    const request = formOf([SAY_HI], { output, tools: [tool] });
    expect(bodyOf(request)).not.toHaveProperty('response_format');
    expect(warned(request)).toEqual(['dropped response_format']);
  });

  it('turn thinking on and off', () => {
    const think = (reasoning: ChatForm['reasoning']): unknown =>
      bodyOf(formOf([SAY_HI], { reasoning }))['thinking'];
    expect(think({})).toBeUndefined();
    expect(think({ effort: 'none' })).toEqual({ type: 'disabled' });
    expect(think({ budgetTokens: 0 })).toEqual({ type: 'disabled' });
    expect(think({ effort: 'high' })).toEqual({ type: 'enabled' });
    expect(think({ budgetTokens: 512 })).toEqual({ type: 'enabled', token_budget: 512 });
  });

  it('take its own members from a chat body, and name those', () => {
    const native = { 'openai-chat': { safety_mode: 'OFF', prediction: {} } };
    const { body, said } = encode(formOf([SAY_HI], { native }), TARGET);
    expect(body).toMatchObject({ safety_mode: 'OFF' });
    expect(body).not.toHaveProperty('prediction');
    expect(said).toEqual(['safety_mode']);
  });
});

describe('a request of Cohere', () => {
  const text = string({ minLength: 1, maxLength: 20 });
  const said = record({ role: constantFrom('user', 'system', 'assistant'), content: text });
  const rounds = record({
    plan: option(text, { nil: '' }),
    result: text,
    calls: integer({ max: 3, min: 1 }),
  });

  /** Messages of a loop of tools: calls of one turn, each answered. */
  function loop(round: { plan: string; result: string; calls: number }, at: number): JsonRecord[] {
    const ids = Array.from({ length: round.calls }, (_none, index) => `c${at}_${index}`);
    const plan = round.plan === '' ? {} : { tool_plan: round.plan };
    const calls = ids.map((id) => ({
      id,
      type: 'function',
      function: { name: 'f', arguments: '{"a":1}' },
    }));
    const results = ids.map((id) => ({ role: 'tool', tool_call_id: id, content: round.result }));
    return [{ role: 'assistant', ...plan, tool_calls: calls }, ...results];
  }

  it('survives the common form unchanged, whatever was said and called', () => {
    assert(
      property(
        array(said),
        array(rounds),
        option(integer({ min: 1, max: 900 })),
        (turns, looped, max) => {
          const body = {
            model: 'command',
            messages: [...turns, ...looped.flatMap(loop)],
            ...(max === null ? {} : { max_tokens: max, safety_mode: 'NONE', seed: max }),
          };
          expect(encode(readRequest(body), TARGET)).toEqual({ body, warnings: [], said: [] });
        },
      ),
    );
  });

  it('keeps thinking, images, documents of tools and every setting', () => {
    const body = {
      model: 'command',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'high' } },
          ],
        },
        {
          role: 'assistant',
          content: [{ type: 'thinking', thinking: 'Hm.' }],
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        {
          role: 'tool',
          tool_call_id: 'a',
          content: [{ type: 'document', document: { id: '1', data: { text: 'x' } } }],
        },
      ],
      tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: {} } }],
      tool_choice: 'NONE',
      strict_tools: true,
      thinking: { type: 'enabled', token_budget: 99 },
      stream: true,
      p: 0.5,
      k: 4,
      logprobs: true,
      citation_options: { mode: 'OFF' },
      documents: [{ id: 'd', data: { text: 'y' } }],
    };
    expect(recordOf(encode(readRequest(body), TARGET).body)).toEqual(body);
  });
});
