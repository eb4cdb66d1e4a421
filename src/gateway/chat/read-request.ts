/**
 * The door of chat completions, inwards: raw bytes to what the five steps must know. The body
 * itself stays raw; it is spliced for each upstream and never rebuilt.
 */
import { toText } from '#base/bytes.ts';
import { JSON_OBJECT, JSON_TRUE, type JsonIndex } from '#base/json-index.ts';
import type { Result } from '#base/result.ts';
import { isPricedApart } from '#catalog/tier-prices.ts';
import type { ChatForm, UpstreamComplaint } from '#providers/form.ts';
import type { Operation } from '#providers/provider.ts';
import { parseChatRequest } from '#wire/chat/request.ts';
import { quickCheck } from '#wire/chat/quick-check.ts';
import type { AnswerStream, WholeAnswer } from '../answer.ts';
import type {
  AnswerContext,
  HostBody,
  InferenceRequest,
  RequestedName,
  UpstreamAnswer,
} from '../inference.ts';
import { requiresParameters } from '../host-body.ts';
import type { Candidate } from '../plan.ts';
import { scanBody } from '../scan-body.ts';
import type { TokenCounter } from '../tokens.ts';
import { openAnswerStream, readWholeAnswer } from './answers.ts';
import { chatBodyFor } from './host-body.ts';
import { boundPrompt } from './prompt-bound.ts';
import { countPrompt, countText } from './prompt-text.ts';

/** Tools that the caller runs; all others are the host's. */
const OWN_TOOLS: ReadonlySet<string | undefined> = new Set(['function', 'custom']);
/**
 * A host that runs tools by itself reads the conversation again after each of them: recorded
 * searches came to two and a half contexts in one answer.
 */
const HOSTED_ROUNDS_MAX = 64;

export class ChatRequest implements InferenceRequest {
  readonly modality = 'chat';
  readonly anyModel = true;
  readonly generates = true;
  readonly inputs = 1;
  readonly index: JsonIndex;
  readonly names: readonly RequestedName[];
  readonly stream: boolean;
  readonly outputTokensMax: number | null;
  readonly choices: number;
  readonly inputTokensMax: number;
  readonly mediaTokensMax: number;
  readonly inputMedia: boolean;
  readonly requireParameters: boolean;
  readonly serviceTier: string | null;
  form: ChatForm | null = null;

  /** `unusual`: the body says more than the everyday members. */
  constructor(index: JsonIndex, unusual: boolean) {
    const bound = boundPrompt(index, index.member(0, 'messages'));
    this.index = index;
    this.names = readNames(index);
    this.stream = index.kind(index.member(0, 'stream')) === JSON_TRUE;
    this.outputTokensMax = readOutputLimit(index);
    this.choices = index.number(index.member(0, 'n')) ?? 1;
    this.inputTokensMax = bound.tokensMax;
    this.mediaTokensMax = bound.mediaTokensMax;
    this.inputMedia = bound.media;
    // A body that speaks of providers or of service tiers is never an everyday one.
    this.requireParameters = unusual && requiresParameters(index);
    this.serviceTier = unusual ? readServiceTier(index) : null;
  }

  get operation(): Operation {
    return this.stream ? 'chat_stream' : 'chat';
  }

  inputRounds(): number {
    const { index } = this;
    const tools = index.member(0, 'tools');
    let hosted =
      index.kind(index.member(0, 'web_search_options')) === JSON_OBJECT ||
      index.member(0, 'plugins') >= 0;
    for (let tool = index.firstChild(tools); tool >= 0; tool = index.nextChild(tools, tool)) {
      hosted ||= !OWN_TOOLS.has(index.string(index.member(tool, 'type')));
    }
    return hosted ? HOSTED_ROUNDS_MAX : 1;
  }

  countInput(tokens: TokenCounter): Promise<number> {
    return countPrompt(this.index, tokens);
  }

  countText(tokens: TokenCounter): Promise<number> {
    return countText(this.index, tokens);
  }

  bodyFor(candidate: Candidate, outputTokensCap: number | null): HostBody {
    return chatBodyFor(this, candidate, outputTokensCap);
  }

  piecesFor(): readonly InferenceRequest[] {
    return [this];
  }

  join([answer]: readonly [WholeAnswer, ...WholeAnswer[]]): WholeAnswer {
    return answer;
  }

  openStream(context: AnswerContext, eventBytesMax: number): AnswerStream | null {
    return this.stream ? openAnswerStream(this, context, eventBytesMax) : null;
  }

  readWhole(
    context: AnswerContext,
    answer: UpstreamAnswer,
  ): Result<WholeAnswer, UpstreamComplaint> {
    return readWholeAnswer(this, context, answer.body);
  }
}

/** Throws a GatewayError (400) that names what is wrong and where. */
export function readChatRequest(body: Uint8Array): ChatRequest {
  const index = scanBody(body);
  const unusual = quickCheck(index) === 'unsure';
  if (unusual) parseChatRequest(JSON.parse(toText(body)));
  return new ChatRequest(index, unusual);
}

function readNames(index: JsonIndex): readonly RequestedName[] {
  const model = index.string(index.member(0, 'model'));
  const models = index.member(0, 'models');
  const names: RequestedName[] = model === undefined ? [] : [{ name: model, param: 'model' }];
  let position = 0;
  for (let node = index.firstChild(models); node >= 0; node = index.nextChild(models, node)) {
    const name = index.string(node);
    const known = name === undefined || names.some((other) => other.name === name);
    if (!known) names.push({ name, param: `models[${position}]` });
    position += 1;
  }
  return names;
}

function readServiceTier(index: JsonIndex): string | null {
  const word = index.string(index.member(0, 'service_tier'));
  return word !== undefined && isPricedApart(word) ? word : null;
}

function readOutputLimit(index: JsonIndex): number | null {
  const limits = [
    index.number(index.member(0, 'max_completion_tokens')),
    index.number(index.member(0, 'max_tokens')),
  ].filter((limit) => limit !== undefined);
  // Hosts differ in which of the two they obey, so the larger one is the bound.
  return limits.length === 0 ? null : Math.max(...limits);
}
