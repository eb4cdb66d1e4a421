/**
 * A provider on a real socket whose answers are scripted step by step, so that a test can make it
 * fail in any way that a network or a host fails. It records what reached it and when its caller
 * went away, so that tests can say what was sent, what was lost and what leaked.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type Pairs = readonly (readonly [name: string, value: string])[];

/** One move of the upstream. Bytes of different steps never share a TCP write. */
export type Step =
  | { readonly do: 'head'; readonly status: number; readonly headers: Pairs }
  | { readonly do: 'write'; readonly bytes: string | Uint8Array }
  /** Straight to the socket, for what node:http would refuse to send. */
  | { readonly do: 'raw'; readonly bytes: string | Uint8Array }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'until'; readonly gate: Promise<unknown> }
  /** Nothing more, until the caller leaves or the fake closes. */
  | { readonly do: 'hang' }
  | { readonly do: 'reset' }
  /** The connection ends without the end of the body. */
  | { readonly do: 'fin' }
  | { readonly do: 'end' };

export type Reply = readonly Step[];

export interface ReceivedRequest {
  readonly id: number;
  readonly method: string;
  readonly path: string;
  /** Lower-cased name to value; repeated headers are joined as node:http does. */
  readonly headers: ReadonlyMap<string, string>;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly receivedAtMs: number;
  /** Body bytes of the answer that the kernel has taken so far. */
  bytesWritten: number;
  /** The script ran to its end. */
  finished: boolean;
  /** When the caller closed the connection before that, and how much it had been sent by then. */
  aborted: { readonly atMs: number; readonly bytesWritten: number } | null;
}

export type Answerer = (request: ReceivedRequest) => Reply;

export interface FakeUpstream {
  readonly port: number;
  /** `http://127.0.0.1:<port>`; add the prefix of a script. */
  readonly origin: string;
  readonly received: readonly ReceivedRequest[];
  /**
   * Answers requests whose path begins with `prefix`; the longest prefix wins, the last script
   * counts.
   */
  on(prefix: string, answer: Answerer): void;
  /** What reached `prefix`, oldest first. */
  at(prefix: string): readonly ReceivedRequest[];
  /** Resolves when `condition` holds; rejects after `timeoutMs`, naming `what`. */
  until(what: string, condition: () => boolean, timeoutMs?: number): Promise<void>;
  /** Forgets what was received, keeps the scripts. */
  forget(): void;
  openConnections(): number;
  close(): Promise<void>;
}

interface Stage {
  readonly request: ReceivedRequest;
  readonly response: ServerResponse;
  /** Rejects when the connection is gone: every step races against it. */
  readonly gone: Promise<never>;
}

class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

const CONDITION_POLL_MS = 5;
const CONDITION_TIMEOUT_MS = 10_000;
const UNSCRIPTED: Reply = [
  { do: 'head', status: 418, headers: [['content-type', 'application/json']] },
  { do: 'write', bytes: '{"error":{"message":"the fake upstream has no script for this path"}}' },
  { do: 'end' },
];

