/**
 * The sandbox's upstream, in process: takes the request that would go to a provider and pushes the
 * bytes that one would answer, so that limits, streams, receipts and money work as with any other
 * model.
 */
import { describeError } from '#base/describe-error.ts';
import { toBytes, toText } from '#base/bytes.ts';
import type { Clock } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import type {
  Transport,
  UpstreamExchange,
  UpstreamHandler,
  UpstreamRequest,
} from '#base/transport.ts';
import type { TokenCounter } from '../tokens.ts';
import { recordOf, type JsonRecord } from '#providers/json.ts';
import { embed } from './embed.ts';
import { promptOf, replyTo, type SandboxCall, type SandboxReply } from './reply.ts';

export interface SandboxOptions {
  readonly tokens: TokenCounter;
  readonly clock: Clock;
}

/** One answer on its way; the client's pace and its leaving reach it here. */
class Delivery implements UpstreamExchange {
  aborted = false;
  #paused = false;
  #wake: (() => void) | null = null;

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  abort(): void {
    this.aborted = true;
    this.#wake?.();
  }

  async ready(): Promise<boolean> {
    while (this.#paused && !this.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return !this.aborted;
  }

  async wait(ms: number): Promise<void> {
    if (ms <= 0 || this.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, ms);
    });
  }
}

interface Frame {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

interface Generated {
  readonly message: JsonRecord;
  readonly deltas: readonly JsonRecord[];
  readonly finish: string;
  readonly tokens: number;
}

const TOOL_CALL_TOKENS = 8;

function limitOf(body: JsonRecord): number {
  const limit = body['max_completion_tokens'] ?? body['max_tokens'];
  return typeof limit === 'number' && limit >= 0 ? limit : Number.MAX_SAFE_INTEGER;
}

function generate(
  reply: Exclude<SandboxReply, { kind: 'error' }>,
  call: SandboxCall,
  id: string,
): Generated {
  if (reply.kind === 'tool') {
    const called = { name: reply.name, arguments: reply.arguments };
    const toolCall = { id: `call_${id.slice(-24)}`, type: 'function', function: called };
    return {
      message: { role: 'assistant', content: null, refusal: null, tool_calls: [toolCall] },
      deltas: [{ tool_calls: [{ index: 0, ...toolCall }] }],
      finish: 'tool_calls',
      tokens: TOOL_CALL_TOKENS,
    };
  }
  const kept = reply.tokens.slice(0, limitOf(call.body));
  return {
    message: { role: 'assistant', content: kept.join(''), refusal: null },
    deltas: kept.map((content) => ({ content })),
    finish: kept.length < reply.tokens.length ? 'length' : 'stop',
    tokens: kept.length,
  };
}

function usageOf(prompt: number, completion: number): JsonRecord {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
}

function toCall(request: UpstreamRequest): SandboxCall {
  const parsed: unknown = JSON.parse(toText(request.body ?? new Uint8Array()));
  const body = recordOf(parsed);
  const name = typeof body['model'] === 'string' ? body['model'] : '';
  const [model = '', query = ''] = name.split('?', 2);
  return { model, parameters: new URLSearchParams(query), body };
}

function choiceCount(body: JsonRecord): number {
  const { n } = body;
  return typeof n === 'number' && n >= 1 ? Math.floor(n) : 1;
}

export class SandboxTransport implements Transport {
  readonly #options: SandboxOptions;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const delivery = new Delivery();
    this.#answer(request, handler, delivery).catch((error: unknown) => {
      const message = describeError(error);
      if (!delivery.aborted) handler.onFail({ kind: 'protocol', message });
    });
    return delivery;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #answer(
    request: UpstreamRequest,
    handler: UpstreamHandler,
    delivery: Delivery,
  ): Promise<void> {
    const { tokens, clock } = this.#options;
    const call = toCall(request);
    if (request.url.endsWith('/embeddings')) {
      const answer = await embed({ ...call.body, model: call.model }, tokens);
      if (!delivery.aborted) answerWhole(handler, 200, answer);
      return;
    }
    const reply = await replyTo(call, tokens);
    if (reply.kind === 'error') {
      if (delivery.aborted) return;
      const error = { message: reply.message, type: 'sandbox_error', param: null, code: null };
      answerWhole(handler, reply.status, { error });
      return;
    }
    if (reply.kind === 'text') await delivery.wait(reply.delayMs);
    const id = newId('chatcmpl_').replace('_', '-');
    const generated = generate(reply, call, id);
    const prompt = await tokens.count(promptOf(call.body));
    const usage = usageOf(prompt, generated.tokens * choiceCount(call.body));
    if (delivery.aborted) return;
    const frame: Frame = { id, created: Math.floor(clock.nowMs() / 1000), model: call.model };
    if (call.body['stream'] === true) {
      await stream({ handler, delivery, call }, frame, { generated, usage });
    } else {
      whole({ handler, delivery, call }, frame, { generated, usage });
    }
  }
}

interface Way {
  readonly handler: UpstreamHandler;
  readonly delivery: Delivery;
  readonly call: SandboxCall;
}

interface Answer {
  readonly generated: Generated;
  readonly usage: JsonRecord;
}

function answerWhole(handler: UpstreamHandler, status: number, body: JsonRecord): void {
  handler.onHead(status, { 'content-type': 'application/json' });
  handler.onData(toBytes(JSON.stringify(body)));
  handler.onEnd();
}

function whole({ handler, call }: Way, frame: Frame, { generated, usage }: Answer): void {
  const choices = Array.from({ length: choiceCount(call.body) }, (_, index) => ({
    index,
    message: generated.message,
    logprobs: null,
    finish_reason: generated.finish,
  }));
  const { id, created, model } = frame;
  answerWhole(handler, 200, { id, object: 'chat.completion', created, model, choices, usage });
}

async function stream(way: Way, frame: Frame, { generated, usage }: Answer): Promise<void> {
  const { handler, delivery, call } = way;
  const { id, created, model } = frame;
  const object = 'chat.completion.chunk';
  const push = (choices: readonly JsonRecord[], more: JsonRecord = {}): void => {
    const chunk = JSON.stringify({ id, object, created, model, choices, ...more });
    handler.onData(toBytes(`data: ${chunk}\n\n`));
  };
  handler.onHead(200, { 'content-type': 'text/event-stream' });
  for (let index = 0; index < choiceCount(call.body); index += 1) {
    const choice = (delta: JsonRecord, finish: string | null = null): JsonRecord => {
      return { index, delta, logprobs: null, finish_reason: finish };
    };
    push([choice({ role: 'assistant', content: generated.finish === 'tool_calls' ? null : '' })]);
    for (const delta of generated.deltas) {
      if (!(await delivery.ready())) return;
      push([choice(delta)]);
    }
    push([choice({}, generated.finish)]);
  }
  push([], { usage });
  handler.onData(toBytes('data: [DONE]\n\n'));
  handler.onEnd();
}
