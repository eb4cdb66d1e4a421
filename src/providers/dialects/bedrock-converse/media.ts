/**
 * Writes images, documents, sound and film as Converse's blocks. It takes bytes or a place in S3
 * and never an address on the web, names formats by short words, and wants every document named, in
 * few characters and no two alike.
 */
import type { AudioPart, FilePart, ImagePart, MediaSource, VideoPart } from '#providers/form.ts';
import { CannotSay } from '#providers/provider.ts';

export type Block = Record<string, unknown>;

/** How the first bytes of an image read in base64. */
const IMAGE_SIGNS: readonly (readonly [string, string])[] = [
  ['/9j/', 'jpeg'],
  ['iVBORw0KGg', 'png'],
  ['R0lGOD', 'gif'],
  ['UklGR', 'webp'],
];

const DOCUMENT_FORMATS: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'pdf'],
  ['text/csv', 'csv'],
  ['application/msword', 'doc'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['application/vnd.ms-excel', 'xls'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
  ['text/html', 'html'],
  ['text/plain', 'txt'],
  ['text/markdown', 'md'],
  ['text/x-markdown', 'md'],
  // Text by any other name reads as text.
  ['application/json', 'txt'],
  ['application/xml', 'txt'],
  ['application/yaml', 'txt'],
  ['application/x-yaml', 'txt'],
]);
const DOCUMENT_WORDS: ReadonlySet<string> = new Set(DOCUMENT_FORMATS.values());

const VIDEO_FORMATS: ReadonlyMap<string, string> = new Map([
  ['video/mp4', 'mp4'],
  ['video/quicktime', 'mov'],
  ['video/mov', 'mov'],
  ['video/x-matroska', 'mkv'],
  ['video/mkv', 'mkv'],
  ['video/webm', 'webm'],
  ['video/x-flv', 'flv'],
  ['video/flv', 'flv'],
  ['video/mpeg', 'mpeg'],
  ['video/mpg', 'mpg'],
  ['video/wmv', 'wmv'],
  ['video/x-ms-wmv', 'wmv'],
  ['video/3gpp', 'three_gp'],
  ['video/three_gp', 'three_gp'],
]);
const VIDEO_WORDS: ReadonlySet<string> = new Set(VIDEO_FORMATS.values());

const AUDIO_WORDS: ReadonlySet<string> = new Set(
  'aac flac m4a mka mkv mp3 mp4 mpeg mpga ogg opus pcm wav webm'.split(' '),
);

export function imageBlock(part: ImagePart, path: string): Block {
  const source = sourceOf(part.source, path, 'image');
  const declared = part.source.kind === 'file_id' ? undefined : part.source.mediaType;
  const format = imageFormat(part.source, declared);
  if (format === null) throw new CannotSay(path, 'This is not a JPEG, PNG, GIF or WebP image.');
  return { image: { format, source } };
}

