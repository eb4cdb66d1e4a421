/**
 * Reads what stands for bytes in a chat body: addresses, data URLs, bare base64. Bytes that cannot
 * be what they are said to be are refused here, by their path, before an upstream is paid to say
 * so.
 */
import type { MediaSource } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';

type InlineSource = Extract<MediaSource, { readonly kind: 'base64' }>;

/** Addresses that some upstream fetches: the web, and the stores of the large clouds. */
const ADDRESS = /^(?:https?|gs|s3):\/\/./i;

/** Types of images whose first bytes are known for certain. */
const PLAIN_IMAGE_TYPES: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/jpg',
  'image/gif',
  'image/webp',
  'image/*',
]);

/** Where the bytes of a part are. `family` is what its media type must begin with, if any. */
export function readSource(text: string, family: string, path: string): MediaSource {
  if (/^data:/i.test(text)) return readDataUrl(text, family, path);
  if (ADDRESS.test(text)) return { kind: 'url', url: text };
  throw new CannotSay(path, 'Expected an http(s) address or a base64 data URL.');
}

/** An image: an address, or inline bytes that begin as an image does. */
export function readImageSource(text: string, path: string): MediaSource {
  const source = readSource(text, 'image/', path);
  if (source.kind !== 'base64') return source;
  // The bytes know better than the label, which upstreams stricter than OpenAI compare with them.
  const mediaType = imageTypeOf(source.data);
  if (mediaType !== undefined) return { ...source, mediaType };
  if (!PLAIN_IMAGE_TYPES.has(source.mediaType)) return source;
  throw new CannotSay(path, `The data is not an image of type ${source.mediaType}.`);
}

function readDataUrl(text: string, family: string, path: string): InlineSource {
  const comma = text.indexOf(',');
  const header = text.slice('data:'.length, Math.max(comma, 0)).toLowerCase();
  const [mediaType = '', ...parameters] = header.split(';').map((piece) => piece.trim());
  if (comma < 0 || parameters.at(-1) !== 'base64') {
    throw new CannotSay(path, 'A data URL must be base64: data:<type>;base64,<data>.');
  }
  if (!mediaType.startsWith(family)) {
    throw new CannotSay(path, `The data URL must name a media type of ${family}*.`);
  }
  const data = readBase64(text.slice(comma + 1), path);
  return { kind: 'base64', mediaType: mediaType || 'application/octet-stream', data };
}

/**
 * Base64 in its standard form. Line breaks, the URL alphabet and missing padding are put right;
 * what cannot be decoded is refused.
 */
export function readBase64(text: string, path: string): string {
  if (isStandard(text)) return text;
  const plain = text
    .replaceAll(/\s+|=+\s*$/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  const padded = plain + '='.repeat((4 - (plain.length % 4)) % 4);
  if (isStandard(padded)) return padded;
  throw new CannotSay(path, 'The data is not valid base64.');
}

/** One pass without backtracking: media may be megabytes. */
function isStandard(text: string): boolean {
  if (text === '' || text.length % 4 !== 0) return false;
  const end = text.search(/[^A-Za-z0-9+/]/);
  if (end < 0) return true;
  const padding = text.slice(end);
  return padding === '=' || padding === '==';
}

/** The first bytes of inline data, one per character. */
function firstBytes(data: string): string {
  const start = data.slice(0, 32);
  return atob(start);
}

/** Undefined where the bytes begin like no image that is known here. */
function imageTypeOf(data: string): string | undefined {
  const bytes = firstBytes(data);
  if (bytes.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (bytes.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (bytes.startsWith('GIF87a') || bytes.startsWith('GIF89a')) return 'image/gif';
  if (bytes.startsWith('RIFF') && bytes.startsWith('WEBP', 8)) return 'image/webp';
  if (bytes.startsWith('BM')) return 'image/bmp';
  if (bytes.startsWith('II*\0') || bytes.startsWith('MM\0*')) return 'image/tiff';
  if (!bytes.startsWith('ftyp', 4)) return undefined;
  return bytes.startsWith('avif', 8) ? 'image/avif' : 'image/heic';
}

/** Undefined where the bytes begin like no sound that is known here. */
export function audioTypeOf(data: string): string | undefined {
  const bytes = firstBytes(data);
  if (bytes.startsWith('RIFF') && bytes.startsWith('WAVE', 8)) return 'audio/wav';
  if (bytes.startsWith('ID3') || /^\xff[\xe2-\xfb]/.test(bytes)) return 'audio/mpeg';
  if (bytes.startsWith('OggS')) return 'audio/ogg';
  if (bytes.startsWith('fLaC')) return 'audio/flac';
  return undefined;
}

const TYPES_BY_ENDING: ReadonlyMap<string, string> = new Map([
  ['pdf', 'application/pdf'],
  ['txt', 'text/plain'],
  ['md', 'text/markdown'],
  ['csv', 'text/csv'],
  ['html', 'text/html'],
  ['json', 'application/json'],
  ['xml', 'text/xml'],
  ['doc', 'application/msword'],
  ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['xls', 'application/vnd.ms-excel'],
  ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
]);

/** The type of a file that came as bare base64: by its first bytes, else by its name. */
export function fileTypeOf(data: string, filename: string | undefined): string {
  if (firstBytes(data).startsWith('%PDF')) return 'application/pdf';
  const ending = filename?.split('.').at(-1)?.toLowerCase() ?? '';
  return TYPES_BY_ENDING.get(ending) ?? 'application/octet-stream';
}
