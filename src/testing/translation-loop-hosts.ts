/**
 * Hosts for a tool loop of three turns with thinking: each answers in its own dialect, whole and
 * streamed, and refuses what the real one refuses: a thought that came back unsigned or changed, a
 * call without its result, a wrong order.
 */
import { refuseMessages, signThought as signForAnthropic } from './anthropic-rules.ts';
import { awsEventFrame } from './aws-event-frames.ts';
import { bedrockRefusal, signThought as signForBedrock } from './bedrock-rules.ts';
import type { Reply } from './fake-upstream.ts';
import { refuseGenerateContent, signCall } from './gemini-rules.ts';
import { at, listOf, stringOf, type JsonObject } from './recordings-json.ts';

export interface LoopCall {
  readonly id: string;
  readonly city: string;
}

/** What the model thinks, calls and says, turn by turn. */
export interface LoopTurn {
  readonly thought: string;
  readonly calls: readonly LoopCall[];
  readonly text: string;
}

export const LOOP_TURNS: readonly LoopTurn[] = [
  { thought: 'First Bern.', calls: [{ id: 'toolu_bern', city: 'Bern' }], text: '' },
  {
    thought: 'Then the two others, at once.',
    calls: [
      { id: 'toolu_basel', city: 'Basel' },
      { id: 'toolu_chur', city: 'Chur' },
    ],
    text: '',
  },
  { thought: 'That is all.', calls: [], text: 'Bern 9, Basel 11, Chur 7.' },
];

export interface LoopHost {
  readonly place: string;
  readonly model: string;
  /** How what proves a thought begins; where nothing is signed, the thought is its own proof. */
  readonly proof: string;
  /** How many turns of the model the request holds. */
  turnsIn(body: unknown): number;
  /** Why the host refuses the request; null where it answers. */
  refuse(body: unknown): string | null;
  whole(turn: LoopTurn): JsonObject;
  stream(turn: LoopTurn): Buffer;
  readonly streamType: string;
}

const SSE = 'text/event-stream';
const CLAUDE_AT_BEDROCK = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';

function assistantTurns(body: unknown, member: string, role: string): number {
  return listOf(at(body, member)).filter((message) => at(message, 'role') === role).length;
}

/** `event:` lines are named by the type of the event. */
function sse(events: readonly JsonObject[]): Buffer {
  const text = events.map((event) => {
    const type = stringOf(event['type']);
    return `${type === '' ? '' : `event: ${type}\n`}data: ${JSON.stringify(event)}\n\n`;
  });
  return Buffer.from(text.join(''));
}

const anthropic: LoopHost = {
  place: 'anthropic',
  proof: 'signed-',
  model: 'claude-sonnet-4-5',
  streamType: SSE,
  turnsIn: (body) => assistantTurns(body, 'messages', 'assistant'),
  refuse: (body) => refuseMessages(body)?.message ?? null,
  whole: (turn) => ({
    ...anthropicFrame(turn),
    content: [
      { type: 'thinking', thinking: turn.thought, signature: signForAnthropic(turn.thought) },
      ...turn.calls.map(({ id, city }) => ({
        type: 'tool_use',
        id,
        name: 'weather',
        input: { city },
      })),
      ...(turn.text === '' ? [] : [{ type: 'text', text: turn.text }]),
    ],
  }),
  stream: (turn) => {
    const { usage, stop_reason, ...message } = anthropicFrame(turn);
    const said = turn.text === '' ? [] : [{ type: 'text_delta', text: turn.text }];
    const blocks = [
      block({ type: 'thinking', thinking: '', signature: '' }, [
        { type: 'thinking_delta', thinking: turn.thought },
        { type: 'signature_delta', signature: signForAnthropic(turn.thought) },
      ]),
      ...turn.calls.map(({ id, city }) =>
        block({ type: 'tool_use', id, name: 'weather', input: {} }, [
          { type: 'input_json_delta', partial_json: '{"city":' },
          { type: 'input_json_delta', partial_json: `${JSON.stringify(city)}}` },
        ]),
      ),
      ...said.map((delta) => block({ type: 'text', text: '' }, [delta])),
    ];
    return sse([
      { type: 'message_start', message: { ...message, content: [], stop_reason: null, usage } },
      ...blocks.flatMap((events, index) => events.map((event) => ({ ...event, index }))),
      { type: 'message_delta', delta: { stop_reason }, usage },
      { type: 'message_stop' },
    ]);
  },
};

