/**
 * A client that speaks TCP and not HTTP, for input that no library would send: bytes cut anywhere,
 * headers that drip, lengths that lie, readers that do not read, connections that end in the
 * middle.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface RawAnswer {
  /** Null where nothing that looks like HTTP came. */
  readonly status: number | null;
  /** Lower-cased names; repeated headers joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  /** Without chunk framing. */
  readonly body: Buffer;
  /** The body ended as its framing says. */
  readonly complete: boolean;
}

export interface RawClient {
  send(bytes: string | Uint8Array): Promise<void>;
  /** In pieces of `size` bytes, `everyMs` apart; stops early when the server hangs up. */
  sendSlowly(bytes: string | Uint8Array, pace: { size: number; everyMs: number }): Promise<void>;
  /** Everything that came so far. */
  received(): Buffer;
  /** Resolves when at least `count` bytes came, or the connection ended. */
  receivedAtLeast(count: number): Promise<void>;
  /** The answer, once it is complete or the connection ended. Rejects after `timeoutMs`. */
  answer(timeoutMs?: number): Promise<RawAnswer>;
  /** The server hung up. */
  closed(): boolean;
  /** Resolves when the server hung up; rejects after `timeoutMs`. */
  untilClosed(timeoutMs: number): Promise<void>;
  /** Stops reading: the kernel's buffers fill and the server feels it. */
  pause(): void;
  resume(): void;
  /** Ends politely (FIN). */
  end(): void;
  /** Leaves without a word (RST). */
  reset(): void;
}

const ANSWER_TIMEOUT_MS = 20_000;
const POLL_MS = 5;

/** Connects to 127.0.0.1. */
export async function openRaw(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const pieces: Buffer[] = [];
  const state = { length: 0, closed: false };
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece);
    state.length += piece.length;
  });
  socket.on('error', () => {
    state.closed = true;
  });
  socket.on('end', () => {
    state.closed = true;
  });
  socket.on('close', () => {
    state.closed = true;
  });
  await once(socket, 'connect');
  const received = () => Buffer.concat(pieces);
  return {
    send: (bytes) => write(socket, bytes),
    sendSlowly: (bytes, pace) => drip(socket, { bytes: Buffer.from(bytes), ...pace }),
    received,
    receivedAtLeast: (count) =>
      until(`${count} bytes`, () => state.length >= count || state.closed, ANSWER_TIMEOUT_MS),
    answer: async (timeoutMs = ANSWER_TIMEOUT_MS) => {
      const isThere = () => state.closed || parseAnswer(received()).complete;
      await until('an answer', isThere, timeoutMs);
      return parseAnswer(received());
    },
    closed: () => state.closed,
    untilClosed: (timeoutMs) => until('the server to hang up', () => state.closed, timeoutMs),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  };
}

/** The bytes of an ordinary request; `headers` come after host and before the end. */
export function requestBytes(request: {
  readonly method?: string;
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array;
}): Buffer {
  const body = Buffer.from(request.body ?? '');
  const lines = [
    `${request.method ?? 'POST'} ${request.path} HTTP/1.1`,
    'host: 127.0.0.1',
    ...(request.headers ?? []).map(([name, value]) => `${name}: ${value}`),
    ...(request.body === undefined ? [] : [`content-length: ${body.length}`]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
}

/** One request on a connection of its own. */
export async function rawExchange(port: number, bytes: string | Uint8Array): Promise<RawAnswer> {
  const client = await openRaw(port);
  await client.send(bytes);
  const answer = await client.answer();
  client.reset();
  return answer;
}

async function until(what: string, condition: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`raw client: no ${what} in ${timeoutMs} ms`);
    await delay(POLL_MS);
  }
}

/** Resolves also when the server is gone: that is what the answer then shows. */
function write(socket: Socket, bytes: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || !socket.writable) {
      resolve();
      return;
    }
    const done = () => {
      socket.removeListener('close', done);
      resolve();
    };
    socket.once('close', done);
    socket.write(bytes, done);
  });
}

async function drip(
  socket: Socket,
  what: { readonly bytes: Buffer; readonly size: number; readonly everyMs: number },
): Promise<void> {
  for (let at = 0; at < what.bytes.length && socket.writable; at += what.size) {
    await write(socket, what.bytes.subarray(at, at + what.size));
    await delay(what.everyMs);
  }
}

/** Reads what came as one HTTP/1.1 answer; interim 1xx answers are skipped. */
function parseAnswer(bytes: Buffer): RawAnswer {
  const headEnd = bytes.indexOf('\r\n\r\n');
  const nothing = { status: null, headers: new Map(), body: bytes, complete: false };
  if (headEnd < 0) return nothing;
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(statusLine);
  if (match === null) return nothing;
  const status = Number(match[1]);
  const rest = bytes.subarray(headEnd + 4);
  if (status < 200) return parseAnswer(rest);
  const headers = parseHeaders(lines);
  return { status, headers, ...parseBody(headers, rest) };
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

function parseBody(
  headers: ReadonlyMap<string, string>,
  rest: Buffer,
): { readonly body: Buffer; readonly complete: boolean } {
  if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') return dechunk(rest);
  const length = headers.get('content-length');
  if (length === undefined) return { body: rest, complete: false };
  return { body: rest.subarray(0, Number(length)), complete: rest.length >= Number(length) };
}

function dechunk(bytes: Buffer): { readonly body: Buffer; readonly complete: boolean } {
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return { body: Buffer.concat(pieces), complete: false };
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    if (size === 0) return { body: Buffer.concat(pieces), complete: true };
    const from = lineEnd + 2;
    if (Number.isNaN(size) || bytes.length < from + size) {
      pieces.push(bytes.subarray(from));
      return { body: Buffer.concat(pieces), complete: false };
    }
    pieces.push(bytes.subarray(from, from + size));
    at = from + size + 2;
  }
}
