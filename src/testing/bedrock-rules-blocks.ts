/** The part of Converse's rules that looks at single blocks: media, documents, cache points. */
import { isRecord, listOf, recordOf, type JsonRecord } from '#providers/json.ts';

const IMAGE_SIGNS: Readonly<Record<string, string>> = {
  jpeg: '/9j/',
  png: 'iVBORw0KGg',
  gif: 'R0lGOD',
  webp: 'UklGR',
};

const VIDEO_FORMATS = 'mkv mov mp4 webm flv mpeg mpg wmv three_gp'.split(' ');
const DOCUMENT_FORMATS = 'pdf csv doc docx xls xlsx html txt md'.split(' ');
const CACHE_POINTS_MAX = 4;

export function mediaFaults(block: JsonRecord, at: string): string[] {
  const { image, video } = block;
  const faults: string[] = [];
  if (isRecord(image)) {
    const sign = IMAGE_SIGNS[String(image['format'])];
    const bytes = recordOf(image['source'])['bytes'];
    const isRight = typeof bytes !== 'string' || (sign !== undefined && bytes.startsWith(sign));
    if (sign === undefined || !isRight) faults.push(`${at}: Could not process image`);
  }
  if (isRecord(video) && !VIDEO_FORMATS.includes(String(video['format']))) {
    faults.push(`${at}.video.format is unknown`);
  }
  return faults;
}

/** Names of few characters, no two alike in one request; and words beside them. */
export function documentFaults(messages: readonly JsonRecord[]): readonly string[] {
  const names = new Set<unknown>();
  const faults = messages.filter(isMute).map(() => 'A text block must be included with documents.');
  for (const document of messages.flatMap(documentsOf)) {
    const name = document['name'];
    const clean = typeof name === 'string' && /^[A-Za-z0-9\s()[\]-]{1,200}$/.test(name);
    if (!clean || /\s\s/.test(name)) {
      faults.push('The document file name can only contain alphanumeric characters, ...');
    }
    if (names.has(name)) faults.push(`Document names must be unique: ${String(name)}`);
    if (!DOCUMENT_FORMATS.includes(String(document['format']))) faults.push('document.format');
    names.add(name);
  }
  return faults;
}

/** Whether a message holds a document, and no word beside it. */
function isMute(message: JsonRecord): boolean {
  const blocks = listOf(message['content']).map(recordOf);
  const spoken = blocks.some(({ text }) => typeof text === 'string' && text.trim() !== '');
  return !spoken && blocks.some((block) => 'document' in block);
}

function documentsOf(message: JsonRecord): readonly JsonRecord[] {
  return listOf(message['content']).flatMap((block) => {
    const { document, toolResult } = recordOf(block);
    if (isRecord(document)) return [document];
    return isRecord(toolResult) ? documentsOf(toolResult) : [];
  });
}

/** At most four, behind something that can be cached, and not right behind a document. */
export function cacheFaults(body: JsonRecord, messages: readonly JsonRecord[]): readonly string[] {
  const lists = [
    listOf(body['system']),
    listOf(recordOf(body['toolConfig'])['tools']),
    ...messages.map((message) => listOf(message['content'])),
  ];
  const faults: string[] = [];
  let count = 0;
  for (const list of lists) {
    for (const [index, block] of list.entries()) {
      if (!('cachePoint' in recordOf(block))) continue;
      count += 1;
      const before = recordOf(list[index - 1]);
      const blocked = ['document', 'video', 'cachePoint'].some((kind) => kind in before);
      if (index === 0 || blocked) faults.push('A cache point cannot be inserted here.');
    }
  }
  if (count > CACHE_POINTS_MAX) faults.push('A maximum of 4 blocks may be cached.');
  return faults;
}
