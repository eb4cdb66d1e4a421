/**
 * The way to a client of the lane: an answer as bytes on its socket, whole or in chunks (RFC 9112,
 * section 7.1), each push one write.
 */
import type { Socket } from 'node:net';
import type { HeaderList, Sink } from '#base/sink.ts';
import { answerHead } from './answer-head.node.ts';

/** What an answer needs of its connection. */
export interface AnswerWay {
  readonly socket: Socket;
  /** False: the connection closes after this answer. */
  readonly staysOpen: boolean;
  readonly dateLine: string;
  /** The answer has ended: the connection is the next request's. */
  answered(): void;
}

/** From here on copying costs more than a second entry in one system call. */
const COPIED_BYTES_MAX = 16 * 1024;
const CRLF = '\r\n';
const LAST_CHUNK = '0\r\n\r\n';
const NO_BYTES = new Uint8Array(0);

/** What stands around bytes on the wire, in latin1. */
interface Frame {
  readonly before: string;
  readonly after: string;
}

/** False when the client cannot keep up. */
function writeFramed(socket: Socket, bytes: Uint8Array, { before, after }: Frame): boolean {
  // A client that has half-closed is not answered, as node:http does: its 'close' follows.
  if (!socket.writable) return true;
  if (bytes.length > COPIED_BYTES_MAX) {
    socket.cork();
    socket.write(before, 'latin1');
    const keepsUp = socket.write(bytes);
    const all = after === '' ? keepsUp : socket.write(after, 'latin1');
    socket.uncork();
    return all;
  }
  const from = before.length;
  const to = from + bytes.length;
  const framed = Buffer.allocUnsafe(to + after.length);
  framed.write(before, 0, 'latin1');
  framed.set(bytes, from);
  framed.write(after, to, 'latin1');
  return socket.write(framed);
}

function flush(sink: SocketSink): void {
  sink.write(NO_BYTES);
}

export class SocketSink implements Sink {
  /** Null once the answer has ended or the client has gone. */
  #way: AnswerWay | null;
  readonly #crossOrigin: boolean;
  /** A stream's head that waits for its first chunk. */
  #head = '';
  #gone: (() => void) | null = null;
  #drain: (() => void) | null = null;
  committed = false;

  constructor(way: AnswerWay, crossOrigin: boolean) {
    this.#way = way;
    this.#crossOrigin = crossOrigin;
  }

  get closed(): boolean {
    return this.#way === null;
  }

  head(status: number, headers: HeaderList): void {
    const way = this.#way;
    if (way === null) return;
    this.#head = `${this.#headOf(way, status, headers)}Transfer-Encoding: chunked\r\n\r\n`;
    this.committed = true;
    process.nextTick(flush, this);
  }

  write(bytes: Uint8Array): boolean {
    const way = this.#way;
    if (way === null) return true;
    const head = this.#head;
    this.#head = '';
    if (bytes.length > 0) {
      const size = `${head}${bytes.length.toString(16)}\r\n`;
      return writeFramed(way.socket, bytes, { before: size, after: CRLF });
    }
    // A chunk without bytes would be the last one.
    return head === '' || writeFramed(way.socket, NO_BYTES, { before: head, after: '' });
  }

  send(status: number, headers: HeaderList, body: Uint8Array): void {
    const way = this.#way;
    if (way === null) return;
    const head = this.#headOf(way, status, headers);
    this.committed = true;
    const before = `${head}content-length: ${body.length}\r\n\r\n`;
    writeFramed(way.socket, body, { before, after: '' });
    this.#end(way);
  }

  end(last: Uint8Array = NO_BYTES): void {
    const way = this.#way;
    if (way === null) return;
    const head = this.#head;
    this.#head = '';
    const size = last.length > 0 ? `${last.length.toString(16)}\r\n` : '';
    const after = last.length > 0 ? `\r\n${LAST_CHUNK}` : LAST_CHUNK;
    writeFramed(way.socket, last, { before: head + size, after });
    this.#end(way);
  }

  destroy(): void {
    this.#way?.socket.destroy();
    this.#way = null;
  }

  onGone(listener: () => void): void {
    this.#gone = listener;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  /** The client takes bytes again. */
  drained(): void {
    const drain = this.#drain;
    this.#drain = null;
    drain?.();
  }

  /** The client has left. */
  leave(): void {
    if (this.#way === null) return;
    this.#way = null;
    this.#gone?.();
  }

  #headOf(way: AnswerWay, status: number, headers: HeaderList): string {
    const { dateLine, staysOpen } = way;
    return answerHead(status, headers, { dateLine, staysOpen, crossOrigin: this.#crossOrigin });
  }

  #end(way: AnswerWay): void {
    this.#way = null;
    way.answered();
  }
}
