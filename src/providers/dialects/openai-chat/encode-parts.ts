/** Writes parts of a turn as the content of a chat message: text alone as a string, else a list. */
import type { AudioPart, FilePart, ImagePart, MediaSource, Part } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';
import { DIALECT } from './content.ts';
import type { EncodePlace } from './encode-turns.ts';

type ContentPart = Record<string, unknown>;

/**
 * Content of one message. Parts that chat messages cannot hold are left out, with a warning each.
 */
export function encodeParts(parts: readonly Part[], place: EncodePlace): unknown {
  const [only] = parts;
  if (parts.length === 1 && only?.type === 'text' && !hasMore(only, place)) return only.text;
  const said = parts.flatMap((part) => {
    const content = encodePart(part);
    if (content === null) {
      const message = `A part of type "${part.type}" cannot be sent to this provider.`;
      place.warnings.push({ code: 'dropped', param: `${place.path}.content`, message });
      return [];
    }
    return [{ ...part.native?.[DIALECT], ...content, ...cacheControl(part, place) }];
  });
  if (said.length > 0 || only === undefined) return said;
  // An empty message is refused by every host, and says nothing of what was meant.
  const message = 'Nothing of this message can be sent to this provider.';
  throw new CannotSay(only.path ?? `${place.path}.content`, message);
}

function hasMore(part: Part, place: EncodePlace): boolean {
  return part.native?.[DIALECT] !== undefined || 'cache_control' in cacheControl(part, place);
}

/** Hints only where the host knows them; elsewhere it caches, or not, by itself. */
function cacheControl(part: Part, place: EncodePlace): ContentPart {
  if (part.cache === undefined || !place.habits.cacheControl) return {};
  const { lifetime } = part.cache;
  return { cache_control: { type: 'ephemeral', ...(lifetime === '1h' ? { ttl: '1h' } : {}) } };
}

function encodePart(part: Part): ContentPart | null {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'refusal':
      return { type: 'refusal', refusal: part.text };
    case 'image':
      return encodeImage(part);
    case 'audio':
      return encodeAudio(part);
    case 'file':
      return encodeFile(part);
    case 'video': {
      const url = addressOf(part.source);
      return url === null ? null : { type: 'video_url', video_url: { url } };
    }
    default:
      return null;
  }
}

function encodeImage(part: ImagePart): ContentPart | null {
  const url = addressOf(part.source);
  if (url === null) return null;
  const detail = part.detail === undefined ? {} : { detail: part.detail };
  return { type: 'image_url', image_url: { url, ...detail } };
}

/** `input_audio` takes inline bytes only, and names the format by its short name. */
function encodeAudio(part: AudioPart): ContentPart | null {
  const { source } = part;
  if (source.kind !== 'base64') return null;
  const subtype = source.mediaType.split('/')[1] ?? '';
  const format = subtype === 'mpeg' ? 'mp3' : subtype.replace(/^x-/, '');
  return { type: 'input_audio', input_audio: { data: source.data, format } };
}

function encodeFile(part: FilePart): ContentPart | null {
  const { source } = part;
  const filename = part.filename === undefined ? {} : { filename: part.filename };
  if (source.kind === 'file_id') return { type: 'file', file: { file_id: source.fileId } };
  if (source.kind === 'url') return null;
  return { type: 'file', file: { file_data: addressOf(source), ...filename } };
}

/** An address, or a data URL; null for bytes that lie at some upstream. */
function addressOf(source: MediaSource): string | null {
  if (source.kind === 'url') return source.url;
  if (source.kind === 'base64') return `data:${source.mediaType};base64,${source.data}`;
  return null;
}
