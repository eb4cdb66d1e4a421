/** Writes tools and the choice among them: functions, hosted tools, the stand-in for a format. */
import type { ChatForm, Tool, ToolChoice } from '#providers/form.ts';
import { isRecord, recordOf, textOf, type JsonRecord } from '#providers/json.ts';
import { cacheControl } from './encode-blocks.ts';
import { objectSchema, type OutputPlan } from './encode-output.ts';
import type { Block, EncodePlace } from './encode-place.ts';
import { closeSchema } from './output-schema.ts';
import { nativeIn, OUTPUT_TOOL, present } from './native.ts';

export interface EncodedTools {
  readonly tools: readonly Block[];
  readonly choice: Block | undefined;
}

/** Hosted tools that other dialects know too, by their names there. */
const HOSTED: ReadonlyMap<string, Block> = new Map([
  ['web_search', { type: 'web_search_20250305', name: 'web_search' }],
  ['web_fetch', { type: 'web_fetch_20250910', name: 'web_fetch' }],
  ['code_interpreter', { type: 'code_execution_20250825', name: 'code_execution' }],
  ['code_execution', { type: 'code_execution_20250825', name: 'code_execution' }],
]);

export function encodeTools(form: ChatForm, output: OutputPlan, place: EncodePlace): EncodedTools {
  const allowed = allowedTools(form, place);
  const tools = allowed.flatMap((tool) => encodeTool(tool, place));
  if (output.tool !== undefined) tools.push(output.tool);
  if (tools.length === 0) return { tools, choice: undefined };
  return { tools, choice: encodeChoice(form, output, place) };
}

/** A choice among some tools becomes a list of only those. */
function allowedTools(form: ChatForm, place: EncodePlace): readonly Tool[] {
  const choice = form.toolChoice;
  if (choice?.mode !== 'among') return form.tools;
  const message = 'Only the allowed tools were sent, which may cost the cached prompt.';
  place.warn('emulated', 'tool_choice', message);
  return form.tools.filter((tool) => choice.names.includes(nameOf(tool)));
}

function nameOf(tool: Tool): string {
  return tool.kind === 'hosted' ? tool.tool : tool.name;
}

function encodeTool(tool: Tool, place: EncodePlace): Block[] {
  if (tool.kind === 'hosted') return encodeHostedTool(tool.tool, tool.config, place);
  if (tool.kind === 'custom') {
    const message = 'A custom tool was sent as a function with one text, "input".';
    place.warn('emulated', 'tools', message);
    const properties = { input: { type: 'string', ...present({ description: grammarOf(tool) }) } };
    const schema = { type: 'object', properties, required: ['input'] };
    return [present({ name: tool.name, description: tool.description, input_schema: schema })];
  }
  const { name, description, parameters } = tool;
  const block = present({ ...nativeIn(tool), name, description });
  Object.assign(block, schemaOf(parameters, tool.strict === true, place));
  if (tool.cache !== undefined) block['cache_control'] = cacheControl(tool.cache.lifetime);
  return [block];
}

function grammarOf(tool: Extract<Tool, { readonly kind: 'custom' }>): string | undefined {
  const { grammar } = tool;
  return grammar && `Text of this ${grammar.syntax} grammar:\n${grammar.definition}`;
}

/** Strict where the model can and the schema is closed; elsewhere it is not promised. */
function schemaOf(parameters: unknown, strict: boolean, place: EncodePlace): Block {
  const plain = { input_schema: objectSchema(parameters) };
  if (!strict) return plain;
  const closed =
    place.traits.nativeOutput && place.habits.nativeOutput ? closeSchema(plain.input_schema) : null;
  if (closed !== null) return { input_schema: closed, strict: true };
  const message = 'Arguments of this tool cannot be held strictly to its schema here.';
  place.warn('dropped', 'tools[].function.strict', message);
  return plain;
}

function encodeHostedTool(tool: string, config: unknown, place: EncodePlace): Block[] {
  const record = recordOf(config);
  const own = ownDefinition(tool, record);
  if (own !== null) return [own];
  const known = HOSTED.get(tool);
  if (known === undefined) {
    place.warn('dropped', 'tools', `This provider has no hosted tool "${tool}".`);
    return [];
  }
  if (tool !== 'web_search') return [{ ...known }];
  if (record['search_context_size'] !== undefined) {
    const message = 'This provider decides by itself how much of the web it reads.';
    place.warn('dropped', 'web_search_options.search_context_size', message);
  }
  const location = recordOf(record['user_location']);
  const where = isRecord(location['approximate']) ? location['approximate'] : location;
  const named = textOf(where['country']) ?? textOf(where['city']) ?? textOf(where['region']);
  if (named === undefined) return [{ ...known }];
  return [{ ...known, user_location: { ...where, type: 'approximate' } }];
}

/**
 * A definition by a caller who knows this dialect: its type names a version, or stands in the
 * tool's place where it came through chat. Null where it is another dialect's tool.
 */
function ownDefinition(tool: string, config: JsonRecord): Block | null {
  const type = textOf(config['type']) ?? tool;
  if (type !== 'mcp_toolset' && !VERSION.test(type)) return null;
  const name = type === 'mcp_toolset' ? {} : { name: type.replace(VERSION, '') };
  return { ...name, ...config, type };
}

const VERSION = /_\d{8}$/;

/** The choice, with `disable_parallel_tool_use` where one call at a time is wished. */
function encodeChoice(form: ChatForm, output: OutputPlan, place: EncodePlace): Block | undefined {
  const choice = demandable(choiceOf(form.toolChoice, output), place);
  if (form.parallelToolCalls !== false) return choice;
  if (choice?.['type'] === 'none') return choice;
  return { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true };
}

function choiceOf(choice: ToolChoice | undefined, output: OutputPlan): Block | undefined {
  if (output.tool !== undefined) return outputChoice(choice, output);
  switch (choice?.mode) {
    case undefined:
      return undefined;
    case 'auto':
    case 'none':
      return { type: choice.mode };
    case 'required':
      return { type: 'any' };
    case 'one':
      return { type: 'tool', name: choice.name };
    case 'among':
      return { type: choice.required ? 'any' : 'auto' };
  }
}

/** The stand-in must be called, unless another tool is: it is one among the tools then. */
function outputChoice(choice: ToolChoice | undefined, output: OutputPlan): Block {
  if (output.instruction !== undefined) return { type: 'auto' };
  if (choice?.mode === 'one') return { type: 'tool', name: choice.name };
  return choice?.mode === 'none' ? { type: 'tool', name: OUTPUT_TOOL } : { type: 'any' };
}

function demandable(choice: Block | undefined, place: EncodePlace): Block | undefined {
  const demands = choice?.['type'] === 'any' || choice?.['type'] === 'tool';
  if (!demands || place.traits.forcedTools) return choice;
  const message = 'This model cannot be made to call a tool; it was left the choice.';
  place.warn('dropped', 'tool_choice', message);
  return { type: 'auto' };
}
