/**
 * Reads a request of generateContent into the common form: the other direction of `encode`, for a
 * door in this dialect and for the proof that translation loses nothing.
 */
import type {
  ChatForm,
  OutputFormat,
  ReasoningEffort,
  ReasoningWish,
  SamplingWish,
  Tool,
  ToolChoice,
} from '#providers/form.ts';
import { isRecord, listOf, numberOf, otherMembers, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { camelOf } from './camel.ts';
import { formNameOf } from './hosted-tools.ts';
import { GOOGLE, nativeOf } from './native.ts';
import { fromOpenApi } from './openapi-schema.ts';
import { readContents, readInstruction } from './read-contents.ts';

const BODY_MEMBERS = new Set([
  'model',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'serviceTier',
]);

const GENERATION_MEMBERS = new Set([
  'temperature',
  'topP',
  'topK',
  'frequencyPenalty',
  'presencePenalty',
  'seed',
  'stopSequences',
  'responseLogprobs',
  'logprobs',
  'maxOutputTokens',
  'candidateCount',
  'responseModalities',
  'thinkingConfig',
]);

/** Never throws: what is not understood stays native, what is not there is empty. */
export function readRequest(request: JsonRecord, stream = false): ChatForm {
  const body = camelOf(request);
  const generation = camelOf(body['generationConfig']);
  const toolConfig = camelOf(body['toolConfig']);
  const calling = camelOf(toolConfig['functionCallingConfig']);
  const toolChoice = readChoice(calling);
  const output = readOutput(generation);
  const serviceTier = textOf(body['serviceTier']);
  const maxOutputTokens = numberOf(generation['maxOutputTokens']);
  const restOfGeneration = {
    ...otherMembers(generation, GENERATION_MEMBERS),
    ...(output.kind === 'text' ? {} : OUTPUT_READ),
  };
  const native = nativeOf({
    ...otherMembers(body, BODY_MEMBERS),
    ...group('generationConfig', withoutUndefined(restOfGeneration)),
    ...group('toolConfig', readRestOfTools(toolConfig, calling, toolChoice)),
  });
  return {
    turns: [...readInstruction(body['systemInstruction']), ...readContents(body['contents'])],
    tools: [body['tools']].flat().flatMap((tool) => readTool(tool)),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    output,
    modalities: readModalities(generation['responseModalities']),
    reasoning: readThinking(camelOf(generation['thinkingConfig'])),
    sampling: readSampling(generation),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    choices: numberOf(generation['candidateCount']) ?? 1,
    stream,
    ...(serviceTier === undefined ? {} : { serviceTier: tierOf(serviceTier) }),
    native: native ?? {},
  };
}

/** Taken out of the rest where `output` says it. */
const OUTPUT_READ = {
  responseMimeType: undefined,
  responseJsonSchema: undefined,
  responseSchema: undefined,
};

function withoutUndefined(record: JsonRecord): JsonRecord {
  return otherMembers(record, new Set());
}

function group(key: string, members: JsonRecord): JsonRecord {
  return Object.keys(members).length === 0 ? {} : { [key]: members };
}

function tierOf(tier: string): string {
  return tier.toLowerCase() === 'standard' ? 'default' : tier.toLowerCase();
}

function readOutput(generation: JsonRecord): OutputFormat {
  if (generation['responseMimeType'] !== 'application/json') return { kind: 'text' };
  const { responseJsonSchema, responseSchema } = generation;
  const schema = responseJsonSchema ?? fromOpenApi(responseSchema);
  if (schema === undefined || schema === null) return { kind: 'json' };
  const title = isRecord(schema) ? textOf(schema['title']) : undefined;
  return { kind: 'json_schema', name: title ?? 'response', schema, strict: true };
}

const MODALITIES = ['text', 'audio', 'image'] as const;

function readModalities(said: unknown): ChatForm['modalities'] {
  const names = new Set(listOf(said).map((name) => String(name).toLowerCase()));
  const named = MODALITIES.filter((name) => names.has(name));
  return named.length === 0 ? ['text'] : named;
}

const EFFORTS: ReadonlyMap<string, ReasoningEffort> = new Map<string, ReasoningEffort>([
  ['MINIMAL', 'minimal'],
  ['LOW', 'low'],
  ['MEDIUM', 'medium'],
  ['HIGH', 'high'],
]);

function readThinking(config: JsonRecord): ReasoningWish {
  const budget = numberOf(config['thinkingBudget']);
  const effort = EFFORTS.get((textOf(config['thinkingLevel']) ?? '').toUpperCase());
  const shows = config['includeThoughts'];
  return {
    ...(effort === undefined ? {} : { effort }),
    ...(budget === undefined || budget < 0 ? {} : { budgetTokens: budget }),
    ...(budget !== undefined && budget < 0 ? { adaptive: true } : {}),
    ...(shows === true ? { show: 'summary' as const } : {}),
    ...(shows === false ? { show: 'none' as const } : {}),
  };
}

function readSampling(generation: JsonRecord): SamplingWish {
  const number = (from: string, to: keyof SamplingWish): SamplingWish => {
    const value = numberOf(generation[from]);
    return value === undefined ? {} : { [to]: value };
  };
  const stop = listOf(generation['stopSequences']).filter((text) => typeof text === 'string');
  const logprobs = generation['responseLogprobs'];
  return {
    ...number('temperature', 'temperature'),
    ...number('topP', 'topP'),
    ...number('topK', 'topK'),
    ...number('frequencyPenalty', 'frequencyPenalty'),
    ...number('presencePenalty', 'presencePenalty'),
    ...number('seed', 'seed'),
    ...number('logprobs', 'topLogprobs'),
    ...(stop.length === 0 ? {} : { stop }),
    ...(typeof logprobs === 'boolean' ? { logprobs } : {}),
  };
}

function readChoice(calling: JsonRecord): ToolChoice | undefined {
  const names = listOf(calling['allowedFunctionNames']).filter((name) => typeof name === 'string');
  const [only] = names;
  switch (calling['mode']) {
    case 'AUTO':
      return { mode: 'auto' };
    case 'NONE':
      return { mode: 'none' };
    case 'ANY':
      if (only === undefined) return { mode: 'required' };
      if (names.length === 1) return { mode: 'one', name: only, kind: 'function' };
      return { mode: 'among', names, required: true };
    case 'VALIDATED':
      return only === undefined ? undefined : { mode: 'among', names, required: false };
    default:
      return undefined;
  }
}

/** What of `toolConfig` the choice does not say. */
function readRestOfTools(
  toolConfig: JsonRecord,
  calling: JsonRecord,
  choice: ToolChoice | undefined,
): JsonRecord {
  const rest = otherMembers(toolConfig, new Set(['functionCallingConfig']));
  if (choice !== undefined || Object.keys(calling).length === 0) return rest;
  return { ...rest, functionCallingConfig: calling };
}

function readTool(tool: unknown): readonly Tool[] {
  return Object.entries(camelOf(tool)).flatMap(([key, config]): readonly Tool[] => {
    if (key !== 'functionDeclarations') {
      const hosted = isRecord(config) ? camelOf(config) : config;
      return [{ kind: 'hosted', tool: formNameOf(key, hosted), config: hosted }];
    }
    return listOf(config).map((declaration) => readFunction(camelOf(declaration)));
  });
}

function readFunction(declaration: JsonRecord): Tool {
  const { name, description, parametersJsonSchema, parameters, ...rest } = declaration;
  const own = parameters === undefined ? rest : { ...rest, parameters };
  const schema = parametersJsonSchema ?? fromOpenApi(parameters);
  return {
    kind: 'function',
    name: textOf(name) ?? '',
    ...(typeof description === 'string' ? { description } : {}),
    ...(schema === undefined || schema === null ? {} : { parameters: schema }),
    ...(Object.keys(own).length === 0 ? {} : { native: { [GOOGLE]: own } }),
  };
}
