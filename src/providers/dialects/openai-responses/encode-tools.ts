/** Writes tools and the choice among them as Responses take them: flat, and strict unless told. */
import type { ChatForm, Tool, ToolChoice } from '#providers/form.ts';
import { isRecord, recordOf } from '#providers/json.ts';

type Body = Record<string, unknown>;

export function encodeTools(form: ChatForm): Body {
  if (form.tools.length === 0) return {};
  const { toolChoice, parallelToolCalls: parallel } = form;
  return {
    tools: form.tools.map(encodeTool),
    ...(toolChoice === undefined ? {} : { tool_choice: encodeChoice(toolChoice, form.tools) }),
    ...(parallel === undefined ? {} : { parallel_tool_calls: parallel }),
  };
}

function encodeTool(tool: Tool): Body {
  if (tool.kind === 'hosted') return { type: tool.tool, ...hostedConfig(recordOf(tool.config)) };
  const { name, description } = tool;
  const described = description === undefined ? {} : { description };
  if (tool.kind === 'custom') {
    const format =
      tool.grammar === undefined ? {} : { format: { type: 'grammar', ...tool.grammar } };
    return { type: 'custom', name, ...described, ...format };
  }
  // Chat tools are lax unless told otherwise; those of Responses are strict.
  const strict = tool.strict ?? false;
  const parameters = tool.parameters ?? { type: 'object', properties: {} };
  return { type: 'function', name, ...described, parameters, strict };
}

/** Chat nests the place of a search under `approximate`; Responses do not. */
function hostedConfig(config: Readonly<Body>): Readonly<Body> {
  const place = config['user_location'];
  if (!isRecord(place) || !isRecord(place['approximate'])) return config;
  return { ...config, user_location: { type: 'approximate', ...place['approximate'] } };
}

function encodeChoice(choice: ToolChoice, tools: readonly Tool[]): unknown {
  if (choice.mode === 'among') {
    const named = choice.names.map((name) => namedTool(name, tools));
    return { type: 'allowed_tools', mode: choice.required ? 'required' : 'auto', tools: named };
  }
  if (choice.mode !== 'one') return choice.mode;
  if (choice.kind === 'hosted') return { type: choice.name };
  return { type: choice.kind, name: choice.name };
}

function namedTool(name: string, tools: readonly Tool[]): Body {
  const tool = tools.find((each) => each.kind !== 'hosted' && each.name === name);
  if (tool !== undefined) return { type: tool.kind, name };
  const hosted = tools.some((each) => each.kind === 'hosted' && each.tool === name);
  return hosted ? { type: name } : { type: 'function', name };
}
