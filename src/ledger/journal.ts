/**
 * The journal: what a request is about to spend and what it came to, written down before anybody
 * relies on it, so that a killed process neither forgets nor repeats a cost. One record is one
 * line: CRC-32 in hex, a space, and compact JSON or, of an outcome, what `toUsageLine` makes. This
 * file is the format and the port; `journal.node.ts` keeps it in files.
 */
import type { Result } from '#base/result.ts';
import { fromUsageLine, type UsageEvent } from '#store/ledger-post.ts';

import type { Book, LedgerFailure } from './ledger.ts';

/** An attempt that is about to be dispatched. */
export interface OpenRecord {
  readonly requestId: string;
  readonly attempt: number;
  readonly organizationId: string;
  readonly keyId: string;
  readonly book: Book;
  readonly hold: bigint;
  /** What the platform stands to lose if the process dies now. */
  readonly inputCost: bigint;
  readonly admittedAtMs: number;
}

/** Some records that reach the file together. Neither promise rejects. */
export interface JournalBatch {
  /** The records are in the kernel, or they are not. */
  written(): Promise<Result<void, LedgerFailure>>;
  /** The outcomes among them are in the kernel, or else safe in the database, or they are lost. */
  kept(): Promise<Result<void, LedgerFailure>>;
}

/**
 * What a journal has to tell its ledger about the outcomes that were appended. `records` are their
 * lines in the same order, with `RECORD_SEPARATOR` between them, for the listener to keep.
 */
export interface JournalListener<Outcome> {
  outcomesWritten(outcomes: readonly Outcome[], batch: JournalBatch, records: Uint8Array): void;
  /** They could not be written. True: they were brought to safety in another way. Never rejects. */
  outcomesUnwritten(outcomes: readonly Outcome[], records: Uint8Array): Promise<boolean>;
}

/** One segment as a start finds it. */
export interface PastSegment {
  readonly name: string;
  readonly content: SegmentContent;
}

/**
 * Where the records are kept. Appends of one turn of the event loop are one write. A segment of
 * which no record is needed any more is deleted. `Outcome` is whatever the ledger wants to hear of
 * again.
 */
export interface Journal<Outcome> {
  listen(listener: JournalListener<Outcome>): void;
  append(json: string): JournalBatch;
  /** `line` is what `toUsageLine` made. */
  appendOutcome(line: string, outcome: Outcome): JournalBatch;
  /**
   * Writes that an opened request is void; the record is needed for as long as the opened one is
   * there to be read.
   */
  appendVoid(json: string, opened: JournalBatch): void;
  /** So many records of the batch are of no further use. */
  release(batch: JournalBatch, records: number): void;
  /** Writes now what waits for the end of the turn. */
  flush(): void;
  /** The segments that were there at the start, oldest first. */
  readPast(): AsyncIterable<PastSegment>;
  /** They are accounted for and can go; these are kept aside for people to look at. */
  dropPast(keepAside: ReadonlySet<string>): Promise<void>;
  close(): Promise<void>;
}

const CRC_DIGITS = 8;
const HEX = 16;
const NEWLINE = 0x0a;
/** Between records: none holds a line break. */
export const RECORD_SEPARATOR = '\n';
/** Bytes of a line before its record. */
export const LINE_HEAD = CRC_DIGITS + 1;

/** One line of the journal. `checksum` is the CRC-32 of the UTF-8 bytes of the record. */
export function toLine(record: string, checksum: number): string {
  return `${checksum.toString(HEX).padStart(CRC_DIGITS, '0')} ${record}\n`;
}

export function toOpenJson(record: OpenRecord): string {
  return (
    `{"t":"open","r":${JSON.stringify(record.requestId)},"a":${record.attempt}` +
    `,"o":${JSON.stringify(record.organizationId)},"k":${JSON.stringify(record.keyId)}` +
    `,"b":"${record.book}","h":"${record.hold}","i":"${record.inputCost}"` +
    `,"m":${record.admittedAtMs}}`
  );
}

/** A request was opened and then given back before anything was dispatched. */
export function toVoidJson(requestId: string): string {
  return `{"t":"void","r":${JSON.stringify(requestId)}}`;
}

export type JournalRecord =
  | { readonly type: 'open'; readonly open: OpenRecord }
  | { readonly type: 'outcome'; readonly event: UsageEvent }
  | { readonly type: 'void'; readonly requestId: string };

