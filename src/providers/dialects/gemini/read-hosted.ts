/**
 * Reads what Google's own tools did inside an answer: code that the model wrote and its output, and
 * (Gemini 3) calls of the other hosted tools with their results.
 */
import type { HostedToolCallPart, HostedToolResultPart, NativeFields } from '#providers/form.ts';
import { isRecord, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { toolNameOf } from './hosted-tools.ts';
import { GOOGLE, present } from './native.ts';

type HostedPart = HostedToolCallPart | HostedToolResultPart;

/** `ourId` joins a code with its output, for which Google has no id. Null for other parts. */
export function readHosted(record: JsonRecord, ourId: string): HostedPart | null {
  const { executableCode, codeExecutionResult, toolCall, toolResponse } = record;
  const signature = textOf(record['thoughtSignature']);
  if (isRecord(executableCode)) return readCode(executableCode, ourId, signature);
  if (isRecord(codeExecutionResult)) return readOutput(codeExecutionResult, ourId, signature);
  if (isRecord(toolCall)) {
    const said = readTool(toolCall, ourId, signature);
    return { type: 'hosted_tool_call', ...said, input: toolCall['args'] ?? {} };
  }
  if (!isRecord(toolResponse)) return null;
  const { id, ...said } = readTool(toolResponse, ourId, signature);
  const output = toolResponse['response'] ?? {};
  return { type: 'hosted_tool_result', callId: id, ...said, output };
}

function readCode(code: JsonRecord, ourId: string, signature: string | undefined): HostedPart {
  const { id, ...input } = code;
  return {
    type: 'hosted_tool_call',
    id: textOf(id) ?? ourId,
    tool: toolNameOf('CODE'),
    input,
    status: 'completed',
    native: ownOf(id, signature),
  };
}

function readOutput(result: JsonRecord, ourId: string, signature: string | undefined): HostedPart {
  const { id, ...output } = result;
  const { outcome } = output;
  const failed = outcome !== undefined && outcome !== 'OUTCOME_OK';
  return {
    type: 'hosted_tool_result',
    callId: textOf(id) ?? ourId,
    tool: toolNameOf('CODE'),
    output,
    ...(failed ? { isError: true } : {}),
    native: ownOf(id, signature),
  };
}

function readTool(
  use: JsonRecord,
  ourId: string,
  signature: string | undefined,
): { readonly id: string; readonly tool: string; readonly native: NativeFields } {
  const tool = toolNameOf(textOf(use['toolType']) ?? '');
  return { id: textOf(use['id']) ?? ourId, tool, native: ownOf(use['id'], signature) };
}

/** The id is kept apart from ours: only one that Google gave goes back. */
function ownOf(id: unknown, signature: string | undefined): NativeFields {
  return { [GOOGLE]: present({ id: textOf(id), thought_signature: signature }) };
}
