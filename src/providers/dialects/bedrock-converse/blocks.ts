/**
 * The pieces that whole answers and streams of Converse share: citations, calls of tools that the
 * host ran itself, media.
 */
import type { Citation, HostedToolCallPart, HostedToolResultPart } from '#providers/form.ts';
import type { MediaSource } from '#providers/form.ts';
import { isRecord, listOf, numberOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { BEDROCK, OWN } from './native.ts';

/** Of a tool that the host runs and answers by itself (Nova's code interpreter, grounding). */
export function isServerTool(block: JsonRecord): boolean {
  return block['type'] === 'server_tool_use';
}

export function hostedCall(block: JsonRecord, input: unknown): HostedToolCallPart {
  return {
    type: 'hosted_tool_call',
    id: textOf(block['toolUseId']) ?? '',
    tool: textOf(block['name']) ?? '',
    input,
    status: 'completed',
    native: OWN,
  };
}

/** The result of a hosted tool; `type` names it with `_result` behind. */
export function hostedResult(block: JsonRecord, output: unknown): HostedToolResultPart {
  const type = textOf(block['type']) ?? '';
  return {
    type: 'hosted_tool_result',
    callId: textOf(block['toolUseId']) ?? '',
    tool: type.replace(/_result$/, ''),
    output,
    ...(block['status'] === 'error' ? { isError: true } : {}),
    native: type === '' ? OWN : { [BEDROCK]: { type } },
  };
}

/** What a cited text relies on. `length` is that text's: Converse cites whole runs of text. */
export function toCitation(said: unknown, length: number): Citation {
  const citation = recordOf(said);
  const location = recordOf(citation['location']);
  const web = recordOf(location['web']);
  const place = placeOf(location);
  const url = textOf(web['url']) ?? addressOf(citation['source']);
  const title = textOf(citation['title']);
  const citedText = listOf(citation['sourceContent'])
    .map((piece) => textOf(recordOf(piece)['text']) ?? '')
    .join('');
  const documentIndex = numberOf(place['documentIndex']) ?? numberOf(place['searchResultIndex']);
  return {
    kind: url === undefined ? 'document' : 'url',
    ...(url === undefined ? {} : { url }),
    ...(title === undefined ? {} : { title }),
    ...(citedText === '' ? {} : { citedText }),
    ...(documentIndex === undefined ? {} : { documentIndex }),
    ...(length === 0 ? {} : { start: 0, end: length }),
    native: { [BEDROCK]: citation },
  };
}

/** `documentChar`, `documentPage`, `documentChunk` or `searchResultLocation`. */
function placeOf(location: JsonRecord): JsonRecord {
  return recordOf(Object.values(location).find(isRecord));
}

/** A search result's source is whatever the caller named it; only an address is a link. */
function addressOf(source: unknown): string | undefined {
  const text = textOf(source);
  return text !== undefined && /^https?:\/\//.test(text) ? text : undefined;
}

/** Bytes of an image, sound or film in an answer; null where none are there. */
export function mediaSource(block: JsonRecord, kind: string): MediaSource | null {
  const format = textOf(block['format']) ?? '';
  const source = recordOf(block['source']);
  const mediaType = format === '' ? 'application/octet-stream' : `${kind}/${format}`;
  const url = textOf(recordOf(source['s3Location'])['uri']);
  if (url !== undefined) return { kind: 'url', url, mediaType };
  const data = textOf(source['bytes']);
  return data === undefined ? null : { kind: 'base64', mediaType, data };
}
