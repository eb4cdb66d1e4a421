/**
 * Answers of Google, whole and streamed: signatures, hosted tools, grounding, arguments in pieces,
 * blocked prompts, and everything that upstreams get wrong; none may lose or invent anything.
 */
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '#providers/form.ts';
import { decode } from './decode.ts';
import { streamDecoder } from './stream.ts';

function read(events: readonly unknown[], ...last: readonly string[]): readonly ChatEvent[] {
  const decoder = streamDecoder();
  const data = [...events.map((event) => JSON.stringify(event)), ...last];
  return [...data.flatMap((text) => decoder.push({ event: null, data: text })), ...decoder.end()];
}

function event(parts: readonly unknown[], more: object = {}, rest: object = {}): object {
  const candidate = { content: { role: 'model', parts }, index: 0, ...more };
  return { candidates: [candidate], responseId: 'r', modelVersion: 'm', ...rest };
}

const STOP = { finishReason: 'STOP' };

function kinds(events: readonly ChatEvent[]): readonly string[] {
  return events.map((one) =>
    one.type === 'part_start' ? `${one.type} ${one.value.type}` : one.type,
  );
}

describe('a stream', () => {
  it('tells thoughts, text and calls apart, each closed before the next', () => {
    const events = read([
      event([{ text: 'Hm', thought: true }]),
      event([{ text: 'We' }]),
      event([{ text: 'll.' }]),
      event([{ functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 's' }], STOP),
    ]);
    expect(kinds(events)).toEqual([
      'start',
      'part_start reasoning',
      'reasoning_delta',
      'part_stop',
      'part_start text',
      'text_delta',
      'text_delta',
      'part_stop',
      'part_start tool_call',
      'arguments_delta',
      'part_stop',
      'finish',
    ]);
    expect(events).toContainEqual({
      type: 'part_start',
      choice: 0,
      part: 2,
      value: {
        type: 'tool_call',
        id: 'call_r_0_0',
        idIsOurs: true,
        name: 'f',
        arguments: '',
        format: 'json',
        native: { google: { thought_signature: 's' } },
      },
    });
    const finish = { reason: 'tool_calls', native: 'STOP' };
    expect(events.at(-1)).toEqual({ type: 'finish', choice: 0, finish });
  });

  it('passes the first words on at once', () => {
    const push = streamDecoder().push({
      event: null,
      data: JSON.stringify(event([{ text: 'W' }])),
    });
    expect(kinds(push)).toEqual(['start', 'part_start text', 'text_delta']);
  });

  it('puts the signature of a text behind it, and citations onto it', () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://example.org', title: 'E' } }],
      groundingSupports: [{ segment: { startIndex: 8, endIndex: 13 }, groundingChunkIndices: [0] }],
    };
    const last = event([{ text: '', thoughtSignature: 'sig' }], { ...STOP, groundingMetadata });
    // "Größe" is seven bytes, five units.
    const events = read([event([{ text: 'Größe ' }]), event([{ text: 'zehn.' }]), last]);
    const citation = { kind: 'url', url: 'https://example.org', title: 'E', start: 6, end: 11 };
    expect(events).toContainEqual({ type: 'citation', choice: 0, part: 0, citation });
    expect(kinds(events).slice(-6)).toEqual([
      'citation',
      'part_stop',
      'part_start reasoning',
      'signature',
      'part_stop',
      'finish',
    ]);
  });

  it('puts the signature of an image behind it, as in an answer', () => {
    const inlineData = { mimeType: 'image/png', data: 'aQ==' };
    const events = read([event([{ inlineData, thoughtSignature: 's' }], STOP)]);
    expect(kinds(events)).toEqual([
      'start',
      'part_start image',
      'part_stop',
      'part_start reasoning',
      'signature',
      'part_stop',
      'finish',
    ]);
  });

  it('puts arguments together that come in pieces', () => {
    const piece = (partial: object): object =>
      event([{ functionCall: { partialArgs: [partial], willContinue: true } }]);
    const events = read([
      event([{ functionCall: { name: 'cook', willContinue: true }, thoughtSignature: 's' }]),
      piece({ jsonPath: '$.dish.steps[0]', stringValue: 'Pre', willContinue: true }),
      piece({ jsonPath: '$.dish.steps[0]', stringValue: 'heat', willContinue: true }),
      piece({ jsonPath: '$.dish.steps[1]', stringValue: 'Bake' }),
      piece({ jsonPath: "$.dish['how many']", numberValue: 3 }),
      piece({ jsonPath: '$.now', boolValue: false }),
      piece({ jsonPath: '$.__proto__.x', numberValue: 1 }),
      event([{ functionCall: {} }], STOP),
    ]);
    const said = events.find((one) => one.type === 'arguments_delta');
    const dish = { steps: ['Preheat', 'Bake'], 'how many': 3 };
    expect(said?.text).toBe(JSON.stringify({ dish, now: false }));
  });

  it('ends a call whose end never came with its candidate, and never without', () => {
    const begun = event([{ functionCall: { name: 'f', args: { a: 1 }, willContinue: true } }]);
    expect(kinds(read([begun, event([], STOP)]))).toContain('part_start tool_call');
    expect(kinds(read([begun]))).toEqual(['start']);
  });

  it('merges usage, and tells it at the end', () => {
    const first = { promptTokenCount: 9, cachedContentTokenCount: 4, totalTokenCount: 9 };
    const last = { promptTokenCount: 9, candidatesTokenCount: 3, totalTokenCount: 12 };
    const events = read([
      event([{ text: 'a' }], {}, { usageMetadata: first }),
      event([{ text: 'b' }], STOP, { usageMetadata: last }),
    ]);
    const told = events.filter((one) => one.type === 'usage').at(-1);
    expect(told?.usage.buckets).toEqual({ input: 5, cache_read: 4, output: 3 });
    expect(told?.usage.flags).toEqual([]);
  });

  it('keeps candidates apart', () => {
    const both = {
      candidates: [
        { content: { parts: [{ text: 'a' }] }, index: 0 },
        { content: { parts: [{ text: 'b' }] }, index: 1 },
      ],
    };
    const ends = {
      candidates: [
        { ...STOP, index: 0 },
        { finishReason: 'MAX_TOKENS', index: 1 },
      ],
    };
    const finishes = read([both, ends]).filter((one) => one.type === 'finish');
    expect(finishes.map(({ choice, finish }) => [choice, finish.reason])).toEqual([
      [0, 'stop'],
      [1, 'length'],
    ]);
  });

  it('invents no finish where it breaks off, and no words where it is blocked', () => {
    expect(kinds(read([event([{ text: 'a' }])]))).not.toContain('finish');
    const blocked = read([{ promptFeedback: { blockReason: 'SAFETY' }, responseId: 'r' }]);
    expect(blocked).toEqual([
      { type: 'start', id: 'r', createdAt: 0, model: '' },
      { type: 'finish', choice: 0, finish: { reason: 'content_filter', native: 'SAFETY' } },
    ]);
  });

  it('ends in a complaint where the host fails or sends what is no event', () => {
    const failed = read([
      event([{ text: 'a' }]),
      [{ error: { code: 503, message: 'Busy.', status: 'UNAVAILABLE' } }],
      event([], STOP),
    ]);
    const complaint = { code: 'UNAVAILABLE', message: 'Busy.', status: 503 };
    expect(failed.at(-1)).toEqual({ type: 'complaint', complaint });
    expect(failed.at(-2)).toEqual({ type: 'part_stop', choice: 0, part: 0 });
    const cut = read([event([{ text: 'a' }])], '{"candidates": [{"con');
    expect(cut.at(-1)).toMatchObject({ type: 'complaint', complaint: { code: 'malformed_event' } });
  });

  it('survives events of any shape', () => {
    const shapes = [
      { candidates: null },
      { candidates: [null, 3, {}] },
      event([null, 7, {}, { text: 5 }]),
      { candidates: [{ content: 'x' }] },
      { usageMetadata: 'many' },
      { error: 'x' },
    ];
    for (const shape of shapes) expect(() => read([shape, event([], STOP)])).not.toThrow();
  });
});

