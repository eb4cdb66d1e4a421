/**
 * Reads the reasoning of an earlier answer out of an assistant's message: `reasoning_details`,
 * whole or as the deltas of a stream that a client only collected, or else the plain text.
 */
import type { ReasoningPart } from '#providers/form.ts';
import { isRecord, listOf, numberOf, textOf } from '#providers/json.ts';
import type { JsonRecord } from '#providers/json.ts';
import { DIALECT, plainReasoning } from './content.ts';
import { makerOf } from './write-reasoning.ts';

export interface ReasoningReading {
  readonly part: ReasoningPart;
  /** The place of the part in its message, as the answer numbered it. */
  readonly index: number | undefined;
}

/** One or more details that belong together. */
interface Block {
  readonly index: number | undefined;
  readonly path: string;
  readonly first: JsonRecord;
  type: string;
  id: string | undefined;
  readonly texts: string[];
  blob: string | undefined;
  signature: string | undefined;
}

/** `path` is that of the message. */
export function readReasoningOf(message: JsonRecord, path: string): readonly ReasoningReading[] {
  const blocks: Block[] = [];
  for (const [position, detail] of listOf(message['reasoning_details']).entries()) {
    if (!isRecord(detail)) continue;
    const last = blocks.at(-1);
    const block =
      last !== undefined && continues(last, detail)
        ? last
        : begin(detail, {
            path: `${path}.reasoning_details[${position}]`,
          });
    if (block !== last) blocks.push(block);
    add(block, detail);
  }
  const readings = blocks.map(toReading);
  const plain = plainReasoning(message);
  if (plain === undefined || readings.some(({ part }) => part.text !== '')) return readings;
  const part = { type: 'reasoning', text: plain, summary: false, path } as const;
  return [{ part, index: undefined }, ...readings];
}

const TEXT = 'reasoning.text';
const SUMMARY = 'reasoning.summary';
const BLOB = 'reasoning.encrypted';

function begin(detail: JsonRecord, place: { readonly path: string }): Block {
  return {
    index: numberOf(detail['index']),
    path: place.path,
    first: detail,
    type: textOf(detail['type']) ?? TEXT,
    id: textOf(detail['id']),
    texts: [],
    blob: undefined,
    signature: undefined,
  };
}

/**
 * Whether a detail goes on with the block before it: the deltas of a stream carry one index, and so
 * do the text and the blob of one part. A second blob or another id is another block.
 */
function continues(block: Block, detail: JsonRecord): boolean {
  const index = numberOf(detail['index']);
  if (index === undefined || index !== block.index) return false;
  if (textOf(detail['format']) !== textOf(block.first['format'])) return false;
  const id = textOf(detail['id']);
  if (id !== undefined && block.id !== undefined && id !== block.id) return false;
  const type = textOf(detail['type']) ?? TEXT;
  if (type === BLOB) return block.blob === undefined;
  return type === block.type || block.type === BLOB;
}

function add(block: Block, detail: JsonRecord): void {
  const text = textOf(detail['text']) ?? textOf(detail['summary']);
  if (text !== undefined) block.texts.push(text);
  block.blob ??= textOf(detail['data']);
  block.signature = textOf(detail['signature']) ?? block.signature;
  block.id ??= textOf(detail['id']);
  if (block.type === BLOB) block.type = textOf(detail['type']) ?? TEXT;
}

function toReading(block: Block): ReasoningReading {
  const { blob: encrypted, id, signature } = block;
  const format = block.first['format'];
  const maker = makerOf(format);
  // As it came, for hosts of this dialect; the maker's name, for the dialect that can use it.
  const own = { ...(format === undefined ? {} : { format }), ...indexOf(block) };
  return {
    index: block.index,
    part: {
      type: 'reasoning',
      text: block.texts.join(''),
      summary: block.type === SUMMARY,
      path: block.path,
      ...(id === undefined ? {} : { id }),
      ...(signature === undefined ? {} : { signature }),
      ...(encrypted === undefined ? {} : { encrypted }),
      native: {
        [DIALECT]: { ...own, ...(id === undefined ? {} : { id }) },
        ...(maker === undefined ? {} : { [maker]: {} }),
      },
    },
  };
}

function indexOf(block: Block): JsonRecord {
  return block.index === undefined ? {} : { index: block.index };
}
