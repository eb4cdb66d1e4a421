/** Reads what tools a chat request offers, and which of them must or may be called. */
import type { Tool, ToolChoice } from '#providers/form.ts';
import { isRecord, listOf, otherMembers, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import { DIALECT, nativeOf } from './content.ts';
import { readCache } from './read-form-parts.ts';

/** Marks a tool that came in the legacy field `functions`. */
const LEGACY = 'legacy_function';

/** `tools`, the legacy `functions`, and the search that has a field of its own. */
export function readTools(body: JsonRecord): readonly Tool[] {
  const search = body['web_search_options'];
  return [
    ...listOf(body['tools']).map((tool, index) => readTool(recordOf(tool), `tools[${index}]`)),
    ...listOf(body['functions']).map((said): Tool => {
      const native = { [DIALECT]: { [LEGACY]: true } };
      return { ...readFunction(recordOf(said)), kind: 'function', native };
    }),
    ...(isRecord(search) ? [{ kind: 'hosted', tool: 'web_search', config: search } as const] : []),
  ];
}

/** Whether the caller speaks the legacy form and has to be answered with `function_call`. */
export function isLegacyTool(tool: Tool): boolean {
  return tool.kind === 'function' && tool.native?.[DIALECT]?.[LEGACY] === true;
}

const TOOL_MEMBERS = new Set(['type', 'function', 'cache_control']);
const FUNCTION_MEMBERS = new Set(['name', 'description', 'parameters', 'strict', 'cache_control']);

function readTool(tool: JsonRecord, path: string): Tool {
  const type = textOf(tool['type']) ?? 'function';
  if (type === 'custom') return readCustom(recordOf(tool['custom']));
  if (type !== 'function') {
    const { type: _type, ...config } = tool;
    return { kind: 'hosted', tool: type, config };
  }
  const said = recordOf(tool['function']);
  const cache = readCache(tool, path) ?? readCache(said, `${path}.function`);
  const native = nativeOf({
    ...otherMembers(said, FUNCTION_MEMBERS),
    ...otherMembers(tool, TOOL_MEMBERS),
  });
  return {
    kind: 'function',
    ...readFunction(said),
    ...(cache === undefined ? {} : { cache }),
    ...(native === undefined ? {} : { native }),
  };
}

function readFunction(said: JsonRecord): {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: unknown;
  readonly strict?: boolean;
} {
  const description = textOf(said['description']);
  const { parameters, strict } = said;
  return {
    name: textOf(said['name']) ?? '',
    ...(description === undefined ? {} : { description }),
    ...(isRecord(parameters) ? { parameters } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}

function readCustom(said: JsonRecord): Tool {
  const description = textOf(said['description']);
  const format = recordOf(said['format']);
  const grammar = recordOf(format['grammar']);
  const syntax = textOf(grammar['syntax']);
  const definition = textOf(grammar['definition']);
  const bound = syntax !== undefined && definition !== undefined;
  return {
    kind: 'custom',
    name: textOf(said['name']) ?? '',
    ...(description === undefined ? {} : { description }),
    ...(bound ? { grammar: { syntax, definition } } : {}),
  };
}

/** Words for a choice that names no tool; `any` is Mistral's and Anthropic's. */
const MODES: ReadonlyMap<string, 'auto' | 'none' | 'required'> = new Map([
  ['auto', 'auto'],
  ['none', 'none'],
  ['required', 'required'],
  ['any', 'required'],
]);

/** `tool_choice`, or the legacy `function_call`; undefined where neither says anything. */
export function readToolChoice(body: JsonRecord): ToolChoice | undefined {
  for (const path of ['tool_choice', 'function_call']) {
    const said = body[path];
    if (typeof said === 'string') return { mode: modeOf(said, path) };
    if (isRecord(said)) return readNamed(said, path);
  }
  return undefined;
}

function readNamed(choice: JsonRecord, path: string): ToolChoice {
  const type = textOf(choice['type']) ?? 'function';
  if (type === 'allowed_tools') return readAllowed(choice);
  const name = nameIn(choice);
  const custom = type === 'custom';
  if (name !== undefined) return { mode: 'one', name, kind: custom ? 'custom' : 'function' };
  const mode = MODES.get(type);
  if (mode !== undefined) return { mode };
  if (custom || type === 'function' || type === 'tool') {
    throw new CannotSay(`${path}.${custom ? type : 'function'}`, 'Expected a name.');
  }
  return { mode: 'one', name: type, kind: 'hosted' };
}

function modeOf(word: string, path: string): 'auto' | 'none' | 'required' {
  const mode = MODES.get(word);
  if (mode !== undefined) return mode;
  throw new CannotSay(path, "Expected 'auto', 'none', 'required' or a tool.");
}

/** Some clients write the fields of `allowed_tools` beside its type, as Responses does. */
function readAllowed(choice: JsonRecord): ToolChoice {
  const said = isRecord(choice['allowed_tools']) ? choice['allowed_tools'] : choice;
  const names = listOf(said['tools']).map((tool, index) => {
    const record = recordOf(tool);
    const name = nameIn(record) ?? textOf(record['type']);
    if (name !== undefined) return name;
    const path = `tool_choice.allowed_tools.tools[${index}]`;
    throw new CannotSay(path, 'Expected the name of a tool.');
  });
  return { mode: 'among', names, required: said['mode'] === 'required' };
}

function nameIn(choice: JsonRecord): string | undefined {
  const own = textOf(recordOf(choice['function'])['name']);
  return own ?? textOf(recordOf(choice['custom'])['name']) ?? textOf(choice['name']);
}
