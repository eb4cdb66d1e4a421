/**
 * AWS's binary event stream (`application/vnd.amazon.eventstream`), cut into events as its bytes
 * come in. Every frame carries two checksums; both are checked, and what does not add up ends the
 * stream, since nothing behind a broken length can be found again.
 *
 *   total length, headers length, CRC-32 of these two; headers; payload; CRC-32 of all before
 */
import { concatBytes, toText } from './bytes.ts';
import { crc32OfBytes } from './crc32.ts';

export interface AwsEvent {
  /** `:message-type`: an `error` is the transport's own, an `exception` one of the service. */
  readonly kind: 'event' | 'exception' | 'error';
  /** `:event-type`, `:exception-type` or `:error-code`; null where none of them is there. */
  readonly event: string | null;
  /** The payload as text; of an error its `:error-message`. */
  readonly data: string;
}

export interface AwsEventSplitter {
  /** The events that these bytes completed. */
  push(bytes: Uint8Array): readonly AwsEvent[];
  /** Set once the stream cannot be read: the splitter is then dead and gives no more events. */
  readonly fault: 'too_large' | 'corrupt' | null;
  /** True while a frame has begun and not ended: at the end of a stream, something is missing. */
  readonly partial: boolean;
}

const PRELUDE_BYTES = 12;
const CRC_BYTES = 4;
const FRAME_BYTES_MIN = PRELUDE_BYTES + CRC_BYTES;
const EMPTY: readonly AwsEvent[] = [];

/** Bytes of header values whose length is known from their type: booleans, numbers, times, ids. */
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 0],
  [1, 0],
  [2, 1],
  [3, 2],
  [4, 4],
  [5, 8],
  [8, 8],
  [9, 16],
]);
const TYPE_BYTES = 6;
const TYPE_STRING = 7;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The headers that are strings, or null if they cannot be read. */
function readHeaders(bytes: Uint8Array): ReadonlyMap<string, string> | null {
  const headers = new Map<string, string>();
  const view = viewOf(bytes);
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + (bytes[at] ?? 0);
    if (nameEnd >= bytes.length) return null;
    const name = toText(bytes.subarray(at + 1, nameEnd));
    const type = bytes[nameEnd] ?? 0;
    let start = nameEnd + 1;
    let length = FIXED_BYTES.get(type);
    if (type === TYPE_BYTES || type === TYPE_STRING) {
      if (start + 2 > bytes.length) return null;
      length = view.getUint16(start);
      start += 2;
    }
    if (length === undefined || start + length > bytes.length) return null;
    at = start + length;
    if (type === TYPE_STRING) headers.set(name, toText(bytes.subarray(start, at)));
  }
  return headers;
}

function toEvent(headers: ReadonlyMap<string, string>, payload: Uint8Array): AwsEvent {
  const type = headers.get(':message-type');
  if (type === 'error') {
    const data = headers.get(':error-message') ?? toText(payload);
    return { kind: 'error', event: headers.get(':error-code') ?? null, data };
  }
  const data = toText(payload);
  if (type === 'exception') {
    return { kind: 'exception', event: headers.get(':exception-type') ?? null, data };
  }
  return { kind: 'event', event: headers.get(':event-type') ?? null, data };
}

/** One whole frame; null if its checksum or its headers are wrong. */
function readFrame(frame: Uint8Array): AwsEvent | null {
  const view = viewOf(frame);
  const headersEnd = PRELUDE_BYTES + view.getUint32(4);
  const end = frame.length - CRC_BYTES;
  if (crc32OfBytes(frame.subarray(0, end)) !== view.getUint32(end)) return null;
  const headers = readHeaders(frame.subarray(PRELUDE_BYTES, headersEnd));
  return headers === null ? null : toEvent(headers, frame.subarray(headersEnd, end));
}

class Splitter implements AwsEventSplitter {
  readonly #frameBytesMax: number;
  /** The pieces of a frame that has not ended. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Bytes of that frame, once its prelude is read; 0 before. */
  #frameBytes = 0;
  fault: 'too_large' | 'corrupt' | null = null;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  get partial(): boolean {
    return this.#heldBytes > 0;
  }

  push(bytes: Uint8Array): readonly AwsEvent[] {
    if (this.fault !== null || bytes.length === 0) return EMPTY;
    const needed = Math.max(this.#frameBytes, PRELUDE_BYTES);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    // A long frame is joined once, when all of it is there.
    if (this.#heldBytes < needed) return EMPTY;
    return this.#cut(concatBytes(this.#held));
  }

  #cut(bytes: Uint8Array): readonly AwsEvent[] {
    const events: AwsEvent[] = [];
    let at = 0;
    this.#frameBytes = 0;
    while (bytes.length - at >= PRELUDE_BYTES) {
      this.#frameBytes = this.#readPrelude(bytes.subarray(at, at + PRELUDE_BYTES));
      if (this.fault !== null || at + this.#frameBytes > bytes.length) break;
      const event = readFrame(bytes.subarray(at, at + this.#frameBytes));
      if (event === null) {
        this.fault = 'corrupt';
        break;
      }
      events.push(event);
      at += this.#frameBytes;
      this.#frameBytes = 0;
    }
    this.#held = this.fault !== null || at === bytes.length ? [] : [bytes.subarray(at)];
    this.#heldBytes = this.#held[0]?.length ?? 0;
    return events;
  }

  /** The frame's length; sets the fault where it cannot be one. */
  #readPrelude(prelude: Uint8Array): number {
    const view = viewOf(prelude);
    const total = view.getUint32(0);
    const headers = view.getUint32(4);
    const known = crc32OfBytes(prelude.subarray(0, 8)) === view.getUint32(8);
    if (!known || total < FRAME_BYTES_MIN || headers > total - FRAME_BYTES_MIN) {
      this.fault = 'corrupt';
    } else if (total > this.#frameBytesMax) {
      this.fault = 'too_large';
    }
    return total;
  }
}

/** `frameBytesMax` bounds what one frame may make us hold. */
export function createAwsEventSplitter(frameBytesMax: number): AwsEventSplitter {
  return new Splitter(frameBytesMax);
}
