/**
 * The upstream that everything is measured against: HTTP/1.1 over raw TCP with ready-made bytes, so
 * that it costs little beside what is measured. The model's name in the request chooses the answer.
 * Run as its own process.
 */
import type { Socket } from 'node:net';
import { createServer } from 'node:net';

import { TRANSLATED } from './answers-translated.ts';
import { toCompletion, toJsonAnswer, toStreamWrites } from './answers.ts';
import { listenOnLoopback } from './child-side.ts';
import type { RequestSeen } from './http-request.ts';
import { createRequestReader } from './http-request.ts';
import type { Answer, ModelName } from './workloads.ts';
import { ANSWERS, isModelName } from './workloads.ts';

interface Script {
  readonly answer: Answer;
  readonly writes: readonly Buffer[];
}

interface Playing {
  readonly socket: Socket;
  readonly script: Script;
  next: number;
}

/** What is held ready for one model: one write, or one write per event. */
function toWrites(model: ModelName, answer: Answer): readonly Buffer[] {
  if (answer.dialect !== undefined) return TRANSLATED[answer.dialect](model, answer);
  return answer.kind === 'json'
    ? [toCompletion(model, answer.answerTokens)]
    : toStreamWrites(model, answer.events);
}

const SCRIPTS: ReadonlyMap<string, Script> = new Map(
  Object.entries(ANSWERS).flatMap(([model, answer]) =>
    isModelName(model) ? [[model, { answer, writes: toWrites(model, answer) }] as const] : [],
  ),
);

/** What a gateway may ask on its own account: a health check, a list of models. */
const EMPTY_LIST = toJsonAnswer('200 OK', { object: 'list', data: [] });
const UNKNOWN = toJsonAnswer('404 Not Found', {
  error: { message: 'The mock has no such model.', type: 'invalid_request_error', code: null },
});
const REFUSED = toJsonAnswer('411 Length Required', {
  error: { message: 'The mock needs a content-length.', type: 'invalid_request_error', code: null },
});

/**
 * Paced streams are spread over the ticks of their period, so that they do not all write at once.
 */
const TICK_MS = 2;

/** Returns false when the stream is over. */
function writeNext(playing: Playing): boolean {
  const bytes = playing.script.writes[playing.next];
  if (bytes === undefined || playing.socket.destroyed) return false;
  playing.next += 1;
  playing.socket.write(bytes);
  return playing.next < playing.script.writes.length;
}

/**
 * One event of every stream per turn of the loop: each is a write, and mostly a read, of its own.
 */
function createInstantPump(): (playing: Playing) => void {
  let streams: Playing[] = [];
  function turn(): void {
    streams = streams.filter(writeNext);
    if (streams.length > 0) setImmediate(turn);
  }
  return (playing) => {
    streams.push(playing);
    if (streams.length === 1) setImmediate(turn);
  };
}

/** Every stream gets an event per period. One timer serves thousands of them. */
function createPacedPump(periodMs: number): (playing: Playing) => void {
  const slots: Playing[][] = Array.from({ length: periodMs / TICK_MS }, () => []);
  let slot = 0;
  setInterval(() => {
    slot = (slot + 1) % slots.length;
    const due = slots[slot];
    if (due !== undefined && due.length > 0) slots[slot] = due.filter(writeNext);
  }, TICK_MS);
  return (playing) => slots[slot]?.push(playing);
}

const playInstant = createInstantPump();
const pacedPumps = new Map<number, (playing: Playing) => void>();

function playPaced(playing: Playing, periodMs: number): void {
  const pump = pacedPumps.get(periodMs) ?? createPacedPump(periodMs);
  pacedPumps.set(periodMs, pump);
  pump(playing);
}

function play(socket: Socket, script: Script): void {
  const [first] = script.writes;
  if (first === undefined) return;
  if (script.answer.kind === 'json') {
    if (script.answer.delayMs === 0) socket.write(first);
    else setTimeout(() => socket.write(first), script.answer.delayMs);
    return;
  }
  socket.write(first);
  const playing = { socket, script, next: 1 };
  if (script.answer.eventEveryMs === 0) playInstant(playing);
  else playPaced(playing, script.answer.eventEveryMs);
}

function serve(socket: Socket, request: RequestSeen): void {
  if (request.method !== 'POST') {
    socket.write(EMPTY_LIST);
    return;
  }
  // Some dialects name the model in the path.
  const inBody = /"model":\s*"([^"]*)"/.exec(request.bodyPrefix)?.[1];
  const model = inBody ?? /\/models\/([^:]*):/.exec(request.path)?.[1];
  const script = model === undefined ? undefined : SCRIPTS.get(model);
  if (script === undefined) socket.write(UNKNOWN);
  else play(socket, script);
}

const server = createServer({ noDelay: true }, (socket) => {
  const push = createRequestReader({
    onRequest: (request) => serve(socket, request),
    onRefused: () => socket.end(REFUSED),
  });
  socket.on('data', push);
  socket.on('error', () => socket.destroy());
});

listenOnLoopback(server);
