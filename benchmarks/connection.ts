/**
 * One keep-alive connection of the load generator: writes a ready-made request to a raw socket,
 * checks the answer, and tells how long it took. Cheap enough to stay out of the way of what is
 * measured.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';

import type { AnswerCheck } from './answer-check.ts';
import { createAnswerCheck } from './answer-check.ts';
import { createResponseReader } from './http-response.ts';
import type { Lane } from './load-protocol.ts';
import { toRequestBody, WORKLOADS } from './workloads.ts';

export interface Outcome {
  /** Null when the answer was right and whole. */
  readonly failure: string | null;
  readonly firstByteMs: number;
  readonly totalMs: number;
  readonly reads: number;
  readonly events: number;
}

export interface Connection {
  /** Only one request at a time. `done` is called exactly once. */
  ask(request: Buffer, done: (outcome: Outcome) => void): void;
  readonly usable: () => boolean;
  close(): void;
}

/** `onBegin` is called at the first byte of each answer: it counts the streams that are open. */
export interface ConnectionOptions {
  readonly lane: Lane;
  readonly onBegin: () => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 60_000;

export function toRequestBytes(lane: Lane): Buffer {
  const body = Buffer.from(toRequestBody(WORKLOADS[lane.workload]));
  const head = [
    `POST ${lane.path} HTTP/1.1`,
    `host: 127.0.0.1:${lane.port}`,
    'content-type: application/json',
    'accept: application/json',
    'user-agent: omnix-bench',
    ...Object.entries(lane.headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
    '',
    '',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

interface Asked {
  readonly check: AnswerCheck;
  readonly done: (outcome: Outcome) => void;
  readonly askedAt: number;
  firstByteAt: number;
  reads: number;
}

/** The state of one connection: at most one request that waits for its answer. */
function createConnection(socket: Socket, options: ConnectionOptions): Connection {
  const workload = WORKLOADS[options.lane.workload];
  let asked: Asked | null = null;
  let usable = true;

  function finish(failure: string | null): void {
    const current = asked;
    if (failure !== null) {
      usable = false;
      socket.destroy();
    }
    if (current === null) return;
    asked = null;
    const now = performance.now();
    current.done({
      failure,
      firstByteMs: (current.firstByteAt === 0 ? now : current.firstByteAt) - current.askedAt,
      totalMs: now - current.askedAt,
      reads: current.reads,
      events: current.check.events(),
    });
  }

  const reader = createResponseReader({
    onHead: (status) => asked?.check.onHead(status),
    onBody: (bytes) => asked?.check.onBody(bytes),
    onEnd: () => finish(asked?.check.verdict() ?? null),
    onBroken: finish,
  });

  socket.on('data', (bytes: Buffer) => {
    if (asked !== null) {
      asked.reads += 1;
      if (asked.firstByteAt === 0) {
        asked.firstByteAt = performance.now();
        options.onBegin();
      }
    }
    reader.push(bytes);
  });
  socket.on('error', (error) => finish('code' in error ? String(error.code) : 'socket error'));
  socket.on('close', () => finish('cut'));
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => finish('timeout'));

  return {
    ask(request, done) {
      const check = createAnswerCheck(workload);
      asked = { check, done, askedAt: performance.now(), firstByteAt: 0, reads: 0 };
      if (usable) socket.write(request);
      else finish('closed between requests');
    },
    usable: () => usable,
    close() {
      usable = false;
      socket.destroy();
    },
  };
}

/** Rejects when the connection is refused or not there within ten seconds. */
export function openConnection(options: ConnectionOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: options.lane.port, noDelay: true });
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('connect timeout')));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.removeAllListeners('timeout');
      resolve(createConnection(socket, options));
    });
  });
}