/** What the bytes say counts: a host that looks inside refuses an image under a wrong name. */
function imageFormat(source: MediaSource, declared: string | undefined): string | null {
  const word = declared
    ?.toLowerCase()
    .replace(/^image\//, '')
    .replace(/^jpg$/, 'jpeg');
  if (source.kind === 'base64') {
    return IMAGE_SIGNS.find(([sign]) => source.data.startsWith(sign))?.[1] ?? null;
  }
  const named = word ?? extensionOf(source.kind === 'url' ? source.url : '');
  const format = named === 'jpg' ? 'jpeg' : named;
  return IMAGE_SIGNS.some(([, known]) => known === format) ? (format ?? null) : null;
}

export function videoBlock(part: VideoPart, path: string): Block {
  const source = sourceOf(part.source, path, 'video');
  const { mediaType, extension } = namesOf(part.source);
  const named = VIDEO_FORMATS.get(mediaType);
  const format = named ?? (VIDEO_WORDS.has(extension) ? extension : null);
  if (format === null) throw new CannotSay(path, 'This provider does not know this kind of video.');
  return { video: { format, source } };
}

export function audioBlock(part: AudioPart, path: string): Block {
  const source = sourceOf(part.source, path, 'audio');
  const { mediaType, extension } = namesOf(part.source);
  const word = mediaType.replace(/^audio\/(?:x-)?/, '') || extension;
  const format = word === 'wave' ? 'wav' : word;
  if (!AUDIO_WORDS.has(format)) {
    throw new CannotSay(path, 'This provider does not know this kind of audio.');
  }
  return { audio: { format, source } };
}

/** Names for the documents of one request: neutral where there is none, and no two alike. */
export interface DocumentNames {
  next(filename: string | undefined): string;
}

const DOCUMENT_NAME_LENGTH_MAX = 200;

export function documentNames(): DocumentNames {
  const taken = new Set<string>();
  let count = 0;
  return {
    next(filename) {
      count += 1;
      const wanted = cleanName(filename ?? '');
      let name = wanted === '' ? `Document ${count}` : wanted;
      for (let copy = 2; taken.has(name); copy += 1) name = `${wanted || 'Document'} (${copy})`;
      taken.add(name);
      return name;
    },
  };
}

/** Letters, digits, single spaces, hyphens, parentheses and brackets; the extension is no part. */
function cleanName(filename: string): string {
  return filename
    .replace(/^.*[\\/]/, '')
    .replace(/\.[A-Za-z0-9]{1,5}$/, '')
    .replace(/[^A-Za-z0-9\s()[\]-]+/g, '-')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, DOCUMENT_NAME_LENGTH_MAX);
}

export function documentBlock(
  part: FilePart,
  place: { readonly path: string; readonly names: DocumentNames },
): Block {
  const { path, names } = place;
  const { mediaType, extension } = namesOf(part.source, part.filename);
  if (mediaType.startsWith('image/')) {
    return imageBlock({ type: 'image', source: part.source }, path);
  }
  if (mediaType.startsWith('video/')) {
    return videoBlock({ type: 'video', source: part.source }, path);
  }
  const source = sourceOf(part.source, path, 'file');
  const byName = DOCUMENT_WORDS.has(extension) ? extension : undefined;
  const byType = DOCUMENT_FORMATS.get(mediaType);
  const anyText = mediaType.startsWith('text/') ? 'txt' : undefined;
  // A name tells more than "plain text" does.
  const format = byType === undefined || byType === 'txt' ? (byName ?? byType ?? anyText) : byType;
  if (format === undefined) {
    throw new CannotSay(path, 'This provider does not know this kind of file.');
  }
  return {
    document: {
      name: names.next(part.filename),
      format,
      source,
      ...(part.context === undefined ? {} : { context: part.context }),
      ...(part.citable === true ? { citations: { enabled: true } } : {}),
    },
  };
}

function sourceOf(source: MediaSource, path: string, what: string): Block {
  if (source.kind === 'base64') {
    if (source.data !== '') return { bytes: source.data };
    throw new CannotSay(path, `The ${what} is empty.`);
  }
  if (source.kind === 'url' && source.url.startsWith('s3://')) {
    return { s3Location: { uri: source.url } };
  }
  const message =
    source.kind === 'url'
      ? `This provider fetches nothing from the web: send the ${what} as base64 or as s3://.`
      : `This provider keeps no files: send the ${what} as base64.`;
  throw new CannotSay(path, message);
}

function namesOf(
  source: MediaSource,
  filename?: string,
): { readonly mediaType: string; readonly extension: string } {
  const mediaType = (source.mediaType ?? '').toLowerCase().replace(/;.*$/s, '').trim();
  const address = source.kind === 'url' ? source.url : '';
  return { mediaType, extension: extensionOf(filename ?? '') || extensionOf(address) };
}

function extensionOf(name: string): string {
  return /\.([A-Za-z0-9_]{1,8})$/.exec(name)?.[1]?.toLowerCase() ?? '';
}
