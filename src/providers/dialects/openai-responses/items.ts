/**
 * The pieces that whole responses and their streams share: items of the output that are read at
 * once, annotations, log probabilities.
 */
import type { Citation, Part } from '#providers/form.ts';
import { isRecord, listOf, numberOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { OWN, RESPONSES } from './native.ts';

/** The encrypted state of a reasoning item: a part of its own, beside those that can be read. */
export function encryptedPart(item: JsonRecord): Part | null {
  const encrypted = textOf(item['encrypted_content']);
  if (encrypted === undefined) return null;
  return { type: 'reasoning', text: '', summary: false, encrypted, ...idOf(item), native: OWN };
}

export function idOf(item: JsonRecord): { readonly id?: string } {
  const id = textOf(item['id']);
  return id === undefined ? {} : { id };
}

/** A call of a tool of the caller's, without its arguments. Null for any other item. */
export function callOf(item: JsonRecord): Extract<Part, { type: 'tool_call' }> | null {
  const { type } = item;
  if (type !== 'function_call' && type !== 'custom_tool_call') return null;
  const id = textOf(item['call_id']) ?? textOf(item['id']);
  const namespace = textOf(item['namespace']);
  return {
    type: 'tool_call',
    id: id ?? 'call_0',
    ...(id === undefined ? { idIsOurs: true } : {}),
    name: textOf(item['name']) ?? '',
    arguments: '',
    format: type === 'function_call' ? 'json' : 'text',
    ...(namespace === undefined ? {} : { native: { [RESPONSES]: { namespace } } }),
  };
}

export function argumentsOf(item: JsonRecord): string {
  return textOf(item['arguments']) ?? textOf(item['input']) ?? '';
}

/**
 * An item that OpenAI ran or kept by itself (web search, code, MCP, compaction): kept whole, and an
 * image that it made as a part of its own.
 */
export function hostedParts(item: JsonRecord): readonly Part[] {
  const type = textOf(item['type']) ?? 'unknown';
  const image = textOf(item['result']);
  if (type === 'image_generation_call' && image !== undefined) {
    const mediaType = `image/${textOf(item['output_format']) ?? 'png'}`;
    return [{ type: 'image', source: { kind: 'base64', mediaType, data: image } }];
  }
  return [
    {
      type: 'hosted_tool_call',
      id: textOf(item['id']) ?? '',
      tool: type.replace(/_call$/, ''),
      input: item['action'] ?? item['arguments'] ?? item['code'] ?? item['queries'] ?? null,
      status: item['status'] === 'failed' ? 'failed' : 'completed',
      native: { [RESPONSES]: item },
    },
  ];
}

export function toCitations(annotations: unknown): readonly Citation[] {
  return listOf(annotations).filter(isRecord).map(toCitation);
}

export function toCitation(annotation: JsonRecord): Citation {
  const url = textOf(annotation['url']);
  const title = textOf(annotation['title']) ?? textOf(annotation['filename']);
  const fileId = textOf(annotation['file_id']);
  const start = numberOf(annotation['start_index']);
  const end = numberOf(annotation['end_index']);
  const placed = start !== undefined && end !== undefined && end > start;
  return {
    kind: url === undefined ? 'file' : 'url',
    ...(url === undefined ? {} : { url }),
    ...(title === undefined ? {} : { title }),
    ...(fileId === undefined ? {} : { fileId }),
    ...(placed ? { start, end } : {}),
    native: { [RESPONSES]: annotation },
  };
}

/** As chat writes them; undefined where there are none. */
export function toLogprobs(said: readonly unknown[]): unknown {
  return said.length === 0 ? undefined : { content: said.map(recordOf), refusal: null };
}
