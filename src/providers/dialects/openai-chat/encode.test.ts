/** Requests of the common form, written for hosts of this family. */
import { describe, expect, it } from 'vitest';
import { formOf } from '#testing/chat-forms.ts';
import type { ChatForm, Turn } from '#providers/form.ts';
import { mistral } from '#providers/mistral/index.ts';
import { openai } from '#providers/openai/index.ts';
import { openrouter } from '#providers/openrouter/index.ts';
import type { Encoded, Provider, Target } from '#providers/provider.ts';
import { decode } from './decode.ts';
import { DEFAULT_HABITS } from './habits.ts';

const TARGET: Target = {
  baseUrl: 'https://host.example/v1',
  model: 'host-model',
  region: null,
  project: null,
  account: null,
};

function encode(provider: Provider, request: ChatForm): Encoded {
  const { chat } = provider;
  if (chat === undefined) throw new Error('no chat');
  const support = typeof chat === 'function' ? chat(TARGET) : chat;
  return support.codec.encode(request, TARGET);
}

const SAY_HI: Turn = { role: 'user', parts: [{ type: 'text', text: 'Hi' }] };

describe('a form becomes a body', () => {
  it('of nothing but what was asked for', () => {
    expect(encode(openai, formOf([SAY_HI]))).toEqual({
      body: { model: 'host-model', messages: [{ role: 'user', content: 'Hi' }] },
      warnings: [],
    });
  });

  it('with every setting in the words of the dialect', () => {
    const request = formOf([SAY_HI], {
      stream: true,
      choices: 2,
      maxOutputTokens: 50,
      reasoning: { effort: 'low' },
      sampling: {
        temperature: 0.5,
        topP: 0.9,
        stop: ['x'],
        seed: 3,
        logprobs: true,
        topLogprobs: 2,
      },
      output: { kind: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true },
      tools: [
        { kind: 'function', name: 'f', parameters: { type: 'object' } },
        { kind: 'custom', name: 'c', grammar: { syntax: 'regex', definition: '.*' } },
      ],
      toolChoice: { mode: 'one', name: 'f', kind: 'function' },
      parallelToolCalls: false,
      native: { 'openai-chat': { prediction: { type: 'content', content: 'x' } } },
    });
    expect(encode(openai, request)).toEqual({
      body: {
        model: 'host-model',
        messages: [{ role: 'user', content: 'Hi' }],
        tools: [
          { type: 'function', function: { name: 'f', parameters: { type: 'object' } } },
          {
            type: 'custom',
            custom: {
              name: 'c',
              format: { type: 'grammar', grammar: { syntax: 'regex', definition: '.*' } },
            },
          },
        ],
        tool_choice: { type: 'function', function: { name: 'f' } },
        parallel_tool_calls: false,
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'n', schema: { type: 'object' }, strict: true },
        },
        temperature: 0.5,
        top_p: 0.9,
        stop: ['x'],
        seed: 3,
        logprobs: true,
        top_logprobs: 2,
        reasoning_effort: 'low',
        max_completion_tokens: 50,
        n: 2,
        stream: true,
        stream_options: { include_usage: true },
        prediction: { type: 'content', content: 'x' },
      },
      warnings: [],
    });
  });

  it('and says what the host could not be told', () => {
    const request = formOf([SAY_HI], {
      maxOutputTokens: 50,
      sampling: { topK: 3, seed: 3, logprobs: true },
      reasoning: { budgetTokens: 3_000 },
      continues: { kind: 'previous_response_id', id: 'r' },
    });
    const { body, warnings } = encode(mistral, request);
    expect(body).toEqual({
      model: 'host-model',
      messages: [{ role: 'user', content: 'Hi' }],
      random_seed: 3,
      max_tokens: 50,
      reasoning_effort: 'low',
    });
    expect(warnings.map(({ code, param }) => `${code} ${param}`).toSorted()).toEqual([
      'dropped logprobs',
      'dropped previous_response_id',
      'dropped top_k',
      'emulated reasoning',
      'renamed max_completion_tokens',
      'renamed seed',
    ]);
  });

  it('with media as parts, and the results of tools as messages of their own', () => {
    const image = { kind: 'base64', mediaType: 'image/png', data: 'QUJD' } as const;
    const turns: readonly Turn[] = [
      {
        role: 'assistant',
        parts: [{ type: 'tool_call', id: 'a', name: 'look', arguments: '{}', format: 'json' }],
      },
      {
        role: 'tool',
        parts: [
          {
            type: 'tool_result',
            callId: 'a',
            content: [
              { type: 'text', text: 'seen' },
              { type: 'image', source: image },
            ],
          },
        ],
      },
    ];
    const { body, warnings } = encode(openai, formOf(turns));
    expect(body).toMatchObject({
      messages: [
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: 'seen' },
        {
          role: 'user',
          content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } }],
        },
      ],
    });
    expect(warnings).toMatchObject([{ code: 'emulated', param: 'messages[1]' }]);
  });
});

describe('what an answer brought goes back unchanged', () => {
  it('blocks of reasoning at OpenRouter', () => {
    const details = [
      { type: 'reasoning.text', text: 'Hm.', signature: 'sig', format: 'f', index: 0 },
      { type: 'reasoning.encrypted', data: 'blob', id: 'r1', format: 'f', index: 1 },
    ];
    const message = {
      role: 'assistant',
      content: 'Yes',
      reasoning: 'Hm.',
      reasoning_details: details,
    };
    const answer = decode({ id: 'a', choices: [{ index: 0, message }] }, DEFAULT_HABITS);
    const turn: Turn = { role: 'assistant', parts: answer.choices[0]?.parts ?? [] };
    expect(encode(openrouter, formOf([turn])).body).toMatchObject({ messages: [message] });
  });

  it('a thought signature beside a call', () => {
    const call = {
      id: 'c1',
      type: 'function',
      function: { name: 'f', arguments: '{}' },
      extra_content: { google: { thought_signature: 'sig' } },
    };
    const message = { role: 'assistant', content: null, tool_calls: [call] };
    const answer = decode({ id: 'a', choices: [{ index: 0, message }] }, DEFAULT_HABITS);
    const turn: Turn = { role: 'assistant', parts: answer.choices[0]?.parts ?? [] };
    expect(encode(openai, formOf([turn])).body).toMatchObject({ messages: [message] });
  });

  it('reasoning that the host does not take back is dropped with a warning', () => {
    const turn: Turn = {
      role: 'assistant',
      parts: [
        { type: 'reasoning', text: 'Hm.', summary: false },
        { type: 'text', text: 'Yes' },
      ],
    };
    const { body, warnings } = encode(openai, formOf([turn]));
    expect(body).toMatchObject({ messages: [{ role: 'assistant', content: 'Yes' }] });
    expect(warnings).toMatchObject([{ code: 'dropped', param: 'messages[0]' }]);
    expect(encode(mistral, formOf([turn])).body).toMatchObject({
      messages: [
        {
          content: [
            { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
            { type: 'text', text: 'Yes' },
          ],
        },
      ],
    });
  });
});
