/**
 * Reads HTTP/1.1 responses off a raw socket for the load generator: status, then the body freed of
 * its framing (content-length or chunked), then the end. Strict enough that a cut or garbled answer
 * is never taken for a complete one.
 */

export interface ResponseEvents {
  onHead(status: number): void;
  onBody(bytes: Buffer): void;
  onEnd(): void;
  /** The peer broke the protocol; nothing more is read. */
  onBroken(reason: string): void;
}

export interface ResponseReader {
  push(bytes: Buffer): void;
  /** True between answers: the only moment when the peer may close without cutting one. */
  idle(): boolean;
}

const LINE_END = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const EMPTY = Buffer.alloc(0);
const LINE_BYTES_MAX = 65_536;

type State = 'head' | 'length' | 'chunk_size' | 'chunk_data' | 'chunk_end' | 'trailer' | 'broken';

/** Where one connection stands. */
interface Reading {
  readonly events: ResponseEvents;
  state: State;
  /** What is left of the body or of the chunk. */
  remaining: number;
  /** The beginning of a head or line whose end has not come yet. */
  held: Buffer;
}

/** Takes from the front of the bytes what belongs to the state, and returns the rest. */
type Take = (reading: Reading, bytes: Buffer) => Buffer;

function breakOff(reading: Reading, reason: string): Buffer {
  reading.state = 'broken';
  reading.events.onBroken(reason);
  return EMPTY;
}

function finish(reading: Reading, rest: Buffer): Buffer {
  reading.state = 'head';
  reading.events.onEnd();
  return rest;
}

interface Taken {
  readonly text: string;
  readonly rest: Buffer;
}

/** Text up to the separator and what follows it, or null after keeping the unfinished beginning. */
function takeUntil(separator: Buffer, reading: Reading, bytes: Buffer): Taken | null {
  const joined = reading.held.length === 0 ? bytes : Buffer.concat([reading.held, bytes]);
  const end = joined.indexOf(separator);
  if (end < 0) {
    reading.held = joined;
    if (joined.length > LINE_BYTES_MAX) breakOff(reading, 'endless line');
    return null;
  }
  reading.held = EMPTY;
  return { text: joined.toString('latin1', 0, end), rest: joined.subarray(end + separator.length) };
}

const takeHead: Take = (reading, bytes) => {
  const head = takeUntil(HEAD_END, reading, bytes);
  if (head === null) return EMPTY;
  const status = /^HTTP\/1\.1 (\d{3})/.exec(head.text)?.[1];
  if (status === undefined) return breakOff(reading, 'not HTTP/1.1');
  if (status === '100') return head.rest;
  const chunked = /\r\ntransfer-encoding: *chunked/i.test(head.text);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head.text)?.[1];
  if (!chunked && length === undefined) return breakOff(reading, 'no framing');
  reading.events.onHead(Number(status));
  reading.state = chunked ? 'chunk_size' : 'length';
  reading.remaining = Number(length ?? 0);
  return !chunked && reading.remaining === 0 ? finish(reading, head.rest) : head.rest;
};

const takeChunkSize: Take = (reading, bytes) => {
  const line = takeUntil(LINE_END, reading, bytes);
  if (line === null) return EMPTY;
  const size = /^[0-9a-f]+/i.exec(line.text)?.[0];
  if (size === undefined) return breakOff(reading, 'bad chunk size');
  reading.remaining = Number.parseInt(size, 16);
  reading.state = reading.remaining === 0 ? 'trailer' : 'chunk_data';
  return line.rest;
};

const takeData: Take = (reading, bytes) => {
  const data = bytes.subarray(0, reading.remaining);
  reading.remaining -= data.length;
  reading.events.onBody(data);
  const rest = bytes.subarray(data.length);
  if (reading.remaining > 0) return rest;
  if (reading.state === 'length') return finish(reading, rest);
  reading.state = 'chunk_end';
  return rest;
};

const takeChunkEnd: Take = (reading, bytes) => {
  const line = takeUntil(LINE_END, reading, bytes);
  if (line === null) return EMPTY;
  if (line.text !== '') return breakOff(reading, 'chunk longer than its size');
  reading.state = 'chunk_size';
  return line.rest;
};

const takeTrailer: Take = (reading, bytes) => {
  const line = takeUntil(LINE_END, reading, bytes);
  if (line === null) return EMPTY;
  return line.text === '' ? finish(reading, line.rest) : line.rest;
};

const TAKE: Readonly<Record<State, Take>> = {
  head: takeHead,
  length: takeData,
  chunk_size: takeChunkSize,
  chunk_data: takeData,
  chunk_end: takeChunkEnd,
  trailer: takeTrailer,
  broken: () => EMPTY,
};

/** One reader per connection; it reads any number of answers, one after the other. */
export function createResponseReader(events: ResponseEvents): ResponseReader {
  const reading: Reading = { events, state: 'head', remaining: 0, held: EMPTY };
  return {
    push(bytes) {
      let rest = bytes;
      while (rest.length > 0) rest = TAKE[reading.state](reading, rest);
    },
    idle: () => reading.state === 'head' && reading.held.length === 0,
  };
}