function anthropicFrame({ calls }: LoopTurn) {
  return {
    id: 'msg_loop',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
    usage: { input_tokens: 20, output_tokens: 10 },
  };
}

function block(start: JsonObject, deltas: readonly JsonObject[]): JsonObject[] {
  return [
    { type: 'content_block_start', content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', delta })),
    { type: 'content_block_stop' },
  ];
}

const gemini: LoopHost = {
  place: 'gemini',
  proof: btoa('signed'),
  model: 'gemini-3-pro-preview',
  streamType: SSE,
  turnsIn: (body) => assistantTurns(body, 'contents', 'model'),
  refuse: (body) => refuseGenerateContent(body, true)?.message ?? null,
  whole: (turn) => geminiAnswer(geminiParts(turn), true),
  stream: (turn) => {
    const parts = geminiParts(turn);
    return sse(parts.map((part, index) => geminiAnswer([part], index === parts.length - 1)));
  },
};

/** Of calls that are made at once, the first alone carries the signature; none has an id. */
function geminiParts(turn: LoopTurn): JsonObject[] {
  const calls = turn.calls.map(({ city }, index) => ({
    functionCall: { name: 'weather', args: { city } },
    ...(index === 0 ? { thoughtSignature: signCall('weather', { city }) } : {}),
  }));
  const text = turn.text === '' ? [] : [{ text: turn.text }];
  return [{ text: turn.thought, thought: true }, ...calls, ...text];
}

function geminiAnswer(parts: readonly JsonObject[], last: boolean): JsonObject {
  const finish = last ? { finishReason: 'STOP' } : {};
  return {
    candidates: [{ content: { role: 'model', parts }, index: 0, ...finish }],
    usageMetadata: { promptTokenCount: 20, candidatesTokenCount: 10, totalTokenCount: 30 },
    modelVersion: 'gemini-3-pro-preview',
    responseId: 'loop',
  };
}

const bedrock: LoopHost = {
  place: 'bedrock',
  proof: 'sig-',
  model: CLAUDE_AT_BEDROCK,
  streamType: 'application/vnd.amazon.eventstream',
  turnsIn: (body) => assistantTurns(body, 'messages', 'assistant'),
  refuse: (body) => bedrockRefusal(body, CLAUDE_AT_BEDROCK)?.message ?? null,
  whole: (turn) => ({
    output: { message: { role: 'assistant', content: bedrockBlocks(turn) } },
    stopReason: turn.calls.length > 0 ? 'tool_use' : 'end_turn',
    usage: { inputTokens: 20, outputTokens: 10, totalTokens: 30 },
    metrics: { latencyMs: 1 },
  }),
  stream: (turn) => {
    const thought = { text: turn.thought };
    const signature = { signature: signForBedrock(turn.thought) };
    const blocks = [
      [bedrockDelta({ reasoningContent: thought }), bedrockDelta({ reasoningContent: signature })],
      ...turn.calls.map(({ id, city }) => [
        { contentBlockStart: { start: { toolUse: { toolUseId: id, name: 'weather' } } } },
        bedrockDelta({ toolUse: { input: JSON.stringify({ city }) } }),
      ]),
      ...(turn.text === '' ? [] : [[bedrockDelta({ text: turn.text })]]),
    ];
    const events: JsonObject[] = [
      { messageStart: { role: 'assistant' } },
      ...blocks.flatMap((list, contentBlockIndex) =>
        [...list, { contentBlockStop: {} }].map((event) => numbered(event, contentBlockIndex)),
      ),
      { messageStop: { stopReason: turn.calls.length > 0 ? 'tool_use' : 'end_turn' } },
      { metadata: { usage: { inputTokens: 20, outputTokens: 10, totalTokens: 30 } } },
    ];
    return Buffer.concat(
      events.flatMap((event) =>
        Object.entries(event).map(([name, value]) => awsEventFrame(name, JSON.stringify(value))),
      ),
    );
  },
};

function bedrockBlocks(turn: LoopTurn): JsonObject[] {
  const signature = signForBedrock(turn.thought);
  return [
    { reasoningContent: { reasoningText: { text: turn.thought, signature } } },
    ...turn.calls.map(({ id, city }) => ({
      toolUse: { toolUseId: id, name: 'weather', input: { city } },
    })),
    ...(turn.text === '' ? [] : [{ text: turn.text }]),
  ];
}

function bedrockDelta(delta: JsonObject): JsonObject {
  return { contentBlockDelta: { delta } };
}

function numbered(event: JsonObject, contentBlockIndex: number): JsonObject {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [
      name,
      typeof value === 'object' ? { ...value, contentBlockIndex } : value,
    ]),
  );
}

