/** Requests of Converse, read into the common form and written again, say the same. */
import { describe, expect, it } from 'vitest';
import { recordOf, type JsonRecord } from '#providers/json.ts';
import { encode } from './encode.ts';
import { readRequest } from './read-request.ts';

const CLAUDE = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const SONNET_3 = 'anthropic.claude-3-5-sonnet-20241022-v2:0';

function again(body: JsonRecord, model = CLAUDE): unknown {
  const target = { baseUrl: '', model, region: null, project: null, account: null };
  return encode(readRequest(body), target).body;
}

const user = (...content: readonly unknown[]) => ({ role: 'user', content });
const assistant = (...content: readonly unknown[]) => ({ role: 'assistant', content });
const point = { cachePoint: { type: 'default' } };
const schema = { type: 'object', properties: {}, additionalProperties: false };
const toolSpec = { name: 'look', inputSchema: { json: schema }, strict: true };

const REQUESTS: readonly (readonly [string, string, JsonRecord])[] = [
  [
    'a loop of tools with thoughts',
    CLAUDE,
    {
      messages: [
        user({ text: 'a' }),
        assistant(
          { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
          { reasoningContent: { redactedContent: 'ZQ==' } },
          { toolUse: { toolUseId: 't1', name: 'look', input: { at: 1 } } },
          { toolUse: { toolUseId: 't2', name: 'look', input: {} } },
        ),
        user(
          { toolResult: { toolUseId: 't1', content: [{ text: 'x' }], status: 'success' } },
          point,
          { toolResult: { toolUseId: 't2', content: [{ text: 'y' }], status: 'error' } },
          { text: 'b' },
        ),
      ],
      system: [{ text: 's' }, { cachePoint: { type: 'default', ttl: '1h' } }],
      inferenceConfig: { maxTokens: 9_000, stopSequences: ['E'] },
      toolConfig: { tools: [{ toolSpec }, point], toolChoice: { auto: {} } },
      additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2_000 } },
      requestMetadata: { team: 'zoo' },
      serviceTier: { type: 'priority' },
      guardrailConfig: { guardrailIdentifier: 'g' },
    },
  ],
  [
    'media and a native schema',
    CLAUDE,
    {
      messages: [
        user(
          { image: { format: 'gif', source: { bytes: 'R0lGODlh' } } },
          {
            document: {
              name: 'Doc 1',
              format: 'csv',
              source: { bytes: 'YQ==' },
              citations: { enabled: true },
            },
          },
          { video: { format: 'mov', source: { s3Location: { uri: 's3://b/v' } } } },
          { text: 'a' },
        ),
      ],
      outputConfig: {
        textFormat: {
          type: 'json_schema',
          structure: { jsonSchema: { name: 'x', schema: JSON.stringify(schema) } },
        },
      },
    },
  ],
  [
    'tools that the host runs',
    'us.amazon.nova-2-lite-v1:0',
    {
      messages: [
        user({ text: 'a' }),
        assistant(
          { toolUse: { toolUseId: 't1', name: 'run', input: {}, type: 'server_tool_use' } },
          {
            toolResult: {
              toolUseId: 't1',
              type: 'run_result',
              content: [{ json: { a: 1 } }],
              status: 'success',
            },
          },
          { text: 'b' },
        ),
        user({ text: 'c' }),
      ],
      toolConfig: { tools: [{ systemTool: { name: 'nova_code_interpreter' } }] },
      additionalModelRequestFields: {
        reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' },
        inferenceConfig: { topK: 20 },
      },
    },
  ],
];

describe('a request', () => {
  it.each(REQUESTS)('with %s is written as it was read', (_name, model, body) => {
    expect(again(body, model)).toEqual(body);
  });

  it('with a schema as a tool keeps it', () => {
    const target = { baseUrl: '', model: SONNET_3, region: null, project: null, account: null };
    const form = readRequest({ messages: [user({ text: 'a' })] });
    const output = { kind: 'json_schema', name: 'response', schema } as const;
    const { body } = encode({ ...form, output }, target);
    const read = readRequest(recordOf(body));
    expect(read.output).toEqual(output);
    expect(read.tools).toEqual([]);
  });
});
