/**
 * The journal in files: numbered segments, appended to with one write for each turn of the event
 * loop. A record counts as written when the kernel has it (it survives kill -9); fdatasync follows
 * within 20 ms for the case of a power loss.
 */
import { crc32 } from 'node:zlib';

import type { Log } from '#base/log.ts';
import { err, ok, type Result } from '#base/result.ts';

import { causeOf } from './cause.ts';
import type { JournalFiles } from './journal-files.node.ts';
import { JournalLines } from './journal-lines.node.ts';
import {
  type Journal,
  type JournalBatch,
  type JournalListener,
  type PastSegment,
  readSegment,
} from './journal.ts';
import type { LedgerFailure } from './ledger.ts';

export interface FileJournalOptions {
  readonly files: JournalFiles;
  readonly log: Log;
  /** A segment is ended when it would grow beyond this. Default 16 MiB. */
  readonly segmentBytesMax?: number;
}

const SEGMENT_BYTES_MAX = 16_777_216;
/** Together with one fdatasync under way this keeps within the 20 ms that are promised. */
const SYNC_DELAY_MS = 10;
const SEQUENCE_DIGITS = 10;
const SEGMENT_NAME = /^\d{10}\.journal$/;
/** Also of one that was kept aside: no later segment may get its name, and then its place. */
const SEQUENCE = /^(\d{10})\.journal(?:\.kept)?$/;
const WRITTEN: Result<void, LedgerFailure> = ok(undefined);

interface Segment {
  readonly name: string;
  readonly file: number;
  size: number;
  /** Records that a start would still need. */
  live: number;
  ended: boolean;
  deleted: boolean;
  /** Their voids must stay for as long as this segment, which holds what they made void. */
  readonly voidedBy: Segment[];
}

/** A promise that is made only if somebody wants it, and costs no closure per record. */
class Settlement {
  #promise: Promise<Result<void, LedgerFailure>> | null = null;
  #resolve: ((result: Result<void, LedgerFailure>) => void) | null = null;
  #result: Result<void, LedgerFailure> | null = null;

  get(): Promise<Result<void, LedgerFailure>> {
    this.#promise ??=
      this.#result === null
        ? new Promise((resolve) => {
            this.#resolve = resolve;
          })
        : Promise.resolve(this.#result);
    return this.#promise;
  }

  settle(result: Result<void, LedgerFailure>): void {
    this.#result = result;
    this.#resolve?.(result);
  }
}

class Batch<Outcome> implements JournalBatch {
  records = 0;
  segment: Segment | null = null;
  /** Let go of once they are told of: a batch lives until its records are posted. */
  outcomes: Outcome[] = [];
  voided: JournalBatch[] = [];
  readonly allWritten = new Settlement();
  readonly outcomesKept = new Settlement();

  written(): Promise<Result<void, LedgerFailure>> {
    return this.allWritten.get();
  }

  kept(): Promise<Result<void, LedgerFailure>> {
    return this.outcomesKept.get();
  }
}

/**
 * Opens a journal over its files. Nothing is written before the first append. Throws if the files
 * cannot be listed.
 */
export function openFileJournal<Outcome>(options: FileJournalOptions): Journal<Outcome> {
  return new FileJournal<Outcome>(options);
}

class FileJournal<Outcome> implements Journal<Outcome> {
  readonly #files: JournalFiles;
  readonly #log: Log;
  readonly #segmentBytesMax: number;
  readonly #past: readonly string[];
  readonly #lines = new JournalLines();
  readonly #writeLater = (): void => this.#write();
  #nextSequence: number;
  #listener: JournalListener<Outcome> | null = null;
  #batch: Batch<Outcome> | null = null;
  #segment: Segment | null = null;
  #syncTimer: NodeJS.Timeout | null = null;
  #syncing: Promise<void> = Promise.resolve();
  #failing = false;
  #closed = false;

  constructor(options: FileJournalOptions) {
    this.#files = options.files;
    this.#log = options.log;
    this.#segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
    const names = this.#files.list();
    this.#past = names.filter((name) => SEGMENT_NAME.test(name)).toSorted();
    const used = names.map((name) => Number.parseInt(SEQUENCE.exec(name)?.[1] ?? '0', 10));
    this.#nextSequence = Math.max(0, ...used) + 1;
  }

  listen(listener: JournalListener<Outcome>): void {
    this.#listener = listener;
  }

  append(json: string): JournalBatch {
    return this.#add(json);
  }

  appendOutcome(line: string, outcome: Outcome): JournalBatch {
    const batch = this.#add(line);
    this.#lines.repeatLast();
    batch.outcomes.push(outcome);
    return batch;
  }

  appendVoid(json: string, opened: JournalBatch): void {
    this.#add(json).voided.push(opened);
  }

  #add(record: string): Batch<Outcome> {
    let batch = this.#batch;
    if (batch === null) {
      batch = new Batch<Outcome>();
      this.#batch = batch;
      setImmediate(this.#writeLater);
    }
    this.#lines.add(record);
    batch.records += 1;
    return batch;
  }

  release(batch: JournalBatch, records: number): void {
    if (batch instanceof Batch && batch.segment !== null) this.#release(batch.segment, records);
  }

  #release(segment: Segment, records: number): void {
    segment.live -= records;
    if (segment.live === 0 && segment.ended && !segment.deleted) this.#delete(segment);
  }

