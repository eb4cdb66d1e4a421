/**
 * Reads `system` and `messages` of a Messages request into turns. Tool results become turns of
 * their own, as everywhere in the common form; paths stay those of the caller's body.
 */
import type { CacheHint, MediaSource, Part, ToolResultPart, Turn } from '#providers/form.ts';
import { isRecord, listOf, recordOf, textOf, type JsonRecord } from '#providers/json.ts';
import { readAssistantBlock } from './read-block.ts';
import { DIALECT } from './native.ts';

export function readTurns(body: JsonRecord): readonly Turn[] {
  const turns: Turn[] = [];
  const system = blocksOf(body['system']);
  if (system.length > 0) {
    const parts = system.map((block, index) => readSaid(block, `system[${index}]`));
    turns.push({ role: 'system', parts, path: 'system' });
  }
  for (const [index, message] of listOf(body['messages']).entries()) {
    turns.push(...readMessage(recordOf(message), `messages[${index}]`));
  }
  return turns;
}

/** Content as a list of blocks; a string is one of text. */
function blocksOf(content: unknown): readonly JsonRecord[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return listOf(content).filter(isRecord);
}

function readMessage(message: JsonRecord, path: string): readonly Turn[] {
  const blocks = blocksOf(message['content']);
  const at = (index: number): string => `${path}.content[${index}]`;
  if (message['role'] === 'assistant') {
    const parts = blocks.map((block, index) =>
      withCache(readAssistantBlock(block), block, at(index)),
    );
    return [{ role: 'assistant', parts, path }];
  }
  if (message['role'] === 'system') {
    const parts = blocks.map((block, index) => readSaid(block, at(index)));
    return [{ role: 'system', parts, path, native: { [DIALECT]: { inline: true } } }];
  }
  return readQuestion(blocks, path);
}

function readQuestion(blocks: readonly JsonRecord[], path: string): readonly Turn[] {
  const turns: Turn[] = [];
  const parts: Part[] = [];
  for (const [index, block] of blocks.entries()) {
    const at = `${path}.content[${index}]`;
    if (block['type'] === 'tool_result') {
      turns.push({ role: 'tool', parts: [readResult(block, at)], path });
    } else {
      parts.push(readSaid(block, at));
    }
  }
  if (parts.length > 0 || turns.length === 0) turns.push({ role: 'user', parts, path });
  return turns;
}

export function readCache(block: JsonRecord): CacheHint | undefined {
  const control = block['cache_control'];
  if (!isRecord(control)) return undefined;
  return { lifetime: control['ttl'] === '1h' ? '1h' : '5m' };
}

function withCache<Kind extends Part>(part: Kind, block: JsonRecord, path: string): Kind {
  const cache = readCache(block);
  return { ...part, path, ...(cache === undefined ? {} : { cache }) };
}

type SaidPart = Extract<Part, { readonly type: 'text' | 'image' | 'file' }>;

/** A block of a user's or system's message. */
function readSaid(block: JsonRecord, path: string): SaidPart {
  return withCache(saidPart(block), block, path);
}

function saidPart(block: JsonRecord): SaidPart {
  const source = readSource(recordOf(block['source']));
  if (block['type'] === 'text') return { type: 'text', text: textOf(block['text']) ?? '' };
  if (block['type'] === 'image' && source !== null) return { type: 'image', source };
  if (block['type'] === 'document' && source !== null) return readDocument(block, source);
  // Search results, uploads, changes of tools: as they came, with what a reader could read of them.
  const { cache_control: _cache, ...raw } = block;
  return {
    type: 'text',
    text: textWithin(block['content']),
    native: { [DIALECT]: { block: raw } },
  };
}

function textWithin(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((piece) => textOf(recordOf(piece)['text']) ?? '')
    .join('');
}

function readDocument(block: JsonRecord, source: MediaSource): SaidPart {
  const filename = textOf(block['title']);
  const context = textOf(block['context']);
  const { citations } = block;
  const citable = isRecord(citations) ? citations['enabled'] === true : undefined;
  return {
    type: 'file',
    source,
    ...(filename === undefined ? {} : { filename }),
    ...(context === undefined ? {} : { context }),
    ...(citable === undefined ? {} : { citable }),
  };
}

/** Null for sources that the form has no word for: lists of blocks. */
function readSource(source: JsonRecord): MediaSource | null {
  const mediaType = textOf(source['media_type']) ?? 'application/octet-stream';
  const data = textOf(source['data']);
  const url = textOf(source['url']);
  const fileId = textOf(source['file_id']);
  if (source['type'] === 'base64' && data !== undefined) return { kind: 'base64', mediaType, data };
  if (source['type'] === 'text' && data !== undefined) {
    return { kind: 'base64', mediaType, data: base64OfText(data) };
  }
  if (source['type'] === 'url' && url !== undefined) return { kind: 'url', url };
  return source['type'] === 'file' && fileId !== undefined ? { kind: 'file_id', fileId } : null;
}

function base64OfText(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const RESULT_PIECES: ReadonlySet<unknown> = new Set(['text', 'image', 'document']);

function readResult(block: JsonRecord, path: string): ToolResultPart {
  const { content } = block;
  const blocks = blocksOf(content);
  const pieces = blocks.map((piece, index) => readSaid(piece, `${path}.content[${index}]`));
  // References to tools and the like go back as they came.
  const foreign = blocks.some((piece) => !RESULT_PIECES.has(piece['type']));
  const result: ToolResultPart = {
    type: 'tool_result',
    callId: textOf(block['tool_use_id']) ?? '',
    content: pieces,
    ...(block['is_error'] === true ? { isError: true } : {}),
    ...(foreign ? { native: { [DIALECT]: { content } } } : {}),
  };
  return withCache(result, block, path);
}
