/**
 * Writes images and documents as content blocks. The bytes decide what an image is: a wrong label
 * is put right, and what is no image is refused here, with the path of the part.
 */
import type { FilePart, ImagePart, MediaSource } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';
import type { Block, EncodePlace } from './encode-place.ts';

/** How the formats begin, in base64. */
const IMAGE_STARTS: readonly (readonly [start: string, mediaType: string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

const PDF_START = 'JVBERi';

export function encodeImage(part: ImagePart, place: EncodePlace): Block {
  const path = part.path ?? 'messages';
  if (part.detail !== undefined && part.detail !== 'auto') {
    const message = 'This provider decides by itself in what detail it looks at images.';
    place.warn('dropped', 'messages[].content[].image_url.detail', message);
  }
  return { type: 'image', source: imageSource(part.source, path, place) };
}

function imageSource(source: MediaSource, path: string, place: EncodePlace): Block {
  if (source.kind !== 'base64') return remoteSource(source, path, place);
  const mediaType = imageTypeOf(source.data);
  if (mediaType === null) {
    throw new CannotSay(path, 'This provider takes images as JPEG, PNG, GIF or WebP only.');
  }
  return { type: 'base64', media_type: mediaType, data: source.data };
}

function imageTypeOf(data: string): string | null {
  return IMAGE_STARTS.find(([start]) => data.startsWith(start))?.[1] ?? null;
}

type RemoteSource = Exclude<MediaSource, { readonly kind: 'base64' }>;

function remoteSource(source: RemoteSource, path: string, place: EncodePlace): Block {
  if (source.kind === 'file_id') {
    if (source.fileId.startsWith('file_')) return { type: 'file', file_id: source.fileId };
    throw new CannotSay(path, 'This file lies at another provider.');
  }
  if (!place.habits.mediaUrls) {
    throw new CannotSay(path, 'This provider does not fetch media by its address.');
  }
  if (!/^https?:\/\//i.test(source.url)) {
    throw new CannotSay(path, 'An address must begin with http:// or https://.');
  }
  return { type: 'url', url: source.url };
}

/** A document with its title, its context and the wish to have it cited. */
export function encodeFile(part: FilePart, place: EncodePlace): Block {
  const path = part.path ?? 'messages';
  const { source } = part;
  if (source.kind === 'base64' && imageTypeOf(source.data) !== null) {
    return { type: 'image', source: imageSource(source, path, place) };
  }
  const block: Block = { type: 'document', source: documentSource(source, path, place) };
  if (part.filename !== undefined) block['title'] = part.filename;
  if (part.context !== undefined) block['context'] = part.context;
  if (part.citable !== undefined) block['citations'] = { enabled: part.citable };
  return block;
}

function documentSource(source: MediaSource, path: string, place: EncodePlace): Block {
  if (source.kind !== 'base64') return remoteSource(source, path, place);
  if (source.data.startsWith(PDF_START) || source.mediaType === 'application/pdf') {
    return { type: 'base64', media_type: 'application/pdf', data: source.data };
  }
  if (isText(source.mediaType)) {
    return { type: 'text', media_type: 'text/plain', data: textOfBase64(source.data, path) };
  }
  throw new CannotSay(path, 'This provider takes documents as PDF or plain text only.');
}

function isText(mediaType: string): boolean {
  return /^(?:text\/|application\/(?:json|xml|yaml|x-yaml|javascript)\b)/.test(mediaType);
}

function textOfBase64(data: string, path: string): string {
  try {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CannotSay(path, 'The file is not base64 of UTF-8 text.');
  }
}
