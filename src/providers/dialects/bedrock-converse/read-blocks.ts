/** Reads the content blocks of a request of Converse into parts of the common form. */
import type { CacheHint, FilePart, MediaSource, Part, ToolResultPart } from '#providers/form.ts';
import { isRecord, listOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { hostedCall, hostedResult, isServerTool } from './blocks.ts';
import { OWN } from './native.ts';

/** Cache points become hints on the part before them. Blocks of other kinds are left out. */
export function readBlocks(blocks: unknown): readonly Part[] {
  const parts: Part[] = [];
  for (const block of listOf(blocks).map(recordOf)) {
    const hint = cacheHint(block);
    const last = parts.at(-1);
    if (hint !== null && last !== undefined) parts[parts.length - 1] = { ...last, cache: hint };
    const part = readBlock(block);
    if (part !== null) parts.push(part);
  }
  return parts;
}

export function cacheHint(block: JsonRecord): CacheHint | null {
  const point = block['cachePoint'];
  if (!isRecord(point)) return null;
  return { lifetime: point['ttl'] === '1h' ? '1h' : '5m' };
}

function readBlock(block: JsonRecord): Part | null {
  const { text, toolUse, toolResult, reasoningContent } = block;
  if (typeof text === 'string') return { type: 'text', text };
  if (isRecord(toolUse)) return readCall(toolUse);
  if (isRecord(toolResult)) return readResult(toolResult);
  if (isRecord(reasoningContent)) return readReasoning(reasoningContent);
  return readMedia(block);
}

function readCall(block: JsonRecord): Part {
  if (isServerTool(block)) return hostedCall(block, block['input']);
  return {
    type: 'tool_call',
    id: textOf(block['toolUseId']) ?? '',
    name: textOf(block['name']) ?? '',
    arguments: JSON.stringify(block['input'] ?? {}),
    format: 'json',
  };
}

/** Results of the host's own tools have a type and stand in the assistant's turn. */
function readResult(block: JsonRecord): Part {
  if (textOf(block['type']) !== undefined) return hostedResult(block, block['content']);
  const { status } = block;
  const content = listOf(block['content']).flatMap((inner) => readInner(recordOf(inner)));
  return {
    type: 'tool_result',
    callId: textOf(block['toolUseId']) ?? '',
    content,
    ...(status === undefined ? {} : { isError: status === 'error' }),
  };
}

function readInner(block: JsonRecord): ToolResultPart['content'] {
  if (block['json'] !== undefined) return [{ type: 'text', text: JSON.stringify(block['json']) }];
  const part = readBlock(block);
  if (part === null || part.type === 'video') return [];
  const holds = part.type === 'text' || part.type === 'image' || part.type === 'file';
  return holds || part.type === 'audio' ? [part] : [];
}

function readReasoning(block: JsonRecord): Part {
  const redacted = textOf(block['redactedContent']);
  const base = { type: 'reasoning', summary: false, native: OWN } as const;
  if (redacted !== undefined) return { ...base, text: '', encrypted: redacted };
  const said = recordOf(block['reasoningText']);
  const signature = textOf(said['signature']);
  const signed = signature === undefined ? {} : { signature };
  return { ...base, text: textOf(said['text']) ?? '', ...signed };
}

function readMedia(block: JsonRecord): Part | null {
  for (const type of ['image', 'audio', 'video'] as const) {
    const said = block[type];
    if (isRecord(said)) return { type, source: readSource(said, type) };
  }
  return isRecord(block['document']) ? readDocument(block['document']) : null;
}

/** The media type of each document format, by which it is written again. */
const DOCUMENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['pdf', 'application/pdf'],
  ['csv', 'text/csv'],
  ['doc', 'application/msword'],
  ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['xls', 'application/vnd.ms-excel'],
  ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['html', 'text/html'],
  ['txt', 'text/plain'],
  ['md', 'text/markdown'],
]);

function readDocument(block: JsonRecord): FilePart {
  const filename = textOf(block['name']);
  const context = textOf(block['context']);
  const citable = recordOf(block['citations'])['enabled'] === true;
  const source = readSource(block, 'application');
  const mediaType = DOCUMENT_TYPES.get(textOf(block['format']) ?? '');
  return {
    type: 'file',
    source: mediaType === undefined ? source : { ...source, mediaType },
    ...(filename === undefined ? {} : { filename }),
    ...(context === undefined ? {} : { context }),
    ...(citable ? { citable: true } : {}),
  };
}

function readSource(block: JsonRecord, kind: string): MediaSource {
  const format = textOf(block['format']) ?? '';
  // Some clients write a whole media type where a format belongs.
  const mediaType = format.includes('/') ? format : `${kind}/${format}`;
  const source = recordOf(block['source']);
  const url = textOf(recordOf(source['s3Location'])['uri']);
  if (url !== undefined) return { kind: 'url', url, mediaType };
  return { kind: 'base64', mediaType, data: textOf(source['bytes']) ?? '' };
}
