/**
 * Whether a recorded request and the one that our dialect wrote after a way through chat say the
 * same. Both are brought to one spelling first, by rules that hosts document: defaults written out,
 * the two cases of Google's names, text as a string or as a list of one. What then still differs is
 * a change, and every change wants an explanation (`translation-differences.ts`).
 */
import { changes, type Change } from './recordings-compare.ts';
import {
  at,
  isObject,
  listOf,
  objectOf,
  parse,
  stringOf,
  type JsonObject,
} from './recordings-json.ts';
import type { NativeDialect } from './recordings-native-rows.ts';
import { sayableOf } from './recordings-native-unsayable.ts';

export interface RequestChange {
  /** Place in the native request, indices left out: `messages[].content[].citations`. */
  readonly path: string;
  readonly kind: 'lost' | 'added' | 'changed';
  /** For a report. */
  readonly before: unknown;
  readonly after: unknown;
}

type Record_ = Record<string, unknown>;
type Normalize = (body: JsonObject) => JsonObject;

const NORMALIZERS: Readonly<Record<NativeDialect, Normalize>> = {
  anthropic: normalizeAnthropic,
  gemini: normalizeGemini,
  bedrock: normalizeBedrock,
  cohere: normalizeCohere,
};

/** Every place in which the two requests say something else. */
export function compareNativeRequests(
  recorded: JsonObject,
  received: unknown,
  dialect: NativeDialect,
): RequestChange[] {
  const normalize = NORMALIZERS[dialect];
  const { body, unsayable } = sayableOf(recorded, dialect);
  const before = normalize(body);
  const after = normalize(objectOf(received));
  const lost = unsayable.map((path): RequestChange => {
    return { path, kind: 'lost', before: path, after: undefined };
  });
  return [...lost, ...[...changes(before, after, '')].map(toChange)];
}

function toChange({ path, before, after }: Change): RequestChange {
  return {
    path: path.replaceAll(/\[\d+\]/g, '[]'),
    kind: after === undefined ? 'lost' : before === undefined ? 'added' : 'changed',
    before,
    after,
  };
}

/** Without members whose value is the default of the host, or says nothing. */
function without(record: JsonObject, defaults: Readonly<Record<string, unknown>>): Record_ {
  const kept: Record_ = {};
  for (const [key, value] of Object.entries(record)) {
    const isDefault = key in defaults && JSON.stringify(defaults[key]) === JSON.stringify(value);
    const isEmpty = isObject(value) && Object.keys(value).length === 0 && !VALUES.has(key);
    // A description without a word describes nothing.
    if (key === 'description' && value === '') continue;
    if (!isDefault && !isEmpty && value !== null && value !== undefined) kept[key] = value;
  }
  return kept;
}

/** Members that hold the caller's own values, in which an empty object means something. */
const VALUES = new Set(['input', 'args', 'json', 'parameters', 'input_schema', 'response']);

/** Neighbours of one role are one turn: hosts join them. */
function joined(messages: readonly unknown[], content: string): Record_[] {
  const turns: Record_[] = [];
  for (const message of messages) {
    const said = objectOf(message);
    const last = turns.at(-1);
    if (last !== undefined && last['role'] === said['role']) {
      last[content] = [...listOf(last[content]), ...listOf(said[content])];
    } else turns.push({ ...said });
  }
  return turns;
}

/** Text as a list of one block. */
function blocks(content: unknown): readonly unknown[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
}

function normalizeAnthropic(body: JsonObject): JsonObject {
  const messages = listOf(body['messages']).map((message) => ({
    ...objectOf(message),
    content: blocks(at(message, 'content')).map(anthropicBlock),
  }));
  const system = blocks(body['system']).map(anthropicBlock);
  return without(
    {
      ...body,
      model: undefined,
      messages: joined(messages, 'content'),
      system: system.length === 0 ? undefined : system,
      tools: listOf(body['tools']).filter(isFunction).map(anthropicTool),
      hosted: Object.fromEntries(
        listOf(body['tools']).flatMap((tool) => (isFunction(tool) ? [] : [anthropicHosted(tool)])),
      ),
    },
    { stream: false, tools: [], tool_choice: { type: 'auto' }, stop_sequences: [] },
  );
}

function isFunction(tool: unknown): boolean {
  return isObject(at(tool, 'input_schema'));
}

function anthropicTool(tool: unknown): Record_ {
  return without(anthropicCache(objectOf(tool)), { type: 'custom', defer_loading: false });
}

/** By name, since their order says nothing; the version is the date in its type. */
function anthropicHosted(tool: unknown): [string, JsonObject] {
  const { type, ...config } = objectOf(tool);
  const [, name, version] = /^(.*?)_(\d{8})$/.exec(stringOf(type)) ?? ['', stringOf(type), ''];
  return [name ?? '', without({ ...anthropicCache(config), version }, {})];
}

function anthropicBlock(block: unknown): Record_ {
  const { content, ...rest } = objectOf(block);
  const said = content === undefined ? {} : { content: anthropicContent(content) };
  return without({ ...anthropicCache(rest), ...said }, { is_error: false, content: [] });
}

function anthropicContent(content: unknown): unknown {
  return isObject(content) ? content : blocks(content).map(anthropicBlock);
}

/** Five minutes are the lifetime where none is named. */
function anthropicCache(record: JsonObject): JsonObject {
  const cache = record['cache_control'];
  if (!isObject(cache)) return record;
  return { ...record, cache_control: without(cache, { ttl: '5m' }) };
}

/** Schemas are the caller's, with the caller's names. */
const OPAQUE = new Set([
  'args',
  'response',
  'parameters',
  'parametersJsonSchema',
  'responseSchema',
  'responseJsonSchema',
  'labels',
]);