describe('an answer', () => {
  it('keeps what Google’s own tools did', () => {
    const answer = decode(
      event(
        [
          { executableCode: { language: 'PYTHON', code: 'print(1)' }, thoughtSignature: 's' },
          { codeExecutionResult: { outcome: 'OUTCOME_FAILED', output: 'no' } },
          { toolCall: { id: 't1', toolType: 'GOOGLE_SEARCH_WEB', args: { queries: ['x'] } } },
          { toolResponse: { id: 't1', toolType: 'GOOGLE_SEARCH_WEB', response: { a: 1 } } },
          { text: 'Done.' },
        ],
        STOP,
      ),
    );
    expect(answer.choices[0]?.parts).toMatchObject([
      { type: 'hosted_tool_call', tool: 'code_execution', input: { code: 'print(1)' } },
      { type: 'hosted_tool_result', tool: 'code_execution', isError: true },
      { type: 'hosted_tool_call', id: 't1', tool: 'web_search' },
      { type: 'hosted_tool_result', callId: 't1', output: { a: 1 } },
      { type: 'text', text: 'Done.' },
    ]);
    expect(answer.choices[0]?.finish?.reason).toBe('stop');
  });

  it('tells log probabilities in the words of chat completions', () => {
    const chosen = { token: 'ä', logProbability: -0.5 };
    const logprobsResult = {
      chosenCandidates: [chosen],
      topCandidates: [{ candidates: [chosen, { token: 'b' }] }],
    };
    const answer = decode(event([{ text: 'ä' }], { ...STOP, logprobsResult }));
    const token = { token: 'ä', logprob: -0.5, bytes: [195, 164] };
    const top = [token, { token: 'b', logprob: 0, bytes: [98] }];
    expect(answer.choices[0]?.logprobs).toEqual({
      content: [{ ...token, top_logprobs: top }],
      refusal: null,
    });
  });

  it.each([
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', 'error'],
    ['UNEXPECTED_TOOL_CALL', 'error'],
    ['MAX_TOKENS', 'length'],
    ['CONTINUATION', 'pause'],
    ['SOMETHING_NEW', 'stop'],
  ])('that ended with %s is %s', (finishReason, reason) => {
    const parts = [{ functionCall: { name: 'f', args: {} } }];
    const answer = decode(event(finishReason === 'SOMETHING_NEW' ? [] : parts, { finishReason }));
    expect(answer.choices[0]?.finish).toEqual({ reason, native: finishReason });
  });

  it('keeps media, and what it has no word for', () => {
    const parts = [
      { inlineData: { mimeType: 'image/png', data: 'aQ==' }, thoughtSignature: 's' },
      { inlineData: { mimeType: 'audio/L16;rate=24000', data: 'YQ==' } },
      { novelty: { a: 1 } },
    ];
    const [choice] = decode(event(parts, { ...STOP, avgLogprobs: -1 })).choices;
    expect(choice?.parts).toEqual([
      {
        type: 'image',
        source: { kind: 'base64', mediaType: 'image/png', data: 'aQ==' },
      },
      { type: 'reasoning', text: '', summary: false, signature: 's', native: { google: {} } },
      {
        type: 'audio',
        source: { kind: 'base64', mediaType: 'audio/L16;rate=24000', data: 'YQ==' },
      },
    ]);
    expect(choice?.native).toEqual({ google: { avgLogprobs: -1, parts: [{ novelty: { a: 1 } }] } });
  });

  it('is one only where candidates or a reason for their absence stand', () => {
    for (const body of [null, [], 'x', {}, { usageMetadata: {} }])
      expect(() => decode(body)).toThrow(/^The answer /);
    const blocked = decode({ promptFeedback: { blockReason: 'JAILBREAK' } });
    expect(blocked.choices).toEqual([
      { index: 0, parts: [], finish: { reason: 'content_filter', native: 'JAILBREAK' } },
    ]);
  });
});

