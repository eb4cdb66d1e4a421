/** Citations of a text block, from and to the upstream's five kinds of place. */
import type { Citation } from '#providers/form.ts';
import { isRecord, listOf, numberOf, textOf, type JsonRecord } from '#providers/json.ts';
import { DIALECT, nativeIn } from './native.ts';

/**
 * One citation. Places inside the source (characters, pages, blocks) stay native: the common form's
 * offsets are of the text that relies on it, and here a citation holds for its whole block.
 */
export function readCitation(place: JsonRecord): Citation {
  const source = textOf(place['source']);
  const url = textOf(place['url']) ?? (source !== undefined && isAddress(source) ? source : null);
  const title = textOf(place['title']) ?? textOf(place['document_title']);
  const citedText = textOf(place['cited_text']);
  const documentIndex = numberOf(place['document_index']);
  const fileId = textOf(place['file_id']);
  return {
    kind: url === null ? 'document' : 'url',
    ...(url === null ? {} : { url }),
    ...(title === undefined ? {} : { title }),
    ...(citedText === undefined ? {} : { citedText }),
    ...(documentIndex === undefined ? {} : { documentIndex }),
    ...(fileId === undefined ? {} : { fileId }),
    native: { [DIALECT]: place },
  };
}

function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

export function readCitations(citations: unknown): readonly Citation[] {
  return listOf(citations).filter(isRecord).map(readCitation);
}

/** Those that this dialect made, as it takes them back: without the id that only answers carry. */
export function writeCitations(citations: readonly Citation[]): readonly JsonRecord[] {
  return citations.flatMap((citation) => {
    const { file_id: _fileId, ...place } = nativeIn(citation);
    return textOf(place['type']) === undefined ? [] : [place];
  });
}