export interface SegmentContent {
  readonly records: readonly JournalRecord[];
  /** Unreadable lines with readable ones after them: no crash leaves these behind. */
  readonly damaged: number;
  /**
   * Bytes of a last record that was cut off when the process died. Nobody was told that it was
   * written.
   */
  readonly tornBytes: number;
}

/** Reads a segment up to its last whole record. Never throws, whatever the bytes are. */
export function readSegment(
  bytes: Uint8Array,
  checksum: (bytes: Uint8Array) => number,
): SegmentContent {
  const decoder = new TextDecoder();
  const records: JournalRecord[] = [];
  let damaged = 0;
  let unreadable = 0;
  let goodEnd = 0;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.subarray(start, end);
    const record = newline < 0 ? null : readLine(line, checksum, decoder);
    start = end + 1;
    if (record === null) {
      unreadable += 1;
      continue;
    }
    records.push(record);
    damaged += unreadable;
    unreadable = 0;
    goodEnd = start;
  }
  return { records, damaged, tornBytes: Math.max(0, bytes.length - goodEnd) };
}

function readLine(
  line: Uint8Array,
  checksum: (bytes: Uint8Array) => number,
  decoder: TextDecoder,
): JournalRecord | null {
  const record = line.subarray(LINE_HEAD);
  const expected = checksum(record).toString(HEX).padStart(CRC_DIGITS, '0');
  if (decoder.decode(line.subarray(0, LINE_HEAD)) !== `${expected} `) return null;
  try {
    return toRecord(decoder.decode(record));
  } catch {
    return null;
  }
}

/** What stands before the detail in an outcome as it was journalled before 2026-11-21, as JSON. */
const DETAIL_MARK = ',"d":';

function toRecord(record: string): JournalRecord | null {
  if (!record.startsWith('{')) return { type: 'outcome', event: fromUsageLine(record) };
  const mark = record.indexOf(DETAIL_MARK);
  const head: unknown = JSON.parse(mark < 0 ? record : `${record.slice(0, mark)}}`);
  const detail = mark < 0 ? '' : record.slice(mark + DETAIL_MARK.length, -1);
  const fields = new RecordFields(head);
  switch (fields.text('t')) {
    case 'open':
      return { type: 'open', open: toOpen(fields) };
    case 'outcome':
      return { type: 'outcome', event: toEvent(fields, detail) };
    case 'void':
      return { type: 'void', requestId: fields.text('r') };
    default:
      return null;
  }
}

function toOpen(fields: RecordFields): OpenRecord {
  return {
    requestId: fields.text('r'),
    attempt: fields.whole('a'),
    organizationId: fields.text('o'),
    keyId: fields.text('k'),
    book: fields.book('b'),
    hold: fields.amount('h'),
    inputCost: fields.amount('i'),
    admittedAtMs: fields.whole('m'),
  };
}

function toEvent(fields: RecordFields, detail: string): UsageEvent {
  return {
    requestId: fields.text('r'),
    attempt: fields.whole('a'),
    organizationId: fields.text('o'),
    keyId: fields.text('k'),
    book: fields.book('b'),
    kind: 'outcome',
    cost: fields.amount('c'),
    creditClaim: fields.amount('l'),
    budgetClaim: fields.amount('g'),
    platformCost: 0n,
    admittedAtMs: fields.whole('m'),
    detail,
  };
}

/** The fields of a parsed record; throws for one that is not what it should be. */
class RecordFields {
  readonly #record: object;

  constructor(record: unknown) {
    if (typeof record !== 'object' || record === null) throw new TypeError('not a record');
    this.#record = record;
  }

  text(name: string): string {
    const value: unknown = Reflect.get(this.#record, name);
    if (typeof value !== 'string') throw new TypeError(`field ${name}: expected text`);
    return value;
  }

  whole(name: string): number {
    const value: unknown = Reflect.get(this.#record, name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      throw new TypeError(`field ${name}: expected a whole number`);
    }
    return value;
  }

  amount(name: string): bigint {
    const text = this.text(name);
    if (!/^\d+$/.test(text)) throw new TypeError(`field ${name}: expected an amount`);
    return BigInt(text);
  }

  book(name: string): Book {
    const text = this.text(name);
    if (text !== 'live' && text !== 'test') throw new TypeError(`field ${name}: expected a book`);
    return text;
  }
}
