/** The caller's functions, Google's own tools, and which of them the model may or must call. */
import type { ChatForm, Tool, ToolChoice } from '#providers/form.ts';
import { isRecord } from '#providers/json.ts';
import { CannotSay } from '#providers/provider.ts';
import type { Warning } from '#providers/provider.ts';
import { requestNameOf } from './hosted-tools.ts';
import { GOOGLE, present } from './native.ts';

type Json = Record<string, unknown>;

export interface ToolsPlace {
  /** Whether functions and hosted tools go together only if asked for (Gemini 3, not Vertex). */
  readonly announcesHostedCalls: boolean;
  readonly warnings: Warning[];
}

/** `tools` and `toolConfig`, as far as there are any. Throws CannotSay. */
export function encodeTools(form: ChatForm, place: ToolsPlace): Json {
  const functions: Json[] = [];
  const hosted: Json[] = [];
  for (const [index, tool] of form.tools.entries()) {
    const path = `tools[${index}]`;
    if (tool.kind === 'hosted') hosted.push(...encodeHosted(tool, place.warnings));
    else functions.push(encodeFunction(tool, path));
  }
  const tools = functions.length === 0 ? hosted : [{ functionDeclarations: functions }, ...hosted];
  const calling = functions.length === 0 ? undefined : callingConfig(form, place.warnings);
  const announced = place.announcesHostedCalls && functions.length > 0 && hosted.length > 0;
  const config = present({
    functionCallingConfig: calling,
    includeServerSideToolInvocations: announced ? true : undefined,
  });
  return present({
    tools: tools.length === 0 ? undefined : tools,
    toolConfig: Object.keys(config).length === 0 ? undefined : config,
  });
}

function encodeFunction(tool: Tool & { readonly kind: 'function' | 'custom' }, path: string): Json {
  const { name, description } = tool;
  if (tool.kind === 'custom') {
    throw new CannotSay(path, 'This provider knows no tools that take free text.');
  }
  // Declared in Google's own schema, it goes back as it came.
  const own = tool.native?.[GOOGLE];
  if (own !== undefined && 'parameters' in own) return present({ name, description, ...own });
  return present({
    name,
    description,
    parametersJsonSchema: readParameters(tool.parameters, path),
    ...own,
  });
}

function readParameters(parameters: unknown, path: string): unknown {
  if (parameters === undefined || parameters === null) return undefined;
  const at = `${path}.function.parameters`;
  if (!isRecord(parameters)) throw new CannotSay(at, 'The parameters are no JSON schema.');
  const { type } = parameters;
  if (type === undefined || type === 'object') return parameters;
  throw new CannotSay(at, 'The parameters of a function must be a schema of type "object".');
}

function encodeHosted(
  tool: Tool & { readonly kind: 'hosted' },
  warnings: Warning[],
): readonly Json[] {
  const key = requestNameOf(tool.tool);
  if (key === undefined) {
    warn(warnings, 'tools', `This provider has no hosted tool "${tool.tool}".`);
    return [];
  }
  const config = isRecord(tool.config) ? tool.config : {};
  // In another upstream's words, its settings mean nothing here.
  if (key === tool.tool) return [{ [key]: config }];
  for (const setting of Object.keys(config)) {
    if (setting === 'type') continue;
    warn(warnings, `${tool.tool}.${setting}`, `The tool "${key}" has no such setting.`);
  }
  return [{ [key]: {} }];
}

/** Undefined where the default is meant: the model decides. */
function callingConfig(form: ChatForm, warnings: Warning[]): Json | undefined {
  const { toolChoice } = form;
  if (toolChoice === undefined || toolChoice.mode === 'auto') {
    // Only VALIDATED holds the model to the schemas while it may still answer in words.
    if (form.tools.some((tool) => tool.kind === 'function' && tool.strict === true))
      return { mode: 'VALIDATED' };
    return toolChoice === undefined ? undefined : { mode: 'AUTO' };
  }
  return encodeChoice(toolChoice, warnings);
}

function encodeChoice(choice: ToolChoice, warnings: Warning[]): Json | undefined {
  switch (choice.mode) {
    case 'auto':
      return { mode: 'AUTO' };
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    case 'among':
      return { mode: choice.required ? 'ANY' : 'VALIDATED', allowedFunctionNames: choice.names };
    case 'one': {
      if (choice.kind === 'function') return { mode: 'ANY', allowedFunctionNames: [choice.name] };
      warn(warnings, 'tool_choice', 'This provider cannot be held to a tool of its own.');
      return undefined;
    }
    default:
      return undefined;
  }
}

function warn(warnings: Warning[], param: string, message: string): void {
  warnings.push({ code: 'dropped', param, message });
}