  #delete(segment: Segment): void {
    segment.deleted = true;
    try {
      this.#files.remove(segment.name);
    } catch (error) {
      // Harmless: the next start reads it and finds everything in it posted.
      this.#log.write('warn', 'journal_segment_not_removed', { cause: causeOf(error) });
    }
    for (const later of segment.voidedBy) this.#release(later, 1);
  }

  flush(): void {
    this.#write();
  }

  #write(): void {
    const batch = this.#batch;
    if (batch === null) return;
    this.#batch = null;
    const records = this.#lines.takeRepeated();
    try {
      const segment = this.#append(this.#lines.take());
      segment.live += batch.records;
      batch.segment = segment;
    } catch (error) {
      this.#refuse(batch, records, causeOf(error));
      return;
    }
    if (this.#failing) this.#log.write('info', 'journal_writable_again');
    this.#failing = false;
    this.#syncLater();
    const { outcomes, voided } = batch;
    batch.outcomes = [];
    batch.voided = [];
    for (const opened of voided) this.#void(opened, batch.segment);
    if (outcomes.length > 0) this.#listener?.outcomesWritten(outcomes, batch, records);
    batch.allWritten.settle(WRITTEN);
    batch.outcomesKept.settle(WRITTEN);
  }

  #void(opened: JournalBatch, segment: Segment): void {
    const openedIn = opened instanceof Batch ? opened.segment : null;
    this.release(opened, 1);
    if (openedIn === null || openedIn === segment || openedIn.deleted) this.#release(segment, 1);
    else openedIn.voidedBy.push(segment);
  }

  #refuse(batch: Batch<Outcome>, records: Uint8Array, cause: string): void {
    if (!this.#failing) this.#log.write('error', 'journal_unwritable', { cause });
    this.#failing = true;
    const failure = err<LedgerFailure>({ reason: 'journal_unwritable', cause });
    batch.allWritten.settle(failure);
    const rescue =
      this.#listener?.outcomesUnwritten(batch.outcomes, records) ?? Promise.resolve(false);
    void rescue.then((safe) => batch.outcomesKept.settle(safe ? WRITTEN : failure));
  }

  /** Writes all of it or nothing: what a failure leaves behind is cut off again. */
  #append(bytes: Uint8Array): Segment {
    const segment = this.#segmentFor(bytes.length);
    let offset = 0;
    try {
      while (offset < bytes.length) {
        const written = this.#files.write(segment.file, bytes, offset);
        if (written <= 0) throw new Error('nothing could be written');
        offset += written;
      }
    } catch (error) {
      if (offset > 0) this.#cutOff(segment);
      throw error;
    }
    segment.size += bytes.length;
    return segment;
  }

  #cutOff(segment: Segment): void {
    try {
      this.#files.truncate(segment.file, segment.size);
    } catch {
      // The torn record stays, where a start skips it; nothing may follow it in this segment.
      this.#end(segment);
    }
  }

  #segmentFor(bytes: number): Segment {
    if (this.#closed) throw new Error('the journal is closed');
    const current = this.#segment;
    if (current !== null) {
      if (current.size === 0 || current.size + bytes <= this.#segmentBytesMax) return current;
      this.#end(current);
    }
    const name = `${String(this.#nextSequence).padStart(SEQUENCE_DIGITS, '0')}.journal`;
    const file = this.#files.create(name);
    this.#nextSequence += 1;
    const fresh = { name, file, size: 0, live: 0, ended: false, deleted: false, voidedBy: [] };
    this.#segment = fresh;
    return fresh;
  }

  /** Nothing is appended to it any more; it goes as soon as nobody needs its records. */
  #end(segment: Segment): void {
    if (this.#segment === segment) this.#segment = null;
    segment.ended = true;
    this.#syncing = this.#syncing.then(() => this.#sync(segment)).then(() => this.#shut(segment));
    this.#release(segment, 0);
  }

  #shut(segment: Segment): void {
    try {
      this.#files.close(segment.file);
    } catch (error) {
      this.#log.write('warn', 'journal_segment_not_closed', { cause: causeOf(error) });
    }
  }

  #syncLater(): void {
    if (this.#syncTimer !== null) return;
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = null;
      const segment = this.#segment;
      if (segment !== null) this.#syncing = this.#syncing.then(() => this.#sync(segment));
    }, SYNC_DELAY_MS);
    this.#syncTimer.unref();
  }

  async #sync(segment: Segment): Promise<void> {
    try {
      if (!segment.deleted) await this.#files.sync(segment.file);
    } catch (error) {
      // What the disk lost it does not tell twice: go on in a new file.
      this.#log.write('error', 'journal_sync_failed', { cause: causeOf(error) });
      if (this.#segment === segment) this.#end(segment);
    }
  }

  async *readPast(): AsyncGenerator<PastSegment> {
    for (const name of this.#past) {
      const bytes = await this.#files.read(name);
      yield { name, content: readSegment(bytes, crc32) };
    }
  }

  async dropPast(keepAside: ReadonlySet<string>): Promise<void> {
    for (const name of this.#past) {
      if (keepAside.has(name)) this.#files.rename(name, `${name}.kept`);
      else this.#files.remove(name);
    }
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#write();
    this.#closed = true;
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer);
    if (this.#segment !== null) this.#end(this.#segment);
    await this.#syncing;
  }
}
