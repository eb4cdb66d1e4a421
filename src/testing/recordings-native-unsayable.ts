/**
 * Takes out of a recorded request what chat has no place for, and names it, so that all the rest
 * can be compared strictly with what came out at the other end.
 */
import { at, isObject, listOf, objectOf, stringOf, type JsonObject } from './recordings-json.ts';
import type { NativeDialect } from './recordings-native-rows.ts';

export interface Sayable {
  readonly body: JsonObject;
  /** Kinds of what was taken out: `block server_tool_use`, `tool advisor`. */
  readonly unsayable: readonly string[];
}

/** The member that holds the turns, and the one that holds a turn's blocks. */
const PLACES: Readonly<Record<NativeDialect, readonly [turns: string, blocks: string]>> = {
  anthropic: ['messages', 'content'],
  gemini: ['contents', 'parts'],
  bedrock: ['messages', 'content'],
  cohere: ['messages', 'content'],
};

/** The kind of a block that chat has no place for; null for all others. */
const KINDS: Readonly<Record<NativeDialect, (block: JsonObject) => string | null>> = {
  anthropic: anthropicKind,
  gemini: geminiKind,
  bedrock: bedrockKind,
  cohere: () => null,
};

export function sayableOf(body: JsonObject, dialect: NativeDialect): Sayable {
  const [turns, blocks] = PLACES[dialect];
  const unsayable: string[] = [];
  const kept = listOf(body[turns]).flatMap((turn) => {
    const content = objectOf(turn)[blocks];
    if (!Array.isArray(content)) return [turn];
    const said = content.filter((block) => {
      const kind = KINDS[dialect](objectOf(block));
      if (kind !== null) unsayable.push(`block ${kind}`);
      return kind === null;
    });
    // A turn that held nothing else is gone with it.
    return said.length === 0 && content.length > 0 ? [] : [{ ...objectOf(turn), [blocks]: said }];
  });
  return { body: systemFirst({ ...body, [turns]: kept }, unsayable), unsayable };
}

/** Newer models of Anthropic take instructions in the middle; chat's go to the front for all. */
function systemFirst(body: JsonObject, unsayable: string[]): JsonObject {
  const isSystem = (turn: unknown) => at(turn, 'role') === 'system' && 'max_tokens' in body;
  const moved = listOf(body['messages']).filter(isSystem);
  if (moved.length === 0) return body;
  unsayable.push('place of instructions in the middle');
  const said = [{ content: body['system'] ?? [] }, ...moved].flatMap((turn) =>
    blocksOf(at(turn, 'content')),
  );
  const messages = listOf(body['messages']).filter((turn) => !isSystem(turn));
  return { ...body, messages, system: said };
}

function blocksOf(content: unknown): readonly unknown[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
}

const HOSTED_BLOCK = /^(?:server_tool_use|mcp_tool_use|.+_tool_result|container_upload)$/;
const BETA_BLOCKS = new Set(['compaction', 'tool_addition']);

function anthropicKind(block: JsonObject): string | null {
  const type = stringOf(block['type']);
  if (HOSTED_BLOCK.test(type) || BETA_BLOCKS.has(type)) return type;
  const isImage = type === 'image' && at(block, 'source', 'type') === 'file';
  return isImage ? 'image, uploaded' : null;
}

const GEMINI_PARTS = ['toolCall', 'toolResponse', 'executableCode', 'codeExecutionResult'];

function geminiKind(part: JsonObject): string | null {
  if (isObject(part['videoMetadata']) && Object.keys(part).length === 1) return 'videoMetadata';
  return GEMINI_PARTS.find((name) => isObject(part[name])) ?? null;
}

function bedrockKind(block: JsonObject): string | null {
  const type = at(block, 'toolUse', 'type') ?? at(block, 'toolResult', 'type');
  return typeof type === 'string' ? type : null;
}
