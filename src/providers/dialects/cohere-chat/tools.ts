/** Writes tools and the choice among them as Cohere takes them. */
import type { ChatForm, Tool } from '#providers/form.ts';
import type { Warning } from '#providers/provider.ts';

type Body = Record<string, unknown>;
type FunctionTool = Extract<Tool, { kind: 'function' }>;

/**
 * Cohere can be made to call something or nothing, but not one certain tool: it is offered that one
 * alone. Strictness is one switch for all tools.
 */
export function encodeTools(form: ChatForm, warnings: Warning[]): Body {
  const tools = form.tools.filter((tool) => tool.kind === 'function');
  if (tools.length === 0) return {};
  const chosen = chosenTools(tools, form, warnings);
  const choice = choiceOf(form);
  return {
    tools: chosen.map(encodeTool),
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(tools.some((tool) => tool.strict === true) ? { strict_tools: true } : {}),
  };
}

function encodeTool(tool: FunctionTool): Body {
  const { name, description } = tool;
  const parameters = tool.parameters ?? { type: 'object', properties: {} };
  const described = description === undefined ? {} : { description };
  return { type: 'function', function: { name, ...described, parameters } };
}

function choiceOf({ toolChoice }: ChatForm): 'REQUIRED' | 'NONE' | undefined {
  if (toolChoice === undefined || toolChoice.mode === 'auto') return undefined;
  if (toolChoice.mode === 'none') return 'NONE';
  if (toolChoice.mode === 'among') return toolChoice.required ? 'REQUIRED' : undefined;
  return 'REQUIRED';
}

function chosenTools(
  tools: readonly FunctionTool[],
  { toolChoice }: ChatForm,
  warnings: Warning[],
): readonly FunctionTool[] {
  const names = namesOf(toolChoice);
  const chosen = names === null ? tools : tools.filter((tool) => names.includes(tool.name));
  if (names === null || chosen.length === 0) return tools;
  if (chosen.length < tools.length) {
    const message = 'Cohere was offered only the tools that may be called.';
    warnings.push({ code: 'emulated', param: 'tool_choice', message });
  }
  return chosen;
}

function namesOf(choice: ChatForm['toolChoice']): readonly string[] | null {
  if (choice?.mode === 'one') return [choice.name];
  return choice?.mode === 'among' ? choice.names : null;
}
