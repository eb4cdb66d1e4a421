/**
 * Writes tools, the choice among them, and the form of the answer: a schema is a word of Converse
 * for some models, a forced tool for others, and plain words for the rest.
 */
import type { ChatForm, OutputFormat, Tool, ToolChoice } from '#providers/form.ts';
import { isRecord, recordOf } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { canHold, inputSchema } from './schemas.ts';
import type { Block } from './media.ts';
import { OUTPUT_TOOL } from './native.ts';
import { cachePoint, warn } from './place.ts';
import type { Place } from './place.ts';

export interface ToolWriting {
  readonly toolConfig: { readonly tools: Block[]; readonly toolChoice?: unknown } | null;
  readonly outputConfig: unknown;
  /** Sentences that have to be added to the system text. */
  readonly words: readonly string[];
  /** Members of `additionalModelRequestFields`. */
  readonly fields: Block;
}

export interface ToolNeeds {
  /** Tools that the conversation has called: Converse wants some declared then. */
  readonly history: ReadonlySet<string>;
  /** The model thinks, and so cannot be forced. */
  readonly thinks: boolean;
}

/** Whether the caller forces a tool; an emulation of ours does not count. */
export function forcesTool(form: ChatForm): boolean {
  const { toolChoice: choice, tools } = form;
  if (choice === undefined || tools.length === 0) return false;
  return choice.mode === 'among'
    ? choice.required
    : choice.mode === 'required' || choice.mode === 'one';
}

export function encodeTools(form: ChatForm, needs: ToolNeeds, place: Place): ToolWriting {
  const output = encodeOutput(form.output, needs, place);
  const words = output.words === null ? [] : [output.words];
  const tools = [...callersTools(form, needs, place)];
  const silent = isSilent(form);
  // A forced answer leaves no room for other calls.
  if (silent && tools.length > 0 && !output.forced) words.push(forbidTools(form, place));
  const only = silent || tools.length === 0;
  if (output.tool !== null) tools.push(output.tool);
  const written = { outputConfig: output.config, words };
  if (tools.length === 0) return { ...written, toolConfig: null, fields: {} };
  const choice =
    output.tool === null ? encodeChoice(form, tools, place) : choiceOfOutput(output.forced, only);
  const fields = parallelFields(form, choice, place);
  const told = choice !== undefined && !('tool_choice' in fields);
  const toolConfig = { tools, ...(told ? { toolChoice: choice } : {}) };
  return { ...written, toolConfig, fields };
}

/** Whether no tool may be called. */
function isSilent({ toolChoice, tools }: ChatForm): boolean {
  return toolChoice?.mode === 'none' || tools.length === 0;
}

/** None where none may be called, unless the conversation has called some before. */
function callersTools(form: ChatForm, needs: ToolNeeds, place: Place): readonly Block[] {
  if (isSilent(form) && needs.history.size === 0) return [];
  const tools = allowedTools(form, place).flatMap((tool, index) => encodeTool(tool, index, place));
  return tools.length === 0 && needs.history.size > 0 ? placeholders(needs.history) : tools;
}

/** Only the tools that the choice leaves, where it names some. */
function allowedTools(form: ChatForm, place: Place): readonly Tool[] {
  const { toolChoice: choice, tools } = form;
  if (choice?.mode !== 'among') return tools;
  const message = 'Only the allowed tools were sent, as this provider cannot choose among them.';
  warn(place, 'emulated', { param: 'tool_choice', message });
  return tools.filter((tool) => 'name' in tool && choice.names.includes(tool.name));
}

function encodeTool(tool: Tool, index: number, place: Place): readonly Block[] {
  const param = `tools[${index}]`;
  if (tool.kind === 'hosted') return encodeHosted(tool.tool, place);
  if (tool.kind === 'custom') {
    const message = `This provider has no tools with free text as input; "${tool.name}" was left out.`;
    warn(place, 'dropped', { param, message });
    return [];
  }
  const { name, description = '', parameters, cache } = tool;
  const schema = inputSchema(parameters, `${param}.function.parameters`);
  const toolSpec = {
    name,
    ...(description.trim() === '' ? {} : { description }),
    inputSchema: { json: schema },
    ...(tool.strict === true ? encodeStrict(schema, param, place) : {}),
  };
  const point = cache === undefined ? null : cachePoint(cache, place, param);
  if (place.family.cache?.tools === false) return [{ toolSpec }];
  return point === null ? [{ toolSpec }] : [{ toolSpec }, point];
}

function encodeStrict(schema: unknown, param: string, place: Place): Block {
  if (place.family.strictTools && canHold(schema, place.family)) return { strict: true };
  const message = 'This model cannot be held to the schema of this tool.';
  warn(place, 'dropped', { param: `${param}.function.strict`, message });
  return {};
}

function encodeHosted(name: string, place: Place): readonly Block[] {
  const system = place.family.systemTools[name];
  if (system !== undefined) return [{ systemTool: { name: system } }];
  const param = name === 'web_search' ? 'web_search_options' : 'tools';
  warn(place, 'dropped', { param, message: `This model has no hosted tool "${name}".` });
  return [];
}

