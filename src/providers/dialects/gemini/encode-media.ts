/**
 * Images, audio, video and documents of a conversation as parts of Google's. Bytes go inline;
 * addresses go as `fileUri`, which both hosts fetch themselves (the Gemini API since 2026-01, see
 * https://ai.google.dev/gemini-api/docs/file-input-methods), each with the media type that Google
 * demands of them.
 */
import type { AudioPart, FilePart, ImagePart, MediaSource, VideoPart } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';
import type { Warning } from '#providers/provider.ts';

export type MediaPart = ImagePart | AudioPart | VideoPart | FilePart;

export interface MediaPlace {
  /** Of the part, in the caller's body. */
  readonly path: string;
  /** Where uploads of the Gemini API lie; null where the host has none. */
  readonly filesUrl: string | null;
  readonly warnings: Warning[];
}

type Encoded = Readonly<Record<string, unknown>>;

/** `inlineData` or `fileData`. Throws CannotSay where the part is not what it says it is. */
export function encodeMedia(part: MediaPart, place: MediaPlace): Encoded {
  const source = readDataUrl(part.source);
  if (source.kind === 'base64') return encodeBytes(part, source, place);
  const url = source.kind === 'url' ? source.url : fileUrlOf(source.fileId, place);
  const mimeType = source.mediaType ?? typeOfName(url) ?? assumeType(part, place);
  return { fileData: { fileUri: url, mimeType } };
}

type Bytes = MediaSource & { readonly kind: 'base64' };

function encodeBytes(part: MediaPart, { data, mediaType }: Bytes, place: MediaPlace): Encoded {
  if (part.type === 'audio' && data === '') {
    throw new CannotSay(place.path, 'Earlier audio is known here by its bytes and not by an id.');
  }
  const kind = part.type === 'file' ? null : part.type;
  if (kind !== null && !mediaType.startsWith(`${kind}/`)) {
    throw new CannotSay(place.path, `"${mediaType}" is no media type of ${kind} data.`);
  }
  // The head is enough to tell base64 from what was never encoded.
  if (!/^[\w+/-][\w+/-]+={0,2}$/.test(data.slice(0, 64))) {
    throw new CannotSay(place.path, 'The data is not base64.');
  }
  // A name that is often written and never was registered.
  const mimeType = mediaType === 'image/jpg' ? 'image/jpeg' : mediaType;
  return { inlineData: { mimeType, data } };
}

function readDataUrl(source: MediaSource): MediaSource {
  if (source.kind !== 'url' || !source.url.startsWith('data:')) return source;
  const comma = source.url.indexOf(',');
  const [mediaType = '', ...flags] = source.url.slice('data:'.length, comma).split(';');
  if (comma === -1 || !flags.includes('base64')) return source;
  return { kind: 'base64', mediaType, data: source.url.slice(comma + 1) };
}

/** Ids of uploads are addresses already, or names (`files/abc`) under the host's own. */
function fileUrlOf(fileId: string, place: MediaPlace): string {
  if (/^(https?|gs):\/\//.test(fileId)) return fileId;
  if (place.filesUrl !== null && fileId.startsWith('files/')) return `${place.filesUrl}/${fileId}`;
  throw new CannotSay(place.path, `The file "${fileId}" does not lie at this provider.`);
}

const TYPES_BY_ENDING: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['gif', 'image/gif'],
  ['heic', 'image/heic'],
  ['heif', 'image/heif'],
  ['wav', 'audio/wav'],
  ['mp3', 'audio/mpeg'],
  ['m4a', 'audio/mp4'],
  ['aac', 'audio/aac'],
  ['ogg', 'audio/ogg'],
  ['flac', 'audio/flac'],
  ['mp4', 'video/mp4'],
  ['mpeg', 'video/mpeg'],
  ['mov', 'video/quicktime'],
  ['webm', 'video/webm'],
  ['pdf', 'application/pdf'],
  ['txt', 'text/plain'],
  ['md', 'text/markdown'],
  ['html', 'text/html'],
  ['csv', 'text/csv'],
  ['json', 'application/json'],
]);

function typeOfName(url: string): string | undefined {
  const ending = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(url)?.[1];
  return ending === undefined ? undefined : TYPES_BY_ENDING.get(ending.toLowerCase());
}

const ASSUMED_TYPES = {
  image: 'image/jpeg',
  audio: 'audio/mpeg',
  video: 'video/mp4',
  file: 'application/pdf',
} as const;

function assumeType(part: MediaPart, { path, warnings }: MediaPlace): string {
  const mimeType = ASSUMED_TYPES[part.type];
  // What the address of a video hides is always the same.
  if (part.type === 'video') return mimeType;
  const message = `The address does not tell its media type; ${mimeType} was assumed.`;
  warnings.push({ code: 'emulated', param: path, message });
  return mimeType;
}
