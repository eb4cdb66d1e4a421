/** Names of the betas that a request needs because of what stands in it. */
import { isRecord, listOf, recordOf, textOf, type JsonRecord } from '#providers/json.ts';

/**
 * From @anthropic-ai/sdk 1.11.0. Only members that a caller of this dialect brings along need one;
 * what the common form can say is generally available.
 */
export function betasOf(body: JsonRecord): readonly string[] {
  const betas: string[] = [];
  const toolTypes = listOf(body['tools']).map((tool) => textOf(recordOf(tool)['type']) ?? '');
  if (body['mcp_servers'] !== undefined) {
    const toolsets = toolTypes.includes('mcp_toolset');
    betas.push(toolsets ? 'mcp-client-2025-11-20' : 'mcp-client-2025-04-04');
  }
  const management = body['context_management'];
  if (management !== undefined) {
    betas.push('context-management-2025-06-27');
    const edits = listOf(recordOf(management)['edits']).filter(isRecord);
    if (edits.some((edit) => textOf(edit['type'])?.startsWith('compact_') === true)) {
      betas.push('compact-2026-01-12');
    }
  }
  if (body['speed'] !== undefined) betas.push('fast-mode-2026-02-01');
  if (recordOf(body['output_config'])['task_budget'] !== undefined) {
    betas.push('task-budgets-2026-03-13');
  }
  if (toolTypes.some((type) => type.startsWith('advisor_'))) betas.push('advisor-tool-2026-03-01');
  return betas;
}