describe('usage', () => {
  const bucketsOf = (usageMetadata: object): unknown =>
    decode(event([], STOP, { usageMetadata })).usage;

  it('stands in disjoint buckets: cache inside, thoughts beside, tools on top', () => {
    const native = {
      promptTokenCount: 1_000,
      cachedContentTokenCount: 300,
      toolUsePromptTokenCount: 50,
      candidatesTokenCount: 70,
      thoughtsTokenCount: 30,
      totalTokenCount: 1_150,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 500 },
        { modality: 'AUDIO', tokenCount: 300 },
        { modality: 'IMAGE', tokenCount: 200 },
      ],
      cacheTokensDetails: [
        { modality: 'TEXT', tokenCount: 200 },
        { modality: 'AUDIO', tokenCount: 100 },
      ],
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 60 }],
    };
    expect(bucketsOf(native)).toEqual({
      buckets: {
        input: 350,
        cache_read: 300,
        audio_input: 200,
        image_input: 200,
        output: 10,
        reasoning: 30,
        image_output: 60,
      },
      source: 'upstream',
      flags: [],
      native,
    });
  });

  it('is flagged where it cannot be true, and missing where nothing is said', () => {
    expect(bucketsOf({ promptTokenCount: -5, candidatesTokenCount: 1 })).toMatchObject({
      flags: ['negative_clamped'],
    });
    expect(bucketsOf({ promptTokenCount: 5, totalTokenCount: 99 })).toMatchObject({
      flags: ['inconsistent_total'],
    });
    expect(bucketsOf({ trafficType: 'ON_DEMAND' })).toMatchObject({
      source: 'none',
      flags: ['missing'],
    });
  });
});
