/**
 * Reads the settings of a chat request: how to sample, how much to think, what to answer in.
 * OpenAI's own fields, and those of OpenRouter and Anthropic that clients send through chat.
 */
import type {
  ChatForm,
  OutputFormat,
  ReasoningEffort,
  ReasoningWish,
  SamplingWish,
} from '#providers/form.ts';
import { isRecord, listOf, numberOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';

type Draft<Kind> = { -readonly [Key in keyof Kind]: Kind[Key] };

/** Copies a number into a wish; nothing where nothing stands. */
type NumberKey = 'temperature' | 'topP' | 'topK' | 'frequencyPenalty' | 'presencePenalty' | 'seed';

const NUMBERS: readonly (readonly [NumberKey, string])[] = [
  ['temperature', 'temperature'],
  ['topP', 'top_p'],
  ['topK', 'top_k'],
  ['frequencyPenalty', 'frequency_penalty'],
  ['presencePenalty', 'presence_penalty'],
  ['seed', 'seed'],
];

export function readSampling(body: JsonRecord): SamplingWish {
  const wish: Draft<SamplingWish> = {};
  for (const [key, member] of NUMBERS) {
    const value = body[member];
    if (value === null || value === undefined) continue;
    const number = numberOf(value);
    if (number === undefined) throw new CannotSay(member, 'Expected a number.');
    wish[key] = number;
  }
  const { stop } = body;
  if (typeof stop === 'string') wish.stop = [stop];
  else if (Array.isArray(stop)) wish.stop = stop.filter((word) => typeof word === 'string');
  const bias = Object.entries(recordOf(body['logit_bias'])).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  if (bias.length > 0) wish.logitBias = Object.fromEntries(bias);
  readLogprobs(body, wish);
  return wish;
}

/** A number in `logprobs` is the older form: how many alternatives. */
function readLogprobs(body: JsonRecord, wish: Draft<SamplingWish>): void {
  const { logprobs } = body;
  const count = numberOf(logprobs);
  const top = numberOf(body['top_logprobs']) ?? count;
  if (typeof logprobs === 'boolean') wish.logprobs = logprobs;
  if (count !== undefined) wish.logprobs = true;
  if (top !== undefined) wish.topLogprobs = top;
}

/**
 * How much to think. `thinking` (Anthropic and hosts after it) says least precisely and
 * `reasoning_effort` (OpenAI) is the door's own word, so that one wins, then `reasoning`
 * (OpenRouter).
 */
export function readReasoning(body: JsonRecord): ReasoningWish {
  const wish: Draft<ReasoningWish> = {};
  readThinking(body['thinking'], wish);
  readReasoningObject(body['reasoning'], wish);
  if (body['include_reasoning'] === false) wish.show = 'none';
  const effort = effortOf(body['reasoning_effort'], 'reasoning_effort');
  if (effort !== undefined) wish.effort = effort;
  return wish;
}

function readThinking(said: unknown, wish: Draft<ReasoningWish>): void {
  const thinking = recordOf(said);
  const { type } = thinking;
  // Z.ai's clients send other members alone.
  if (type === null || type === undefined) return;
  if (type !== 'enabled' && type !== 'disabled' && type !== 'adaptive') {
    throw new CannotSay('thinking.type', "Expected 'enabled', 'disabled' or 'adaptive'.");
  }
  const budget = numberOf(thinking['budget_tokens']);
  if (type === 'disabled') wish.effort = 'none';
  else if (type === 'enabled' && budget !== undefined) wish.budgetTokens = budget;
  else wish.adaptive = true;
  if (thinking['display'] === 'omitted') wish.show = 'none';
  if (thinking['display'] === 'summarized') wish.show = 'summary';
}

function readReasoningObject(said: unknown, wish: Draft<ReasoningWish>): void {
  const reasoning = recordOf(said);
  const effort = effortOf(reasoning['effort'], 'reasoning.effort');
  const budget = numberOf(reasoning['max_tokens']);
  if (effort !== undefined) wish.effort = effort;
  if (budget !== undefined) wish.budgetTokens = budget;
  // Documented at OpenRouter: without more, `enabled` means medium effort.
  const enabled = reasoning['enabled'] === true && effort === undefined && budget === undefined;
  if (enabled) wish.effort ??= 'medium';
  if (reasoning['enabled'] === false) wish.effort = 'none';
  if (textOf(reasoning['summary']) !== undefined) wish.show = 'summary';
  if (reasoning['exclude'] === true) wish.show = 'none';
}

const EFFORTS: ReadonlyMap<string, ReasoningEffort> = new Map(
  (['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const).map((effort) => [
    effort,
    effort,
  ]),
);

/** `default` is Groq's word for saying nothing. */
function effortOf(value: unknown, path: string): ReasoningEffort | undefined {
  if (value === null || value === undefined || value === 'default') return undefined;
  const effort = typeof value === 'string' ? EFFORTS.get(value) : undefined;
  if (effort !== undefined) return effort;
  const known = [...EFFORTS.keys()].map((word) => `'${word}'`).join(', ');
  throw new CannotSay(path, `Expected one of ${known}.`);
}

/** A `json_object` with a schema is Together's and Fireworks' way to say `json_schema`. */
export function readOutput(said: unknown): OutputFormat {
  if (said === null || said === undefined) return { kind: 'text' };
  const format = recordOf(said);
  const { type } = format;
  if (type === 'text') return { kind: 'text' };
  if (type !== 'json_object' && type !== 'json_schema') {
    const message = "Expected 'text', 'json_object' or 'json_schema'.";
    throw new CannotSay('response_format.type', message);
  }
  const wanted = type === 'json_object' ? format : recordOf(format['json_schema']);
  const { schema, strict } = wanted;
  if (!isRecord(schema)) return { kind: 'json' };
  const description = textOf(wanted['description']);
  return {
    kind: 'json_schema',
    name: textOf(wanted['name']) ?? 'response',
    schema,
    ...(description === undefined ? {} : { description }),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}

export function readModalities(said: unknown): ChatForm['modalities'] {
  const modalities = listOf(said).map((modality, index) => {
    if (modality === 'text' || modality === 'audio' || modality === 'image') return modality;
    throw new CannotSay(`modalities[${index}]`, "Expected 'text', 'audio' or 'image'.");
  });
  return modalities.length === 0 ? ['text'] : modalities;
}

export function readAudioOutput(said: unknown): ChatForm['audioOutput'] {
  if (!isRecord(said)) return undefined;
  return { voice: said['voice'] ?? null, format: textOf(said['format']) ?? 'wav' };
}

export function readVerbosity(said: unknown): ChatForm['verbosity'] {
  if (said === null || said === undefined) return undefined;
  if (said === 'low' || said === 'medium' || said === 'high') return said;
  throw new CannotSay('verbosity', "Expected 'low', 'medium' or 'high'.");
}

export function readMetadata(said: unknown): ChatForm['metadata'] {
  if (!isRecord(said)) return undefined;
  const entries = Object.entries(said).map(([key, value]): readonly [string, string] => {
    if (typeof value === 'string') return [key, value];
    throw new CannotSay('metadata', 'Expected strings as values.');
  });
  return Object.fromEntries(entries);
}