/** Starts it on an ephemeral port of 127.0.0.1. */
export async function startFakeUpstream(): Promise<FakeUpstream> {
  const received: ReceivedRequest[] = [];
  const scripts = new Map<string, Answerer>();
  const house: House = { nextId: 1, received, scripts };
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    void play(incoming, response, house);
  });
  // Callers of a fake that misbehaves send what they like: a parse error must not end the test run.
  server.on('clientError', (_error, socket) => socket.destroy());
  let connections = 0;
  server.on('connection', (socket) => {
    socket.setNoDelay(true);
    // The caller's leaving is recorded where the connection closes.
    socket.on('error', ignore);
    connections += 1;
    socket.once('close', () => {
      connections -= 1;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server.address());
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    received,
    on: (prefix, answer) => void scripts.set(prefix, answer),
    at: (prefix) => received.filter((request) => request.path.startsWith(prefix)),
    until: untilTrue,
    forget: () => void received.splice(0),
    openConnections: () => connections,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Polls, so that a condition may look at anything. */
export async function untilTrue(
  what: string,
  condition: () => boolean,
  timeoutMs: number = CONDITION_TIMEOUT_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(CONDITION_POLL_MS);
  }
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function refusedPort(): Promise<number> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** Each request takes the next reply; the last one serves all that follow. */
export function inTurn(replies: readonly Reply[]): Answerer {
  let next = 0;
  return () => {
    const reply = replies[Math.min(next, replies.length - 1)] ?? UNSCRIPTED;
    next += 1;
    return reply;
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

interface House {
  nextId: number;
  readonly received: ReceivedRequest[];
  readonly scripts: ReadonlyMap<string, Answerer>;
}

async function play(incoming: IncomingMessage, response: ServerResponse, house: House) {
  const socket = incoming.socket;
  const body = await readBody(incoming);
  if (body === null) return;
  const request = toReceived(incoming, body, house.nextId);
  house.nextId += 1;
  house.received.push(request);
  const leave: { with: (error: CallerGone) => void } = { with: () => undefined };
  const gone = new Promise<never>((_resolve, reject) => {
    leave.with = reject;
  });
  gone.catch(() => undefined);
  const onClose = () => leave.with(new CallerGone());
  if (socket.destroyed) onClose();
  else socket.once('close', onClose);
  response.on('error', ignore);
  try {
    const reply = findScript(house.scripts, request.path)?.(request) ?? UNSCRIPTED;
    for (const step of reply) await perform(step, { request, response, gone });
  } catch (error) {
    if (!(error instanceof CallerGone)) throw error;
    if (!request.finished) {
      request.aborted = { atMs: performance.now(), bytesWritten: request.bytesWritten };
    }
  } finally {
    socket.removeListener('close', onClose);
  }
}

function ignore(): void {
  // Deliberately nothing.
}

async function readBody(incoming: IncomingMessage): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  try {
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    await once(incoming, 'end');
  } catch {
    return null;
  }
  return Buffer.concat(pieces);
}

function toReceived(incoming: IncomingMessage, body: Buffer, id: number): ReceivedRequest {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return {
    id,
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers,
    rawHeaders: incoming.rawHeaders,
    body,
    receivedAtMs: performance.now(),
    bytesWritten: 0,
    finished: false,
    aborted: null,
  };
}

function findScript(scripts: ReadonlyMap<string, Answerer>, path: string): Answerer | undefined {
  let best: string | undefined;
  for (const prefix of scripts.keys()) {
    if (path.startsWith(prefix) && prefix.length > (best?.length ?? -1)) best = prefix;
  }
  return best === undefined ? undefined : scripts.get(best);
}

async function perform(step: Step, stage: Stage): Promise<void> {
  const { request, response, gone } = stage;
  switch (step.do) {
    case 'head':
      response.writeHead(step.status, step.headers.flat());
      response.flushHeaders();
      return nextTurn();
    case 'write':
      await Promise.race([writeBody(response, step.bytes), gone]);
      request.bytesWritten += Buffer.byteLength(step.bytes);
      return nextTurn();
    case 'raw':
      response.socket?.write(step.bytes);
      return nextTurn();
    case 'wait':
      await Promise.race([delay(step.ms), gone]);
      return undefined;
    case 'until':
      await Promise.race([step.gate, gone]);
      return undefined;
    case 'hang':
      return gone;
    default:
      request.finished = true;
      return finish(step.do, response);
  }
}

function finish(how: 'reset' | 'fin' | 'end', response: ServerResponse): void {
  if (how === 'end') response.end();
  else if (how === 'fin') response.socket?.end();
  else response.socket?.resetAndDestroy();
}

function writeBody(response: ServerResponse, bytes: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(bytes, (error) => {
      if (error) reject(new CallerGone());
      else resolve();
    });
  });
}

/** Lets the kernel and the reader see what was written before more follows. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
