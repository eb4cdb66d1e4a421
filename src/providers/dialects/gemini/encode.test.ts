/**
 * Requests as Google wants them: what its models differ in, what it cannot say (and that we say
 * so), what is refused with its path, and that requests in its own words come through unchanged.
 */
import { describe, expect, it } from 'vitest';
import { formOf } from '#testing/chat-forms.ts';
import type { ChatForm, Part, ReasoningWish, Turn } from '#providers/form.ts';
import { recordOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import type { Target, Warning } from '#providers/provider.ts';
import { readRequest } from './read-request.ts';
import { geminiSupport } from './support.ts';

const { codec } = geminiSupport();

function targetOf(model: string): Target {
  const baseUrl = 'https://generativelanguage.googleapis.com/v1beta';
  return { baseUrl, model, region: null, project: null, account: null };
}

const hello: Turn = { role: 'user', parts: [{ type: 'text', text: 'Hello' }], path: 'messages[0]' };

function formWith(more: Partial<ChatForm> = {}): ChatForm {
  return formOf([hello], more);
}

function write(
  more: Partial<ChatForm>,
  model = 'gemini-3.6-flash',
): { readonly body: JsonRecord; readonly told: readonly string[] } {
  const { body, warnings } = codec.encode(formWith(more), targetOf(model));
  const tell = ({ code, param }: Warning): string => `${code} ${param}`;
  return { body: recordOf(body), told: warnings.map(tell) };
}

function refusal(more: Partial<ChatForm>, model?: string): string {
  try {
    write(more, model);
  } catch (error) {
    if (error instanceof CannotSay) return error.param;
    throw error;
  }
  return 'taken';
}

describe('thinking', () => {
  const config = (reasoning: ReasoningWish, model: string): unknown =>
    recordOf(write({ reasoning }, model).body['generationConfig'])['thinkingConfig'];

  it.each<[ReasoningWish, string, unknown, readonly string[]]>([
    [{ effort: 'low' }, 'gemini-3.6-flash', { thinkingLevel: 'LOW', includeThoughts: true }, []],
    [
      { effort: 'minimal', show: 'none' },
      'gemini-3-flash-preview',
      { thinkingLevel: 'MINIMAL', includeThoughts: false },
      [],
    ],
    [
      { effort: 'minimal' },
      'gemini-3.8-flash',
      { thinkingLevel: 'LOW', includeThoughts: true },
      ['clamped reasoning_effort'],
    ],
    [
      { effort: 'medium' },
      'gemini-3-pro-preview',
      { thinkingLevel: 'HIGH', includeThoughts: true },
      ['clamped reasoning_effort'],
    ],
    [
      { effort: 'none' },
      'gemini-3.1-pro-preview',
      { thinkingLevel: 'LOW' },
      ['clamped reasoning_effort'],
    ],
    [
      { effort: 'max' },
      'gemini-flash-latest',
      { thinkingLevel: 'HIGH', includeThoughts: true },
      ['clamped reasoning_effort'],
    ],
    [
      { budgetTokens: 2_000 },
      'gemini-3.6-flash',
      { thinkingLevel: 'LOW', includeThoughts: true },
      ['emulated reasoning_effort'],
    ],
    [
      { effort: 'medium' },
      'gemini-2.5-flash',
      { thinkingBudget: 8_192, includeThoughts: true },
      [],
    ],
    [{ effort: 'none' }, 'gemini-2.5-flash', { thinkingBudget: 0 }, []],
    [{ effort: 'none' }, 'gemini-2.5-pro', { thinkingBudget: 128 }, ['clamped reasoning_effort']],
    [
      { budgetTokens: 99_000 },
      'gemini-2.5-pro',
      { thinkingBudget: 32_768, includeThoughts: true },
      ['clamped reasoning_effort'],
    ],
    [{ adaptive: true }, 'gemini-2.5-pro', { thinkingBudget: -1, includeThoughts: true }, []],
    [{ effort: 'high' }, 'gemini-2.0-flash', undefined, ['dropped reasoning_effort']],
    [{ effort: 'none' }, 'gemini-2.0-flash', undefined, []],
    [{}, 'gemini-3-pro-preview', undefined, []],
  ])('%j to %s is %j', (reasoning, model, expected, told) => {
    expect(config(reasoning, model)).toEqual(expected);
    expect(write({ reasoning }, model).told).toEqual(told);
  });
});

describe('tools', () => {
  const tools = [
    { kind: 'function', name: 'one', parameters: { type: 'object' } },
    { kind: 'function', name: 'two' },
  ] as const;
  const mode = (more: Partial<ChatForm>): unknown =>
    recordOf(write({ tools, ...more }).body['toolConfig'])['functionCallingConfig'];

  it('are chosen in every way that chat completions know', () => {
    expect(mode({})).toBeUndefined();
    expect(mode({ toolChoice: { mode: 'auto' } })).toEqual({ mode: 'AUTO' });
    expect(mode({ toolChoice: { mode: 'none' } })).toEqual({ mode: 'NONE' });
    expect(mode({ toolChoice: { mode: 'required' } })).toEqual({ mode: 'ANY' });
    expect(mode({ toolChoice: { mode: 'one', name: 'two', kind: 'function' } })).toEqual({
      mode: 'ANY',
      allowedFunctionNames: ['two'],
    });
    const among = { mode: 'among', names: ['one', 'two'], required: false } as const;
    expect(mode({ toolChoice: among })).toEqual({
      mode: 'VALIDATED',
      allowedFunctionNames: ['one', 'two'],
    });
    const strict = tools.map((tool) => ({ ...tool, strict: true }));
    expect(mode({ tools: strict })).toEqual({ mode: 'VALIDATED' });
  });

  it('of Google go beside functions, announced where that is asked for', () => {
    const hosted = { kind: 'hosted', tool: 'web_search', config: { user_location: {} } } as const;
    const { body, told } = write({ tools: [...tools, hosted] });
    expect(body['tools']).toEqual([
      {
        functionDeclarations: [
          { name: 'one', parametersJsonSchema: { type: 'object' } },
          { name: 'two' },
        ],
      },
      { googleSearch: {} },
    ]);
    expect(body['toolConfig']).toEqual({ includeServerSideToolInvocations: true });
    expect(told).toEqual(['dropped web_search.user_location']);
  });

  it('are refused by their path where they cannot be said', () => {
    const custom = { kind: 'custom', name: 'free' } as const;
    expect(refusal({ tools: [tools[0], custom] })).toBe('tools[1]');
    const text = { kind: 'function', name: 'x', parameters: { type: 'string' } } as const;
    expect(refusal({ tools: [text] })).toBe('tools[0].function.parameters');
    const json = { output: { kind: 'json' }, tools } as const;
    expect(refusal(json, 'gemini-2.5-flash')).toBe('response_format');
    expect(refusal(json, 'gemini-3-flash-preview')).toBe('taken');
  });
});

describe('history', () => {
  const called: Turn = {
    role: 'assistant',
    path: 'messages[1]',
    parts: [
      {
        type: 'reasoning',
        text: 'Foreign.',
        summary: false,
        signature: 's',
        native: { anthropic: {} },
      },
      { type: 'text', text: 'Let me see.' },
      {
        type: 'tool_call',
        id: 'c1',
        name: 'look',
        arguments: '{"n":1}',
        format: 'json',
        path: 'messages[1].tool_calls[0]',
      },
    ],
  };
  const answered = (content: Part & { type: 'text' | 'image' }): Turn => ({
    role: 'tool',
    path: 'messages[2]',
    parts: [{ type: 'tool_result', callId: 'c1', content: [content] }],
  });
  const image = {
    type: 'image',
    source: { kind: 'base64', mediaType: 'image/png', data: 'iVBORw0KGgo=' },
  } as const;
  const partsAt = (body: JsonRecord, index: number): unknown => {
    const { contents } = body;
    return Array.isArray(contents) ? recordOf(contents[index])['parts'] : undefined;
  };

  it('leaves thoughts of others out, and puts a placeholder where a signature is demanded', () => {
    const turns = [hello, called, answered({ type: 'text', text: '9' })];
    const functionCall = { id: 'c1', name: 'look', args: { n: 1 } };
    expect(partsAt(write({ turns }).body, 1)).toEqual([
      { text: 'Let me see.' },
      { functionCall, thoughtSignature: 'c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=' },
    ]);
    expect(partsAt(write({ turns }, 'gemini-2.5-pro').body, 1)).toEqual([
      { text: 'Let me see.' },
      { functionCall },
    ]);
  });

  it('puts images of a result inside it where the model takes them, else beside it', () => {
    const turns = [hello, called, answered(image)];
    const inlineData = { mimeType: 'image/png', data: 'iVBORw0KGgo=' };
    const functionResponse = { id: 'c1', name: 'look', response: { output: '' } };
    expect(partsAt(write({ turns }).body, 2)).toEqual([
      { functionResponse: { ...functionResponse, parts: [{ inlineData }] } },
    ]);
    const older = write({ turns }, 'gemini-2.5-pro');
    expect(partsAt(older.body, 2)).toEqual([{ functionResponse }, { inlineData }]);
    expect(older.told).toEqual(['emulated messages[2]']);
  });

  it('keeps numbers in the text of a result as they were written', () => {
    const text = '{"id":12345678901234567890}';
    const { body } = write({ turns: [hello, called, answered({ type: 'text', text })] });
    expect(JSON.stringify(partsAt(body, 2))).toContain(String.raw`{\"id\":12345678901234567890}`);
  });

  it('gives signatures back to the text or image that they came on, and loses none', () => {
    const bare = (signature: string): Part => ({
      type: 'reasoning',
      text: '',
      summary: false,
      signature,
      native: { google: {} },
    });
    const inlineData = { mimeType: 'image/png', data: 'iVBORw0KGgo=' };
    const said = (...parts: readonly Part[]): unknown =>
      partsAt(write({ turns: [hello, { role: 'assistant', parts }, hello] }).body, 1);
    const text: Part = { type: 'text', text: 'A' };
    expect(said(image, bare('i'), text, bare('t'))).toEqual([
      { inlineData, thoughtSignature: 'i' },
      { text: 'A', thoughtSignature: 't' },
    ]);
    expect(said(bare('a'), bare('b'), text)).toEqual([
      { text: '', thoughtSignature: 'a' },
      { text: 'A', thoughtSignature: 'b' },
    ]);
    expect(said(bare('a'))).toEqual([{ text: '', thoughtSignature: 'a' }]);
    expect(said(image)).toMatchObject([{ thoughtSignature: expect.stringMatching(/^c2tpc/) }]);
  });

  it('takes a signature that names its call', () => {
    const named: Part = {
      type: 'reasoning',
      text: '',
      summary: false,
      encrypted: 'bmFtZWQ=',
      id: 'c1',
      native: { google: {} },
    };
    const turn = { ...called, parts: [named, ...called.parts.slice(2)] };
    const { body } = write({ turns: [hello, turn, answered({ type: 'text', text: '9' })] });
    expect(partsAt(body, 1)).toMatchObject([{ thoughtSignature: 'bmFtZWQ=' }]);
  });

  it('refuses by its path what no repair would make honest', () => {
    const result = answered({ type: 'text', text: '9' });
    const bad: Turn = {
      ...called,
      parts: [
        {
          type: 'tool_call',
          id: 'c1',
          name: 'x',
          arguments: '[1]',
          format: 'json',
          path: 'messages[1].tool_calls[0]',
        },
      ],
    };
    const strange: Part = {
      ...image,
      source: { ...image.source, mediaType: 'text/plain' },
      path: 'messages[0].content[0]',
    };
    expect(refusal({ turns: [hello, result] })).toBe('messages[2]');
    expect(refusal({ turns: [hello, called, hello] })).toBe('messages[1].tool_calls[0]');
    expect(refusal({ turns: [hello, bad, result] })).toBe('messages[1].tool_calls[0]');
    expect(refusal({ turns: [called, result] })).toBe('messages[1]');
    expect(refusal({ turns: [{ ...hello, parts: [strange] }] })).toBe('messages[0].content[0]');
    expect(refusal({ turns: [{ ...hello, parts: [] }] })).toBe('messages[0]');
    expect(refusal({ turns: [] })).toBe('messages');
    const file: Part = { type: 'file', source: { kind: 'file_id', fileId: 'file-abc' }, path: 'p' };
    expect(refusal({ turns: [{ ...hello, parts: [file] }] })).toBe('p');
  });

  it('moves instructions to the front, and says so where they stood behind', () => {
    const system: Turn = {
      role: 'developer',
      parts: [{ type: 'text', text: 'Be terse.' }],
      path: 'messages[1]',
    };
    const { body, told } = write({ turns: [hello, system] });
    expect(body['systemInstruction']).toEqual({ parts: [{ text: 'Be terse.' }] });
    expect(told).toEqual(['emulated messages[1]']);
    expect(write({ turns: [system] }).body['contents']).toEqual([
      { role: 'user', parts: [{ text: '' }] },
    ]);
  });
});

describe('media', () => {
  const sent = (part: Part): unknown => {
    const { body } = write({ turns: [{ ...hello, parts: [part] }] });
    return body['contents'];
  };
  const expected = (fileData: object): unknown => [{ role: 'user', parts: [{ fileData }] }];

  it('go by their address, with the type that it tells or that is assumed', () => {
    const url = (address: string) => ({ kind: 'url', url: address }) as const;
    expect(sent({ type: 'file', source: url('https://example.org/a.pdf?x=1') })).toEqual(
      expected({ fileUri: 'https://example.org/a.pdf?x=1', mimeType: 'application/pdf' }),
    );
    expect(sent({ type: 'video', source: url('https://youtu.be/x') })).toEqual(
      expected({ fileUri: 'https://youtu.be/x', mimeType: 'video/mp4' }),
    );
    const plain: Part = {
      type: 'image',
      source: url('https://example.org/a'),
      path: 'messages[0].content[0]',
    };
    expect(sent(plain)).toEqual(
      expected({ fileUri: 'https://example.org/a', mimeType: 'image/jpeg' }),
    );
    expect(write({ turns: [{ ...hello, parts: [plain] }] }).told).toEqual([
      'emulated messages[0].content[0]',
    ]);
    expect(
      sent({ type: 'file', source: { kind: 'file_id', fileId: 'files/x', mediaType: 'text/csv' } }),
    ).toEqual(
      expected({
        fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/x',
        mimeType: 'text/csv',
      }),
    );
  });
});

describe('settings that Google has no word for', () => {
  it('are told, each by its own name', () => {
    const { told } = write({
      parallelToolCalls: false,
      verbosity: 'low',
      store: true,
      endUser: 'u',
      metadata: { a: 'b' },
      promptCacheKey: 'k',
      serviceTier: 'scale',
      sampling: { logitBias: { 5: 1 }, stop: ['a', 'b', 'c', 'd', 'e', 'f'] },
    });
    expect(told.toSorted()).toEqual([
      'clamped stop',
      'dropped logit_bias',
      'dropped metadata',
      'dropped parallel_tool_calls',
      'dropped prompt_cache_key',
      'dropped service_tier',
      'dropped store',
      'dropped user',
      'dropped verbosity',
    ]);
  });
});

describe('a request in its own words', () => {
  it('comes through unchanged, in camel case, also where calls have no ids', () => {
    const request = {
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'Hi' },
            {
              file_data: { file_uri: 'gs://b/a.mp4', mime_type: 'video/mp4' },
              video_metadata: { fps: 1 },
            },
          ],
        },
        {
          role: 'model',
          parts: [
            { text: 'Hm.', thought: true },
            { function_call: { name: 'a', args: {} }, thought_signature: 'c2ln' },
            { functionCall: { name: 'b', args: { x_y: 1 } } },
          ],
        },
        {
          role: 'user',
          parts: [
            { function_response: { name: 'a', response: { t: 1 } } },
            { functionResponse: { name: 'b', response: { output: 'ok' } } },
          ],
        },
        { role: 'model', parts: [{ text: 'Done.', thoughtSignature: 'dGV4dA==' }] },
        { role: 'user', parts: [{ text: 'Thanks' }] },
      ],
      system_instruction: { parts: [{ text: 'Be terse.' }] },
      tools: [
        {
          function_declarations: [
            { name: 'a', description: '', parameters: { type: 'OBJECT', properties: {} } },
          ],
        },
        { googleMaps: { enableWidget: true } },
      ],
      toolConfig: {
        functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['a'] },
        retrievalConfig: { languageCode: 'de' },
      },
      generationConfig: {
        temperature: 0,
        topK: 3,
        thinking_config: { thinking_budget: 0 },
        imageConfig: { aspectRatio: '1:1' },
      },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    };
    const { body, warnings } = codec.encode(readRequest(request), targetOf('gemini-2.5-flash'));
    expect(warnings).toEqual([]);
    expect(body).toEqual({
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'Hi' },
            {
              fileData: { fileUri: 'gs://b/a.mp4', mimeType: 'video/mp4' },
              videoMetadata: { fps: 1 },
            },
          ],
        },
        {
          role: 'model',
          parts: [
            { text: 'Hm.', thought: true },
            { functionCall: { name: 'a', args: {} }, thoughtSignature: 'c2ln' },
            { functionCall: { name: 'b', args: { x_y: 1 } } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { name: 'a', response: { t: 1 } } },
            { functionResponse: { name: 'b', response: { output: 'ok' } } },
          ],
        },
        { role: 'model', parts: [{ text: 'Done.', thoughtSignature: 'dGV4dA==' }] },
        { role: 'user', parts: [{ text: 'Thanks' }] },
      ],
      systemInstruction: { parts: [{ text: 'Be terse.' }] },
      tools: [
        {
          functionDeclarations: [
            { name: 'a', description: '', parameters: { type: 'OBJECT', properties: {} } },
          ],
        },
        { googleMaps: { enableWidget: true } },
      ],
      toolConfig: {
        functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['a'] },
        retrievalConfig: { languageCode: 'de' },
      },
      generationConfig: {
        temperature: 0,
        topK: 3,
        thinkingConfig: { thinkingBudget: 0 },
        imageConfig: { aspectRatio: '1:1' },
      },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    });
  });

  it('tells its older schemas as JSON Schema to everybody else', () => {
    const parameters = { type: 'OBJECT', properties: { a: { type: 'STRING', nullable: true } } };
    const declared = { name: 'f', parameters };
    const form = readRequest({ contents: [], tools: [{ functionDeclarations: [declared] }] });
    expect(form.tools).toMatchObject([
      { parameters: { type: 'object', properties: { a: { type: ['string', 'null'] } } } },
    ]);
  });
});
