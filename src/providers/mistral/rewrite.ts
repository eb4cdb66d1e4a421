/**
 * Magistral's answers have an array as content, which the official client takes for a string. The
 * text becomes a string, what was thought becomes `reasoning_content`, and parts of any other type
 * (references, images) stay beside it under `content_parts`: nothing is lost.
 */
import { isRecord, listOf } from '../json.ts';
import type { JsonRecord } from '../json.ts';
import { readContent } from '../dialects/openai-chat/content.ts';

/** The answer as the client should see it; the same value where there is nothing to change. */
export function rewriteAnswer(body: unknown): unknown {
  return rewriteChoices(body, 'message');
}

/** One event of a stream likewise. */
export function rewriteEvent(event: unknown): unknown {
  return rewriteChoices(event, 'delta');
}

function rewriteChoices(body: unknown, member: 'message' | 'delta'): unknown {
  if (!isRecord(body)) return body;
  const choices = listOf(body['choices']);
  if (!choices.some((choice) => hasContentArray(choice, member))) return body;
  return { ...body, choices: choices.map((choice) => rewriteChoice(choice, member)) };
}

function hasContentArray(choice: unknown, member: string): boolean {
  const message = isRecord(choice) ? choice[member] : undefined;
  return isRecord(message) && Array.isArray(message['content']);
}

function rewriteChoice(choice: unknown, member: string): unknown {
  if (!isRecord(choice)) return choice;
  const message = choice[member];
  if (!isRecord(message) || !Array.isArray(message['content'])) return choice;
  return { ...choice, [member]: rewriteMessage(message, member) };
}

function rewriteMessage(message: JsonRecord, member: string): JsonRecord {
  const { runs, others } = readContent(message['content']);
  const text = runs.filter((run) => run.kind === 'text');
  const reasoning = runs.filter((run) => run.kind === 'reasoning');
  const { content: _content, ...rest } = message;
  return {
    ...rest,
    // A delta without text says nothing of it; a whole message always has the member.
    ...(text.length > 0 || member === 'message' ? { content: joined(text) } : {}),
    ...(reasoning.length > 0 ? { reasoning_content: joined(reasoning) } : {}),
    ...(others.length > 0 ? { content_parts: others } : {}),
  };
}

function joined(runs: readonly { readonly text: string }[]): string {
  return runs.map((run) => run.text).join('');
}