const cohere: LoopHost = {
  place: 'cohere',
  proof: '"thinking":"',
  model: 'command-a-reasoning-08-2025',
  streamType: SSE,
  turnsIn: (body) => assistantTurns(body, 'messages', 'assistant'),
  refuse: refuseCohere,
  whole: (turn) => ({
    id: 'loop',
    message: {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: turn.thought },
        ...(turn.text === '' ? [] : [{ type: 'text', text: turn.text }]),
      ],
      ...(turn.calls.length === 0 ? {} : { tool_calls: turn.calls.map(cohereCall) }),
    },
    ...cohereEnd(turn),
  }),
  stream: (turn) => {
    const said = turn.text === '' ? [] : [{ type: 'text', text: turn.text }];
    const contents = [{ type: 'thinking', thinking: turn.thought }, ...said];
    return sse([
      { type: 'message-start', id: 'loop', delta: { message: { role: 'assistant' } } },
      ...contents.flatMap((content, index) => [
        { type: 'content-start', index, delta: { message: { content } } },
        { type: 'content-end', index },
      ]),
      ...turn.calls.flatMap((call, index) => [
        { type: 'tool-call-start', index, delta: { message: { tool_calls: cohereCall(call) } } },
        { type: 'tool-call-end', index },
      ]),
      { type: 'message-end', delta: cohereEnd(turn) },
    ]);
  },
};

function cohereCall({ id, city }: LoopCall): JsonObject {
  return {
    id,
    type: 'function',
    function: { name: 'weather', arguments: JSON.stringify({ city }) },
  };
}

function cohereEnd({ calls }: LoopTurn): JsonObject {
  const units = { input_tokens: 20, output_tokens: 10 };
  const finish_reason = calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE';
  return { finish_reason, usage: { billed_units: units, tokens: units } };
}

/** It signs nothing; this fake wants its thoughts back as they were, and results after calls. */
function refuseCohere(body: unknown): string | null {
  const thoughts = LOOP_TURNS.map(({ thought }) => thought);
  const open = new Set<string>();
  for (const message of listOf(at(body, 'messages'))) {
    if (at(message, 'role') === 'tool') {
      if (!open.delete(stringOf(at(message, 'tool_call_id')))) return 'a result without its call';
      continue;
    }
    if (open.size > 0) return 'a call without its result';
    if (at(message, 'role') !== 'assistant') continue;
    const [first] = listOf(at(message, 'content'));
    if (!thoughts.includes(stringOf(at(first, 'thinking')))) return 'a thought is not as it was';
    for (const call of listOf(at(message, 'tool_calls'))) open.add(stringOf(at(call, 'id')));
  }
  return open.size > 0 ? 'a call without its result' : null;
}

export const LOOP_HOSTS: readonly LoopHost[] = [anthropic, gemini, bedrock, cohere];

/** The host's answer to a request, or its refusal. */
export function answerLoop(host: LoopHost, body: unknown, streamed: boolean): Reply {
  const why = host.refuse(body);
  if (why !== null) return reply(400, 'application/json', refusalOf(why));
  const turn = LOOP_TURNS[host.turnsIn(body)];
  if (turn === undefined) return reply(400, 'application/json', refusalOf('one turn too many'));
  return streamed
    ? reply(200, host.streamType, host.stream(turn))
    : reply(200, 'application/json', JSON.stringify(host.whole(turn)));
}

/** In the words of all of them at once. */
function refusalOf(message: string): string {
  const error = { type: 'invalid_request_error', code: 400, status: 'INVALID_ARGUMENT', message };
  return JSON.stringify({ type: 'error', error, message });
}

function reply(status: number, type: string, bytes: string | Buffer): Reply {
  return [
    { do: 'head', status, headers: [['content-type', type]] },
    { do: 'write', bytes },
    { do: 'end' },
  ];
}
