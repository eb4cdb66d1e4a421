/**
 * What the sandbox models say: deterministic answers to a chat request, as text, a tool call or an
 * error.
 */
import { isRecord, listOf, recordOf, type JsonRecord } from '#providers/json.ts';
import type { TokenCounter } from '../tokens.ts';

export interface SandboxCall {
  readonly model: string;
  readonly parameters: URLSearchParams;
  readonly body: JsonRecord;
}

export type SandboxReply =
  | { readonly kind: 'text'; readonly tokens: readonly string[]; readonly delayMs: number }
  | { readonly kind: 'tool'; readonly name: string; readonly arguments: string }
  | { readonly kind: 'error'; readonly status: number; readonly message: string };

const SLOW_MS_DEFAULT = 1_000;
const SLOW_MS_MAX = 60_000;
const ERROR_STATUS_DEFAULT = 500;

/** The text of a message's content: a string, or its text parts. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) =>
      isRecord(part) && typeof part['text'] === 'string' ? part['text'] : '',
    )
    .join('');
}

function messagesOf(body: JsonRecord): readonly JsonRecord[] {
  const { messages } = body;
  return listOf(messages).filter(isRecord);
}

function lastOf(body: JsonRecord, roles: readonly string[]): JsonRecord | undefined {
  return messagesOf(body).findLast(({ role }) => typeof role === 'string' && roles.includes(role));
}

/** All text of the request, for counting it. */
export function promptOf(body: JsonRecord): string {
  return messagesOf(body)
    .map(({ content }) => contentText(content))
    .join('\n');
}

/** The smallest value that a JSON schema allows, as far as a sandbox needs to know. */
function exampleOf(schema: unknown, depth: number): unknown {
  if (!isRecord(schema) || depth > 8) return null;
  if (Array.isArray(schema['enum']) && schema['enum'].length > 0) {
    const first: unknown = schema['enum'][0];
    return first;
  }
  switch (schema['type']) {
    case 'object':
      return exampleObject(schema, depth);
    case 'array':
      return [exampleOf(schema['items'], depth + 1)];
    case 'string':
      return 'example';
    case 'number':
    case 'integer':
      return 1;
    case 'boolean':
      return true;
    default:
      return null;
  }
}

function exampleObject(schema: JsonRecord, depth: number): unknown {
  const properties = recordOf(schema['properties']);
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, exampleOf(value, depth + 1)]),
  );
}

function toolReply(body: JsonRecord): SandboxReply | null {
  const tools: unknown[] = Array.isArray(body['tools']) ? body['tools'] : [];
  const last = messagesOf(body).at(-1);
  if (tools.length === 0 || last?.['role'] === 'tool') return null;
  const [first] = tools;
  const called = recordOf(recordOf(first)['function']);
  const name = typeof called['name'] === 'string' ? called['name'] : 'tool';
  const example = exampleOf(called['parameters'], 0) ?? {};
  return { kind: 'tool', name, arguments: JSON.stringify(example) };
}

function bounded(text: string | null, otherwise: number, max: number): number {
  const number = text === null ? otherwise : Number(text);
  return Number.isFinite(number) && number >= 0 ? Math.min(number, max) : otherwise;
}

function errorReply(parameters: URLSearchParams): SandboxReply {
  const asked = Math.floor(bounded(parameters.get('status'), ERROR_STATUS_DEFAULT, 599));
  const status = asked >= 400 ? asked : ERROR_STATUS_DEFAULT;
  return { kind: 'error', status, message: `The sandbox fails with status ${status}, as asked.` };
}

/** Answers a call. Text comes token by token, as a real tokenizer cuts it. */
export async function replyTo(call: SandboxCall, tokens: TokenCounter): Promise<SandboxReply> {
  const { model, parameters, body } = call;
  if (model.endsWith('/error')) return errorReply(parameters);
  const tool = model.endsWith('/tools') ? toolReply(body) : null;
  if (tool !== null) return tool;
  const slow = model.endsWith('/slow');
  const text = contentText(lastOf(body, ['user', 'tool'])?.['content']);
  return {
    kind: 'text',
    tokens: await tokens.split(text),
    delayMs: slow ? bounded(parameters.get('ms'), SLOW_MS_DEFAULT, SLOW_MS_MAX) : 0,
  };
}
