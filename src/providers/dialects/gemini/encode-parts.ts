/** Writes single parts of a conversation: text, media, and what is Google's own beside them. */
import type { Part } from '#providers/form.ts';
import type { Warning } from '#providers/provider.ts';
import { encodeMedia } from './encode-media.ts';
import type { MediaPart } from './encode-media.ts';
import type { ModelTraits } from './models.ts';
import { GOOGLE } from './native.ts';

export type JsonPart = Record<string, unknown>;

/** Where we are, and what model and host can: shared by everything below. */
export interface TurnPlace {
  readonly traits: ModelTraits;
  /** Whether the host takes calls of its own tools back (not Vertex). */
  readonly takesHostedCalls: boolean;
  readonly filesUrl: string | null;
  readonly warnings: Warning[];
}

/** Parts of a user's turn or of instructions. */
export function encodeParts(
  parts: readonly Part[],
  path: string,
  place: TurnPlace,
): readonly JsonPart[] {
  return parts.flatMap((part, index) => {
    const at = part.path ?? `${path}.content[${index}]`;
    const encoded = encodePart(part, at, place);
    return encoded === null ? [] : [encoded];
  });
}

/** One part, without signature; null for what says nothing or cannot be said (with a warning). */
export function encodePart(part: Part, path: string, place: TurnPlace): JsonPart | null {
  const extras = extrasOf(part);
  switch (part.type) {
    case 'text':
    case 'refusal':
      if (part.text !== '') return { ...extras, text: part.text };
      return Object.keys(extras).length === 0 ? null : extras;
    case 'image':
    case 'audio':
    case 'video':
    case 'file':
      return encodeMediaPart(part, path, place);
    default: {
      const message = `A part of type "${part.type}" cannot be sent to this provider.`;
      place.warnings.push({ code: 'dropped', param: path, message });
      return null;
    }
  }
}

function encodeMediaPart(part: MediaPart, path: string, place: TurnPlace): JsonPart {
  const { warnings, filesUrl } = place;
  const drop = (message: string): void =>
    void warnings.push({ code: 'dropped', param: path, message });
  if (part.type === 'image' && part.detail !== undefined && part.detail !== 'auto') {
    drop('This provider takes no detail of images; it chooses the resolution itself.');
  }
  if (part.type === 'file' && part.citable === true) {
    drop('This provider gives no citations out of documents.');
  }
  return { ...extrasOf(part), ...encodeMedia(part, { path, filesUrl, warnings }) };
}

/** Members of Google's own beside the content, such as `videoMetadata`. */
export function extrasOf(part: Part): JsonPart {
  const native = part.native?.[GOOGLE];
  if (native === undefined) return {};
  const { thought_signature: _signature, ...extras } = native;
  return extras;
}