/** Converse has no "none", and wants the tools declared that the conversation has called. */
function forbidTools(form: ChatForm, place: Place): string {
  const param = form.tools.length === 0 ? 'tools' : 'tool_choice';
  const message = 'This provider cannot forbid tools; the model was told in words not to call any.';
  warn(place, 'emulated', { param, message });
  return 'Do not call any tool in your next answer.';
}

function placeholders(names: ReadonlySet<string>): readonly Block[] {
  return [...names].map((name) => ({
    toolSpec: { name, inputSchema: { json: { type: 'object', properties: {} } } },
  }));
}

function encodeChoice(form: ChatForm, tools: readonly Block[], place: Place): Block | undefined {
  const { toolChoice: choice } = form;
  if (choice === undefined || choice.mode === 'none' || form.tools.length === 0) return undefined;
  if (choice.mode === 'one' && !tools.some((tool) => nameOf(tool) === choice.name)) {
    throw new CannotSay('tool_choice', `This provider was sent no tool "${choice.name}".`);
  }
  const block = choiceBlock(choice);
  if ('auto' in block) return place.family.forcedTools ? block : undefined;
  if (place.family.forcedTools) return block;
  const message = 'This model cannot be forced to call a tool.';
  warn(place, 'dropped', { param: 'tool_choice', message });
  return undefined;
}

function nameOf({ toolSpec }: Block): unknown {
  return recordOf(toolSpec)['name'];
}

function choiceBlock(choice: ToolChoice): Block {
  if (choice.mode === 'one') return { tool: { name: choice.name } };
  if (choice.mode !== 'among') return choice.mode === 'required' ? { any: {} } : { auto: {} };
  const [only, ...others] = choice.names;
  if (choice.required && only !== undefined && others.length === 0) return { tool: { name: only } };
  return choice.required ? { any: {} } : { auto: {} };
}

/** Claude's own word rides beside Converse's, and only where no tool is forced. */
function parallelFields(form: ChatForm, choice: Block | undefined, place: Place): Block {
  if (form.parallelToolCalls !== false || form.tools.length === 0) return {};
  if (place.family.parallelSwitch && (choice === undefined || 'auto' in choice)) {
    return { tool_choice: { type: 'auto', disable_parallel_tool_use: true } };
  }
  const message = 'This model decides by itself how many tools it calls at once.';
  warn(place, 'dropped', { param: 'parallel_tool_calls', message });
  return {};
}

interface OutputWriting {
  readonly config: unknown;
  readonly tool: Block | null;
  readonly forced: boolean;
  readonly words: string | null;
}

const PLAIN: OutputWriting = { config: undefined, tool: null, forced: false, words: null };

function encodeOutput(output: OutputFormat, needs: ToolNeeds, place: Place): OutputWriting {
  if (output.kind === 'text') return PLAIN;
  if (output.kind === 'json') return { ...PLAIN, words: jsonWords(place) };
  const { family } = place;
  const { schema } = output;
  if (family.schema === 'native' && canHold(schema, family)) {
    return { ...PLAIN, config: { textFormat: textFormat(output) } };
  }
  const isObject = isRecord(schema) && schema['type'] === 'object';
  if (family.schema === 'words' || !family.forcedTools || !isObject) {
    return { ...PLAIN, words: schemaWords(schema, place) };
  }
  return { ...PLAIN, ...outputTool(output, needs.thinks, place) };
}

type SchemaFormat = Extract<OutputFormat, { kind: 'json_schema' }>;

function textFormat({ name, description, schema }: SchemaFormat): Block {
  const told = description === undefined ? {} : { description };
  const jsonSchema = { name, ...told, schema: JSON.stringify(schema) };
  return { type: 'json_schema', structure: { jsonSchema } };
}

function outputTool(
  { description, schema }: SchemaFormat,
  thinks: boolean,
  place: Place,
): Pick<OutputWriting, 'tool' | 'forced' | 'words'> {
  const message = 'The schema of the answer was sent as a tool that the model has to call.';
  warn(place, 'emulated', { param: 'response_format', message });
  const told = description ?? 'Gives the final answer. Call it once, with the whole answer.';
  const toolSpec = { name: OUTPUT_TOOL, description: told, inputSchema: { json: schema } };
  const words = thinks ? `Give the final answer by calling the tool ${OUTPUT_TOOL}.` : null;
  return { tool: { toolSpec }, forced: !thinks, words };
}

/** Beside tools of the caller's the model may call those first. */
function choiceOfOutput(forced: boolean, only: boolean): Block {
  if (!forced) return { auto: {} };
  return only ? { tool: { name: OUTPUT_TOOL } } : { any: {} };
}

function jsonWords(place: Place): string {
  const message = 'The model was told in words to answer in JSON.';
  warn(place, 'emulated', { param: 'response_format', message });
  return 'Answer with one valid JSON object and nothing else: no other text, no code fences.';
}

function schemaWords(schema: unknown, place: Place): string {
  const message = 'The model was told in words which schema to follow; nothing holds it to that.';
  warn(place, 'emulated', { param: 'response_format', message });
  const demand = 'Answer with JSON that follows this schema and nothing else, without code fences:';
  return `${demand}\n${JSON.stringify(schema)}`;
}
