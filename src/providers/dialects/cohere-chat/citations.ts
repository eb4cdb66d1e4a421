/**
 * Cohere's citations: spans of the answer, each with the documents or tool outputs that it rests
 * on. They become one citation for each source.
 */
import type { Citation } from '#providers/form.ts';
import { isRecord, listOf, numberOf, recordOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { COHERE } from './native.ts';

/**
 * Where in a growing text stand characters that count twice in UTF-16, as numbers of characters
 * before them. Cohere counts characters; the common form counts UTF-16 units. Few texts have such
 * characters, so the text itself need not be kept.
 */
export interface WideCharacters {
  push(text: string): void;
  /** The UTF-16 offset of a character. */
  unitOf(character: number): number;
}

export function wideCharacters(): WideCharacters {
  const wide: number[] = [];
  let characters = 0;
  return {
    push(text) {
      if (!/[\ud800-\udbff]/.test(text)) {
        characters += text.length;
        return;
      }
      for (const character of text) {
        if (character.length === 2) wide.push(characters);
        characters += 1;
      }
    },
    unitOf(character) {
      let before = 0;
      while (before < wide.length && (wide[before] ?? 0) < character) before += 1;
      return character + before;
    },
  };
}

/** Whether the citation stands on the answer's text: not on the plan of tools, nor on thinking. */
export function isOfText(citation: JsonRecord): boolean {
  const type = textOf(citation['type']);
  return type === undefined || type === 'TEXT_CONTENT';
}

/** One citation of each source; one without source where none is named. */
export function toCitations(said: JsonRecord, wide: WideCharacters): readonly Citation[] {
  const place = placeOf(said, wide);
  const sources = listOf(said['sources']).filter(isRecord);
  if (sources.length === 0) return [{ kind: 'document', ...place, native: { [COHERE]: said } }];
  return sources.map((source) => ({
    ...sourceOf(source),
    ...place,
    native: { [COHERE]: { ...said, sources: [source] } },
  }));
}

function placeOf(said: JsonRecord, wide: WideCharacters): Pick<Citation, 'start' | 'end'> {
  const start = numberOf(said['start']);
  const end = numberOf(said['end']);
  if (start === undefined || end === undefined || end < start) return {};
  return { start: wide.unitOf(start), end: wide.unitOf(end) };
}

function sourceOf(source: JsonRecord): Citation {
  const document = recordOf(source['document'] ?? source['tool_output']);
  const url = textOf(document['url']);
  const id = textOf(source['id']);
  const title = textOf(document['title']) ?? id;
  const citedText =
    textOf(document['text']) ?? textOf(document['snippet']) ?? textOf(document['content']);
  const index = /^doc:(\d+)$/.exec(id ?? '')?.[1];
  return {
    kind: url === undefined ? 'document' : 'url',
    ...(url === undefined ? {} : { url }),
    ...(title === undefined ? {} : { title }),
    ...(citedText === undefined ? {} : { citedText }),
    ...(index === undefined ? {} : { documentIndex: Number(index) }),
  };
}
