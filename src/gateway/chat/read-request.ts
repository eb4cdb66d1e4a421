/**
 * The door of chat completions, inwards: raw bytes to what the five steps must know. The body
 * itself stays raw; it is spliced for each upstream and never rebuilt.
 */
import { toText } from '#base/bytes.ts';
import { JSON_OBJECT, JSON_TRUE, type JsonIndex } from '#base/json-index.ts';
import { scanJson, DEFAULT_LIMITS } from '#base/json-scan.ts';
import type { ChatForm } from '#providers/form.ts';
import { parseChatRequest } from '#wire/chat/request.ts';
import { quickCheck } from '#wire/chat/quick-check.ts';
import { invalidJson, nestingTooDeep, repeatedKey } from '#wire/refusals.ts';
import { boundPrompt } from './prompt-bound.ts';

/** A model as the caller named it, and where in the body he did. */
export interface RequestedName {
  readonly name: string;
  readonly param: string;
}

export interface ChatRequestReading {
  readonly index: JsonIndex;
  /** `model` and then `models`, without repeats: what to try, in order. */
  readonly names: readonly RequestedName[];
  readonly stream: boolean;
  /** The caller's bound on generated tokens, each choice; null when there is none. */
  readonly outputTokensMax: number | null;
  readonly choices: number;
  readonly inputTokensMax: number;
  /** The part of `inputTokensMax` that media may have: what counting the text cannot lower. */
  readonly mediaTokensMax: number;
  readonly inputMedia: boolean;
  /** `provider.require_parameters`: only where every setting is taken as it stands. */
  readonly requireParameters: boolean;
  /** Read when a host of another dialect is first tried, and kept for those after it. */
  form: ChatForm | null;
}

/** Throws a GatewayError (400) that names what is wrong and where. */
export function readChatRequest(body: Uint8Array): ChatRequestReading {
  if (body.length === 0) throw invalidJson('the body is empty');
  const scanned = scanJson(body);
  if (!scanned.ok) {
    const { error } = scanned;
    if (error.kind === 'repeated_key') throw repeatedKey(error.key);
    if (error.kind === 'depth') throw nestingTooDeep(DEFAULT_LIMITS.depthMax);
    throw invalidJson(`${error.message} (at byte ${error.offset})`);
  }
  const index = scanned.value;
  if (index.kind(0) !== JSON_OBJECT) throw invalidJson('the body must be an object');
  const unusual = quickCheck(index) === 'unsure';
  if (unusual) parseChatRequest(JSON.parse(toText(body)));
  const bound = boundPrompt(index, index.member(0, 'messages'));
  return {
    index,
    names: readNames(index),
    stream: index.kind(index.member(0, 'stream')) === JSON_TRUE,
    outputTokensMax: readOutputLimit(index),
    choices: index.number(index.member(0, 'n')) ?? 1,
    inputTokensMax: bound.tokensMax,
    mediaTokensMax: bound.mediaTokensMax,
    inputMedia: bound.media,
    // A body that speaks of providers is never an everyday one.
    requireParameters: unusual && readRequirement(index),
    form: null,
  };
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

function readOutputLimit(index: JsonIndex): number | null {
  const limits = [
    index.number(index.member(0, 'max_completion_tokens')),
    index.number(index.member(0, 'max_tokens')),
  ].filter((limit) => limit !== undefined);
  // Hosts differ in which of the two they obey, so the larger one is the bound.
  return limits.length === 0 ? null : Math.max(...limits);
}

function readRequirement(index: JsonIndex): boolean {
  const provider = index.member(0, 'provider');
  if (provider < 0 || index.kind(provider) !== JSON_OBJECT) return false;
  return index.kind(index.member(provider, 'require_parameters')) === JSON_TRUE;
}
