/**
 * Messages requests into the common form and back: what one says, it says again, and what only this
 * dialect knows survives the way.
 */
import { describe, expect, it } from 'vitest';
import type { JsonRecord } from '#providers/json.ts';
import { readRequest } from './read-request.ts';
import { anthropicSupport } from './support.ts';

const model = 'claude-opus-4-6';
const target = { baseUrl: 'https://x', model, region: null, project: null, account: null };

function again(body: JsonRecord): unknown {
  return anthropicSupport().codec.encode(readRequest(body), target).body;
}

const question = { role: 'user', content: [{ type: 'text', text: 'Why?' }] };
const base = { model, max_tokens: 100, messages: [question] };

const cache = { type: 'ephemeral', ttl: '1h' };
const pdf = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0x' };
const png = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' };
const place = { type: 'char_location', document_index: 0, cited_text: 'a', start_char_index: 0 };

describe('a Messages request', () => {
  it.each<[string, object]>([
    ['instructions', { system: [{ type: 'text', text: 'A.', cache_control: cache }] }],
    ['sampling', { temperature: 0.5, top_k: 3, stop_sequences: ['END'] }],
    [
      'a budget of thinking',
      { thinking: { type: 'enabled', budget_tokens: 2_000 }, max_tokens: 9_000 },
    ],
    ['adaptive thinking', { thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }],
    ['effort without thinking', { output_config: { effort: 'low' } }],
    ['another kind of thinking', { thinking: { type: 'between_tools' } }],
    ['a user', { metadata: { user_id: 'u' }, service_tier: 'standard_only', stream: true }],
    ['fields without a word', { inference_geo: 'eu', cache_control: cache, container: 'c_1' }],
    [
      'tools',
      {
        tools: [
          { name: 'f', description: '', input_schema: { type: 'object' }, defer_loading: true },
          { type: 'web_search_20250305', name: 'web_search', max_uses: 2, cache_control: cache },
        ],
        tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true },
      },
    ],
    [
      'a format',
      {
        output_config: {
          format: {
            type: 'json_schema',
            schema: { type: 'object', properties: {}, additionalProperties: false },
          },
        },
      },
    ],
  ])('says again %s', (_case, more) => {
    const body = { ...base, ...more };
    expect(again(body)).toEqual(body);
  });

  it('says again every kind of content, in its order', () => {
    const asked = [
      { type: 'image', source: png, cache_control: { type: 'ephemeral' } },
      { type: 'image', source: { type: 'url', url: 'https://x/y.png' } },
      { type: 'document', source: pdf, title: 'T', context: 'C', citations: { enabled: true } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Grüße 👋' } },
      { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'a' }] } },
      { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'b' }] },
      { type: 'container_upload', file_id: 'file_1' },
    ];
    const answered = [
      { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
      { type: 'redacted_thinking', data: 'blob' },
      { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'q' } },
      { type: 'web_search_tool_result', tool_use_id: 's1', content: [{ url: 'u' }] },
      { type: 'mcp_tool_use', id: 'm1', name: 'echo', input: {}, server_name: 'srv' },
      { type: 'mcp_tool_result', tool_use_id: 'm1', is_error: false, content: [] },
      { type: 'text', text: 'So.', citations: [place] },
      { type: 'tool_use', id: 't1', name: 'f', input: { a: 1 }, caller: { type: 'other' } },
      { type: 'tool_use', id: 't2', name: 'f', input: {} },
    ];
    const results = [
      { type: 'tool_result', tool_use_id: 't1', content: 'ok', cache_control: cache },
      {
        type: 'tool_result',
        tool_use_id: 't2',
        is_error: true,
        content: [{ type: 'tool_reference', tool_name: 'g' }],
      },
      { type: 'text', text: 'And now?' },
    ];
    const messages = [
      { role: 'user', content: asked },
      { role: 'assistant', content: answered },
      { role: 'user', content: results },
      { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
    ];
    const body = { ...base, messages };
    // An hour may not follow five minutes: that is put right on the way.
    const [, , third] = messages;
    expect(third?.content[0]).toHaveProperty('cache_control.ttl', '1h');
    const expected = structuredClone(body);
    Object.assign(expected.messages[2]?.content[0] ?? {}, { cache_control: { type: 'ephemeral' } });
    expect(again(body)).toEqual(expected);
  });

  it('turns thinking off where the model would think unasked', () => {
    const body = { ...base, thinking: { type: 'disabled' } };
    expect(again(body)).toEqual(base);
    const unasked = { ...target, model: 'claude-opus-5' };
    const { body: sent } = anthropicSupport().codec.encode(readRequest(body), unasked);
    expect(sent).toEqual({ ...body, model: 'claude-opus-5' });
  });

  it('never throws, whatever it is', () => {
    const odd = [{}, { messages: 'x', tools: [1, null], system: [5], thinking: 'yes' }];
    for (const body of odd) expect(() => readRequest(body)).not.toThrow();
  });
});
