/**
 * The hot path's judgement of a chat request: from the raw index, without parsing the body. It
 * answers `fine` only for what `parseChatRequest` would surely take; everything unusual is
 * `unsure` and goes there. Everyday requests are fine (speed.md).
 */
import type { JsonIndex } from '#base/json-index.ts';
import { LATER_FIELDS, LATER_MODEL_SUFFIXES } from './later.ts';
import {
  arrayOf,
  either,
  isBoolean,
  isNull,
  isNumber,
  isObject,
  isString,
  numberWithin,
  objectOf,
  orNull,
  plainName,
  taggedBy,
  wholeWithin,
  type Check,
} from './quick-shape.ts';
import { MODEL_ID_LENGTH_MAX, MODELS_MAX } from './request.ts';

const anything: Check = () => true;
const never: Check = () => false;
const stringOrNull = orNull(isString);
const booleanOrNull = orNull(isBoolean);
const objectOrNull = orNull(isObject);
const tokenLimit = orNull(wholeWithin(1, Number.MAX_SAFE_INTEGER));

const part = taggedBy(
  'type',
  {
    text: objectOf({ text: isString }, ['text']),
    image_url: objectOf(
      { image_url: either(isString, objectOf({ url: isString, detail: stringOrNull }, ['url'])) },
      ['image_url'],
    ),
    input_audio: objectOf(
      { input_audio: objectOf({ data: isString, format: stringOrNull }, ['data']) },
      ['input_audio'],
    ),
    refusal: never,
    file: never,
  },
  anything,
);

const content = either(isString, isNull, arrayOf(part));

const functionCall = objectOf({ name: isString, arguments: isString }, ['name', 'arguments']);
const toolCall = objectOf({
  id: stringOrNull,
  type: stringOrNull,
  function: orNull(functionCall),
  custom: isNull,
});

const instruction = objectOf({ content, name: stringOrNull }, ['content']);

const message = taggedBy('role', {
  user: instruction,
  assistant: objectOf({
    content,
    name: stringOrNull,
    refusal: stringOrNull,
    tool_calls: orNull(arrayOf(toolCall)),
    function_call: isNull,
    audio: isNull,
  }),
  tool: objectOf({ content, tool_call_id: isString }, ['content', 'tool_call_id']),
  system: instruction,
  developer: instruction,
});

const functionDefinition = objectOf(
  {
    name: isString,
    description: stringOrNull,
    parameters: objectOrNull,
    strict: booleanOrNull,
  },
  ['name'],
);
const functionTool = { function: functionDefinition, custom: isNull };

/** Mistral's clients leave `type` out. */
const tool = either(
  taggedBy('type', { function: objectOf(functionTool, ['function']) }),
  objectOf({ ...functionTool, type: isNull }, ['function']),
);

const modelName = plainName(MODEL_ID_LENGTH_MAX, LATER_MODEL_SUFFIXES);

const request = objectOf(
  {
    ...Object.fromEntries(Object.keys(LATER_FIELDS).map((field) => [field, never])),
    provider: never,
    model: modelName,
    models: orNull(arrayOf(modelName, 1, MODELS_MAX)),
    messages: arrayOf(message, 1),
    temperature: orNull(numberWithin(0, 2)),
    top_p: orNull(numberWithin(0, 1)),
    frequency_penalty: orNull(isNumber),
    presence_penalty: orNull(isNumber),
    logit_bias: isNull,
    logprobs: booleanOrNull,
    top_logprobs: orNull(wholeWithin(0, 20)),
    n: orNull(wholeWithin(1, 128)),
    seed: orNull(wholeWithin(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
    stop: either(isNull, isString, arrayOf(isString)),
    max_tokens: tokenLimit,
    max_completion_tokens: tokenLimit,
    reasoning_effort: stringOrNull,
    verbosity: stringOrNull,
    stream: booleanOrNull,
    stream_options: orNull(
      objectOf({ include_usage: booleanOrNull, include_obfuscation: booleanOrNull }),
    ),
    response_format: orNull(
      objectOf(
        {
          type: isString,
          json_schema: orNull(
            objectOf({
              name: stringOrNull,
              description: stringOrNull,
              schema: objectOrNull,
              strict: booleanOrNull,
            }),
          ),
        },
        ['type'],
      ),
    ),
    modalities: orNull(arrayOf(isString)),
    audio: isNull,
    prediction: isNull,
    tools: orNull(arrayOf(tool)),
    tool_choice: either(
      isNull,
      isString,
      objectOf({
        type: stringOrNull,
        function: orNull(objectOf({ name: isString }, ['name'])),
        custom: isNull,
        allowed_tools: isNull,
      }),
    ),
    parallel_tool_calls: booleanOrNull,
    functions: isNull,
    function_call: orNull(isString),
    web_search_options: isNull,
    store: booleanOrNull,
    metadata: objectOrNull,
    user: stringOrNull,
    safety_identifier: stringOrNull,
    service_tier: isNull,
    prompt_cache_key: stringOrNull,
    prompt_cache_options: isNull,
    prompt_cache_retention: stringOrNull,
    moderation: isNull,
    usage: orNull(objectOf({ include: booleanOrNull })),
  },
  ['model', 'messages'],
);

export type QuickJudgement = 'fine' | 'unsure';

/**
 * Judges an indexed body. Allocates next to nothing; a few microseconds for an everyday request.
 */
export function quickCheck(index: JsonIndex): QuickJudgement {
  return request(index, index.root) ? 'fine' : 'unsure';
}
