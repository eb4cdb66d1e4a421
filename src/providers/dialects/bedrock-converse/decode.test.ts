/** Whole answers of Converse: every kind of block, why it ended, what it complains of. */
import { describe, expect, it } from 'vitest';
import { decode } from './decode.ts';
import { readComplaint } from './finish.ts';
import { OUTPUT_TOOL } from './native.ts';

function answer(content: readonly unknown[], more: Readonly<Record<string, unknown>> = {}) {
  const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5 };
  const output = { message: { role: 'assistant', content } };
  return decode({ output, stopReason: 'end_turn', usage, metrics: { latencyMs: 1 }, ...more });
}

function partsOf(...content: readonly unknown[]) {
  return answer(content).choices[0]?.parts;
}

describe('a whole answer', () => {
  it('keeps thoughts with what proves them, marked as made here', () => {
    const native = { bedrock: {} };
    expect(
      partsOf(
        { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
        { reasoningContent: { redactedContent: 'ZQ==' } },
        { reasoningContent: { reasoningText: { text: 'unsigned' } } },
      ),
    ).toEqual([
      { type: 'reasoning', text: 'hm', summary: false, signature: 's', native },
      { type: 'reasoning', text: '', summary: false, encrypted: 'ZQ==', native },
      { type: 'reasoning', text: 'unsigned', summary: false, native },
    ]);
  });

  it('writes the input of a call as text', () => {
    const toolUse = { toolUseId: 't1', name: 'look', input: { at: ['ä', 1] }, type: 'tool_use' };
    expect(partsOf({ toolUse })).toEqual([
      {
        type: 'tool_call',
        id: 't1',
        name: 'look',
        arguments: '{"at":["ä",1]}',
        format: 'json',
      },
    ]);
  });

  it('tells calls that the host ran itself from calls that the caller has to run', () => {
    const toolUse = { toolUseId: 't1', name: 'run', input: { a: 1 }, type: 'server_tool_use' };
    const content = [{ json: { out: '2' } }];
    const toolResult = { toolUseId: 't1', type: 'run_result', status: 'success', content };
    const { choices } = answer([{ toolUse }, { toolResult }], { stopReason: 'tool_use' });
    expect(choices[0]?.parts).toMatchObject([
      { type: 'hosted_tool_call', id: 't1', tool: 'run', input: { a: 1 } },
      { type: 'hosted_tool_result', callId: 't1', tool: 'run', output: content },
    ]);
    expect(choices[0]?.finish).toEqual({ reason: 'stop', native: 'tool_use' });
  });

  it('turns the call that carries a structured answer back into its text', () => {
    const toolUse = { toolUseId: 't1', name: OUTPUT_TOOL, input: { city: 'Paris' } };
    const { choices } = answer([{ toolUse }], { stopReason: 'tool_use' });
    expect(choices[0]).toMatchObject({
      parts: [{ type: 'text', text: '{"city":"Paris"}' }],
      finish: { reason: 'stop' },
    });
  });

  it('puts citations on the text that relies on them', () => {
    const citations = [
      {
        title: 'Report',
        sourceContent: [{ text: 'as it ' }, { text: 'stands' }],
        location: { documentPage: { documentIndex: 2, start: 4, end: 5 } },
      },
      { location: { web: { url: 'https://x.example/', domain: 'x.example' } } },
    ];
    const [part] =
      partsOf({ citationsContent: { content: [{ text: 'It is.' }], citations } }) ?? [];
    expect(part).toMatchObject({
      type: 'text',
      text: 'It is.',
      citations: [
        {
          kind: 'document',
          title: 'Report',
          citedText: 'as it stands',
          documentIndex: 2,
          start: 0,
          end: 6,
          native: { bedrock: citations[0] },
        },
        { kind: 'url', url: 'https://x.example/' },
      ],
    });
  });

  it('keeps images, and what it does not know, in sight', () => {
    const unknown = { hologram: { source: 'x' } };
    const image = { format: 'png', source: { bytes: 'iVBO' } };
    const { choices } = answer([{ image }, unknown, { text: '' }]);
    expect(choices[0]?.parts).toEqual([
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'iVBO' } },
    ]);
    expect(choices[0]?.native).toEqual({ bedrock: { content: [unknown] } });
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['guardrail_intervened', 'content_filter'],
    ['content_filtered', 'content_filter'],
    ['malformed_tool_use', 'error'],
    ['something_new', 'stop'],
  ])('ends by %s as %s', (native, reason) => {
    const { choices } = answer([{ text: 'x' }], { stopReason: native });
    expect(choices[0]?.finish).toEqual({ reason, native });
  });

  it('keeps the trace of a guardrail and the tier that served it', () => {
    const trace = { guardrail: { actionReason: 'No action.' } };
    const read = answer([{ text: 'x' }], { trace, serviceTier: { type: 'flex' } });
    expect(read.native).toEqual({ bedrock: { metrics: { latencyMs: 1 }, trace } });
    expect(read.serviceTier).toBe('flex');
  });

  it('is none without a message', () => {
    expect(() => decode({ output: {} })).toThrow('no message');
    expect(() => decode('x')).toThrow('no message');
  });

  it('is a complaint where an exception stands in its place', () => {
    expect(readComplaint({ message: 'Too many requests' })).toMatchObject({
      message: 'Too many requests',
    });
    const type = 'com.amazon.coral.service#ThrottlingException';
    expect(readComplaint({ ['__type']: type, message: 'slow' })).toEqual({
      code: 'ThrottlingException',
      message: 'slow',
      status: 429,
    });
    expect(readComplaint({ output: { message: {} } })).toBeNull();
  });
});
