/**
 * Citations out of what Google grounds an answer on: searches, pages, files, places, and texts that
 * it recites. Supports count in bytes, from the start of a part that they often do not name, so
 * that the text they quote decides where they stand.
 */
import type { Citation } from '#providers/form.ts';
import { isRecord, listOf, numberOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { nativeOf } from './native.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `text` is the visible text of the candidate. */
export function readCitations(candidate: JsonRecord, text: string): readonly Citation[] {
  const grounding = recordOf(candidate['groundingMetadata']);
  const chunks = listOf(grounding['groundingChunks']);
  const supports = listOf(grounding['groundingSupports']).filter(isRecord);
  const recited = listOf(recordOf(candidate['citationMetadata'])['citations']).filter(isRecord);
  if (chunks.length === 0 && recited.length === 0) return [];
  const finder = spanFinder(text);
  const citations: Citation[] = [];
  const cited = new Set<number>();
  for (const support of supports) {
    const span = finder(recordOf(support['segment']));
    for (const index of listOf(support['groundingChunkIndices'])) {
      const source = typeof index === 'number' ? readChunk(chunks[index]) : null;
      if (source === null || typeof index !== 'number') continue;
      cited.add(index);
      citations.push({ ...source, ...span });
    }
  }
  // Sources that no sentence names were read all the same.
  for (const [index, chunk] of chunks.entries()) {
    const source = cited.has(index) ? null : readChunk(chunk);
    if (source !== null) citations.push(source);
  }
  for (const citation of recited) citations.push(readRecited(citation, finder));
  return citations;
}

function readChunk(chunk: unknown): Citation | null {
  const { web, maps, image, retrievedContext } = recordOf(chunk);
  const kinds = [web, maps, image, retrievedContext];
  const said = kinds.find((kind) => isRecord(kind));
  if (!isRecord(said)) return null;
  const url = textOf(said['uri']) ?? textOf(said['sourceUri']);
  const title = textOf(said['title']);
  const citedText = said === retrievedContext ? textOf(said['text']) : undefined;
  return {
    kind: url === undefined ? 'document' : 'url',
    ...(url === undefined ? {} : { url }),
    ...(title === undefined ? {} : { title }),
    ...(citedText === undefined ? {} : { citedText }),
  };
}

function readRecited(citation: JsonRecord, finder: SpanFinder): Citation {
  const { startIndex, endIndex, uri, title, ...rest } = citation;
  const url = textOf(uri);
  const named = textOf(title);
  const native = nativeOf(rest);
  return {
    kind: url === undefined ? 'document' : 'url',
    ...(url === undefined ? {} : { url }),
    ...(named === undefined ? {} : { title: named }),
    ...finder({ startIndex, endIndex }),
    ...(native === undefined ? {} : { native }),
  };
}

type Span = { readonly start?: number; readonly end?: number };
type SpanFinder = (segment: JsonRecord) => Span;

/** UTF-16 offsets for a segment in bytes; none where it lies outside the text. */
function spanFinder(text: string): SpanFinder {
  const bytes = encoder.encode(text);
  const isAscii = bytes.length === text.length;
  const toUnits = (offset: number): number =>
    isAscii ? offset : decoder.decode(bytes.subarray(0, offset)).length;
  let last = 0;
  return (segment) => {
    const quoted = textOf(segment['text']);
    const from = numberOf(segment['startIndex']) ?? 0;
    const to = numberOf(segment['endIndex']);
    if (to !== undefined && to > from && from >= 0 && to <= bytes.length) {
      const start = toUnits(from);
      const end = toUnits(to);
      if (quoted === undefined || text.startsWith(quoted, start)) return { start, end };
    }
    if (quoted === undefined) return {};
    const after = text.indexOf(quoted, last);
    const start = after === -1 ? text.indexOf(quoted) : after;
    if (start === -1) return {};
    last = start;
    return { start, end: start + quoted.length };
  };
}
