/**
 * Server-sent events in raw bytes. The splitter hands on whole events, as many as a read completed,
 * in one view and untouched; the unfinished tail waits for more. `readEvents` looks inside where
 * that is needed.
 */
import { concatBytes, toText } from './bytes.ts';

const LF = 0x0a;
const CR = 0x0d;

export interface SseEvent {
  readonly event: string | null;
  /** The data lines joined by a newline; null for comments and events without data. */
  readonly data: string | null;
  /** Where the event stands in the block that was read, blank line included. */
  readonly start: number;
  readonly end: number;
}

export interface SseSplitter {
  /**
   * All bytes up to the end of the last complete event, or null while there is none. 'too_large'
   * when one event exceeds the limit; the splitter is then dead.
   */
  push(bytes: Uint8Array): Uint8Array | null | 'too_large';
  /** What is left at the end of the stream: an event without its blank line, or null. */
  rest(): Uint8Array | null;
}

/** Offset after the line break at `at`, or `at` itself if there is none. */
function afterBreak(bytes: Uint8Array, at: number): number {
  if (bytes[at] === LF) return at + 1;
  if (bytes[at] !== CR) return at;
  return bytes[at + 1] === LF ? at + 2 : at + 1;
}

/**
 * Offset after the last blank line, or -1. A CR that ends the bytes is not counted as a line's end
 * yet: a LF may follow it in the next read.
 */
function lastEventEnd(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at > 0; at -= 1) {
    const byte = bytes[at];
    if (byte !== LF && (byte !== CR || at === bytes.length - 1)) continue;
    // `at` ends a line. It is blank if the bytes before this break are a break too.
    const breakStart = byte === LF && bytes[at - 1] === CR ? at - 1 : at;
    const before = bytes[breakStart - 1];
    if (before === LF || before === CR) return at + 1;
  }
  return -1;
}

/** Bytes before a read that may belong to the line breaks which end an event in it. */
const SEAM_BYTES = 3;

/** Offset after the last blank line from `from`, which may lie a little before it; null: none. */
function endIn(bytes: Uint8Array, from: number): number | null {
  const end = lastEventEnd(bytes);
  return end < 0 ? null : end - from;
}

export function createSseSplitter(eventBytesMax: number): SseSplitter {
  let held: Uint8Array[] = [];
  let heldBytes = 0;

  function hold(bytes: Uint8Array): null | 'too_large' {
    if (bytes.length > 0) held.push(bytes);
    heldBytes += bytes.length;
    return heldBytes > eventBytesMax ? 'too_large' : null;
  }

  /**
   * As `lastEventEnd` of all that is held and these bytes, from where these begin: what is held has
   * no event's end in it, so that a long event is neither searched nor copied again and again.
   */
  function endBeyondHeld(bytes: Uint8Array): number | null {
    const last = held.at(-1);
    if (last === undefined) return endIn(bytes, 0);
    if (!mayEndEvent(bytes) && last[last.length - 1] !== CR) return null;
    const seam = concatBytes(held.slice(-SEAM_BYTES)).subarray(-SEAM_BYTES);
    return endIn(concatBytes([seam, bytes]), seam.length);
  }

  function mayEndEvent(bytes: Uint8Array): boolean {
    return bytes.includes(LF) || bytes.includes(CR);
  }

  return {
    push(bytes) {
      const beyond = endBeyondHeld(bytes);
      if (beyond === null) return hold(bytes);
      const whole = held.length === 0 ? bytes : concatBytes([...held, bytes]);
      const end = heldBytes + beyond;
      held = [];
      heldBytes = 0;
      const overflow = hold(whole.subarray(end));
      return overflow ?? (end === whole.length ? whole : whole.subarray(0, end));
    },
    rest() {
      return heldBytes === 0 ? null : concatBytes(held);
    },
  };
}

/**
 * Offset after the event that starts at `from` in a block of complete events. Streams whose lines
 * end with a bare CR come as one event here; `readEvents` tells them apart.
 */
export function nextEventEnd(block: Uint8Array, from: number): number {
  let at = block.indexOf(LF, from);
  while (at >= 0) {
    const next = block[at + 1];
    if (next === LF) return at + 2;
    if (next === CR && block[at + 2] === LF) return at + 3;
    at = block.indexOf(LF, at + 1);
  }
  return block.length;
}

interface OpenEvent {
  event: string | null;
  data: string[];
  start: number;
}

function takeLine(line: string, open: OpenEvent): void {
  const colon = line.indexOf(':');
  if (colon === 0) return;
  const field = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
  if (field === 'data') open.data.push(value);
  else if (field === 'event') open.event = value;
}

/** The events of a block of complete events, by the rules of the HTML standard (9.2.6). */
export function readEvents(block: Uint8Array): SseEvent[] {
  const events: SseEvent[] = [];
  let open: OpenEvent = { event: null, data: [], start: 0 };
  let lineStart = 0;
  for (let at = 0; at < block.length;) {
    const next = afterBreak(block, at);
    if (next === at) {
      at += 1;
      continue;
    }
    if (at > lineStart) {
      takeLine(toText(block.subarray(lineStart, at)), open);
    } else {
      events.push(closeEvent(open, next));
      open = { event: null, data: [], start: next };
    }
    at = next;
    lineStart = next;
  }
  if (lineStart < block.length) takeLine(toText(block.subarray(lineStart)), open);
  if (open.start < block.length) events.push(closeEvent(open, block.length));
  return events;
}

function closeEvent(open: OpenEvent, end: number): SseEvent {
  const data = open.data.length === 0 ? null : open.data.join('\n');
  return { event: open.event, data, start: open.start, end };
}