/** Google takes every name in both cases. */
function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const name = key.replaceAll(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
      return [name, OPAQUE.has(name) ? member : camel(member)];
    }),
  );
}

function normalizeGemini(body: JsonObject): JsonObject {
  const said = objectOf(camel(body));
  const contents = listOf(said['contents']).map((content) => ({
    role: 'user',
    ...objectOf(content),
    parts: listOf(at(content, 'parts')).map(geminiPart),
  }));
  const tools = Array.isArray(said['tools']) ? said['tools'] : [said['tools']].filter(isObject);
  return without(
    {
      ...said,
      contents: joined(contents, 'parts'),
      systemInstruction: without(objectOf(said['systemInstruction']), { role: 'user' }),
      tools: geminiTools(tools),
      toolConfig: without(geminiChoice(said['toolConfig']), {}),
      generationConfig: without(geminiOutput(objectOf(said['generationConfig'])), {
        responseModalities: ['TEXT'],
        candidateCount: 1,
        responseMimeType: 'text/plain',
      }),
    },
    { tools: [] },
  );
}

function geminiPart(part: unknown): Record_ {
  const said = without(objectOf(part), {});
  const { inlineData: media, functionResponse: result } = said;
  if (isObject(media)) said['inlineData'] = { ...media, data: standardBase64(media['data']) };
  if (isObject(result)) {
    const inside = listOf(result['parts']).map(geminiPart);
    said['functionResponse'] = without(
      { ...result, response: geminiResult(result['response']), parts: inside },
      { parts: [] },
    );
  }
  return said;
}

/** Both alphabets of base64 are taken. */
function standardBase64(data: unknown): string {
  return stringOf(data).replaceAll('-', '+').replaceAll('_', '/');
}

/**
 * What a tool returned. It is text in chat and an object at Google: an object whose JSON text
 * stands in `output` says the same.
 */
function geminiResult(response: unknown): unknown {
  const text = at(response, 'output') ?? at(response, 'error');
  const inner = typeof text === 'string' ? parse(text) : undefined;
  return isObject(inner) ? inner : response;
}

/** One entry for all functions, and one for each other tool; their order says nothing. */
function geminiTools(tools: readonly unknown[]): Record_[] {
  const declarations = tools.flatMap((tool) => listOf(at(tool, 'functionDeclarations')));
  const others = tools
    .flatMap((tool) => Object.entries(objectOf(tool)))
    .filter(([name]) => name !== 'functionDeclarations')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, config]): Record_ => ({ [name]: config }));
  const functions = declarations.map((one) => without(geminiSchema(objectOf(one)), {}));
  return [...(functions.length === 0 ? [] : [{ functionDeclarations: functions }]), ...others];
}

/** OpenAPI's spelling of a schema and JSON Schema's say the same; Google takes both. */
function geminiSchema(declaration: JsonObject): JsonObject {
  const { parameters, parametersJsonSchema, ...rest } = declaration;
  const schema = parameters ?? parametersJsonSchema;
  return schema === undefined ? rest : { ...rest, parametersJsonSchema: jsonSchema(schema) };
}

function jsonSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(jsonSchema);
  if (!isObject(schema)) return schema;
  const said = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (key === 'type' && typeof value === 'string') return [key, value.toLowerCase()];
    return [SCHEMA_WORDS[key] ?? key, jsonSchema(value)];
  });
  return Object.fromEntries(said);
}

const SCHEMA_WORDS: Readonly<Record<string, string>> = {
  any_of: 'anyOf',
  property_ordering: 'propertyOrdering',
};

function geminiChoice(config: unknown): JsonObject {
  const calling = without(objectOf(at(config, 'functionCallingConfig')), { mode: 'AUTO' });
  return { ...objectOf(config), functionCallingConfig: calling };
}

function geminiOutput(config: JsonObject): JsonObject {
  const { responseSchema, responseJsonSchema, ...rest } = config;
  const schema = responseSchema ?? responseJsonSchema;
  return schema === undefined ? rest : { ...rest, responseJsonSchema: jsonSchema(schema) };
}

function normalizeBedrock(body: JsonObject): JsonObject {
  const messages = listOf(body['messages']).map((message) => ({
    ...objectOf(message),
    content: listOf(at(message, 'content')).map(bedrockBlock),
  }));
  const toolConfig = without(objectOf(body['toolConfig']), { toolChoice: { auto: {} } });
  const inferenceConfig = without(objectOf(body['inferenceConfig']), { stopSequences: [] });
  const outputConfig = bedrockOutput(objectOf(body['outputConfig']));
  return without(
    { ...body, messages: joined(messages, 'content'), toolConfig, inferenceConfig, outputConfig },
    { system: [] },
  );
}

/** A schema goes as JSON text, in which spaces say nothing. */
function bedrockOutput(config: JsonObject): JsonObject {
  const text = at(config, 'textFormat', 'structure', 'jsonSchema', 'schema');
  return typeof text === 'string' ? { ...config, schema: parse(text), textFormat: {} } : config;
}

function bedrockBlock(block: unknown): Record_ {
  const said = objectOf(block);
  if (!isObject(said['toolResult'])) return { ...said };
  return { ...said, toolResult: without(said['toolResult'], { status: 'success' }) };
}

function normalizeCohere(body: JsonObject): JsonObject {
  const messages = listOf(body['messages']).map((message) => {
    const content = at(message, 'content');
    const [only] = listOf(content);
    const isText = listOf(content).length === 1 && at(only, 'type') === 'text';
    return without(
      { ...objectOf(message), content: isText ? stringOf(at(only, 'text')) : content },
      {},
    );
  });
  return without({ ...body, model: undefined, messages }, { stream: false });
}
