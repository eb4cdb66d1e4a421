/**
 * One attempt at one upstream, from dispatch to its last byte: reads the answer as it is pushed,
 * keeps the deadlines, relays a stream to the client with backpressure, and knows what to do when
 * either side goes.
 */
import { concatBytes, mergeBytes } from '#base/bytes.ts';
import type { Deadline, Deadlines } from '#base/deadlines.ts';
import type { HeaderList, Sink } from '#base/sink.ts';
import type {
  Transport,
  TransportFailure,
  UpstreamExchange,
  UpstreamHandler,
  UpstreamHeaders,
  UpstreamRequest,
} from '#base/transport.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import type { UpstreamError, UpstreamErrorInput } from '#providers/provider.ts';
import type { AnswerStream, WholeAnswer } from '../answer.ts';
import type { GatewayLimits } from '../dependencies.ts';
import type { AnswerContext, InferenceRequest } from '../inference.ts';
import {
  fromComplaint,
  fromSilence,
  fromTransport,
  fromUpstreamError,
  unreadable,
  type AttemptFailure,
} from './failure.ts';

/** How a stream that began has ended. */
export type StreamEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'broken'; readonly failure: AttemptFailure }
  | { readonly kind: 'gone' };

export interface LiveStream {
  readonly answer: AnswerStream;
  /** Commits the client's answer and relays from now on. */
  deliver(headers: HeaderList): void;
  readonly over: Promise<StreamEnd>;
}

/**
 * What an attempt came to, as far as failover must know. `gone`: the client left first; `failed`
 * says that the upstream was seen to fail after that, and so bills nothing.
 */
export type Reply =
  | { readonly kind: 'stream'; readonly live: LiveStream }
  | { readonly kind: 'whole'; readonly answer: WholeAnswer }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure }
  | { readonly kind: 'gone'; readonly failed: boolean };

export interface ExchangeOptions extends AnswerContext {
  readonly request: InferenceRequest;
  readonly sink: Sink;
  readonly deadlines: Deadlines;
  readonly limits: GatewayLimits;
}

const ERROR_BODY_BYTES_MAX = 64 * 1024;
/** What an error says beyond its status is not worth more waiting. */
const ERROR_BODY_MS_MAX = 5_000;
/** A client that takes nothing for so long has gone. */
const CLIENT_STALL_MS_MAX = 120_000;
/**
 * After its last event an upstream has so long to end the response; the connection is given up
 * then.
 */
const LINGER_MS_MAX = 1_000;

type Mode = 'head' | 'error' | 'whole' | 'stream' | 'over';

export class Exchange implements UpstreamHandler {
  readonly #options: ExchangeOptions;
  readonly #deadline: Deadline;
  readonly #answer: AnswerStream | null;
  readonly #startedMs: number;
  #upstream: UpstreamExchange | null = null;
  #mode: Mode = 'head';
  #status = 0;
  #headers: UpstreamHeaders = {};
  #body: Uint8Array[] = [];
  #bodyBytes = 0;
  #gone = false;
  #delivering = false;
  /** The last event has come, and only the end of the response is waited for. */
  #lingers = false;
  #paused = false;
  #queued: Uint8Array[] = [];
  readonly #reply: PromiseWithResolvers<Reply> = Promise.withResolvers();
  /** Of streams only. */
  readonly #over: PromiseWithResolvers<StreamEnd> | null;
  /** Monotonic time of the first byte of an answer; null until then. */
  firstByteMs: number | null = null;

  constructor(options: ExchangeOptions) {
    const { endpoint, request, deadlines, limits } = options;
    this.#options = options;
    this.#startedMs = deadlines.now();
    this.#answer = request.openStream(options, limits.eventBytesMax);
    this.#over = this.#answer === null ? null : Promise.withResolvers();
    const { firstEvent, wholeAnswer } = endpoint.silenceMs;
    const patience = request.stream ? firstEvent : wholeAnswer;
    this.#deadline = { dueMs: this.#startedMs + patience, expire: () => this.#expire() };
  }

  /** Dispatches. Resolves once, when it is known whether this attempt stands. */
  run(transport: Transport, request: UpstreamRequest): Promise<Reply> {
    const { deadlines, sink } = this.#options;
    deadlines.add(this.#deadline);
    sink.onGone(() => this.clientGone());
    this.#upstream = transport.send(request, this);
    // Who left a moment before was not told to the listener.
    if (sink.closed) this.clientGone();
    return this.#reply.promise;
  }

  onHead(status: number, headers: UpstreamHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (status < 200 || status > 299) {
      this.#mode = 'error';
      const due = this.#options.deadlines.now() + ERROR_BODY_MS_MAX;
      this.#deadline.dueMs = Math.min(this.#deadline.dueMs, due);
      return;
    }
    const encoding = headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') {
      this.#fail(
        unreadable('content_encoding', `the answer is encoded as ${encoding.slice(0, 40)}`),
      );
      return;
    }
    const type = headers['content-type'] ?? '';
    const events = type.includes('text/event-stream');
    if (this.#answer === null) {
      if (events) this.#fail(unreadable('content_type', 'a stream came where none was asked for'));
      else this.#mode = 'whole';
    } else {
      // Some hosts call their streams by other names; JSON and HTML are never one.
      this.#mode = !events && /json|html/.test(type) ? 'whole' : 'stream';
    }
  }

  onData(bytes: Uint8Array): void {
    if (this.#mode === 'stream') this.#pushStream(bytes);
    else if (this.#mode === 'whole') this.#pushWhole(bytes);
    else if (this.#mode === 'error') this.#pushError(bytes);
  }

  onEnd(): void {
    if (this.#mode === 'error') this.#endError();
    else if (this.#mode === 'whole') this.#endWhole();
    else if (this.#mode === 'stream') this.#endStream();
  }

  onFail(failure: TransportFailure): void {
    if (this.#mode === 'error') this.#endError();
    else if (this.#answer?.complete === true) this.#endStream();
    else this.#fail(fromTransport(failure));
  }

  #pushError(bytes: Uint8Array): void {
    if (this.#bodyBytes >= ERROR_BODY_BYTES_MAX) return;
    this.#body.push(bytes);
    this.#bodyBytes += bytes.length;
    if (this.#bodyBytes < ERROR_BODY_BYTES_MAX) return;
    this.#upstream?.abort();
    this.#endError();
  }

  #endError(): void {
    const body = concatBytes(this.#body).subarray(0, ERROR_BODY_BYTES_MAX);
    this.#fail(fromUpstreamError(this.#readError({ status: this.#status, body })));
  }

  #readError(said: Pick<UpstreamErrorInput, 'status' | 'body'>): UpstreamError {
    const { endpoint, nowMs } = this.#options;
    return endpoint.provider.readError({ ...said, headers: this.#headers, nowMs: nowMs() });
  }

  #complain(complaint: UpstreamComplaint): void {
    this.#fail(fromComplaint(complaint, (said) => this.#readError(said)));
  }

  #pushWhole(bytes: Uint8Array): void {
    const { deadlines, endpoint, limits } = this.#options;
    this.firstByteMs ??= deadlines.now();
    if (!this.#gone) this.#deadline.dueMs = deadlines.now() + endpoint.silenceMs.idle;
    this.#body.push(bytes);
    this.#bodyBytes += bytes.length;
    if (this.#bodyBytes <= limits.answerBytesMax) return;
    this.#fail(unreadable('too_large', `the answer exceeds ${limits.answerBytesMax} bytes`));
  }

  #endWhole(): void {
    const answer = { headers: this.#headers, body: mergeBytes(this.#body) };
    const read = this.#options.request.readWhole(this.#options, answer);
    if (!read.ok) {
      this.#complain(read.error);
    } else if (this.#answer !== null) {
      this.#fail(unreadable('content_type', 'a whole answer came where a stream was asked for'));
    } else {
      this.#end();
      this.#reply.resolve({ kind: 'whole', answer: read.value });
    }
  }

  #pushStream(bytes: Uint8Array): void {
    const answer = this.#answer;
    if (answer === null) return;
    const out = answer.push(bytes);
    this.#afterStream(answer, out);
  }

  #endStream(): void {
    const answer = this.#answer;
    if (answer === null) return;
    this.#afterStream(answer, answer.close());
    this.#end();
  }

  #afterStream(answer: AnswerStream, out: Uint8Array | null): void {
    if (out !== null) this.#relay(out);
    if (answer.complaint !== null) this.#complain(answer.complaint);
    else if (answer.began) this.#goOn(answer);
    else if (answer.accepted === true && !this.#gone) this.#waitOn();
  }

  #goOn(answer: AnswerStream): void {
    const { deadlines, endpoint } = this.#options;
    const now = deadlines.now();
    if (this.firstByteMs === null) this.#begin(answer, now);
    if (answer.ended) {
      // Once: what an upstream still says does not keep it.
      if (!this.#lingers) this.#deadline.dueMs = now + LINGER_MS_MAX;
      this.#lingers = true;
      this.#over?.resolve(this.#gone ? { kind: 'gone' } : { kind: 'complete' });
    } else if (!this.#gone && !this.#paused) {
      this.#deadline.dueMs = now + (answer.complete ? LINGER_MS_MAX : endpoint.silenceMs.idle);
    }
  }

  /** It has said that it is at it, and thinks: it has as long as a whole answer has. */
  #waitOn(): void {
    const { deadlines, endpoint } = this.#options;
    const { idle, wholeAnswer } = endpoint.silenceMs;
    this.#deadline.dueMs = Math.min(deadlines.now() + idle, this.#startedMs + wholeAnswer);
  }

  #begin(answer: AnswerStream, nowMs: number): void {
    this.firstByteMs = nowMs;
    if (this.#over === null) return;
    this.#reply.resolve({ kind: 'stream', live: this.#live(answer, this.#over.promise) });
  }

  #live(answer: AnswerStream, over: Promise<StreamEnd>): LiveStream {
    return {
      answer,
      over,
      deliver: (headers) => {
        const { sink } = this.#options;
        this.#delivering = true;
        sink.head(200, headers);
        const queued = this.#queued;
        this.#queued = [];
        if (queued.length > 0) this.#relay(concatBytes(queued));
      },
    };
  }

  #relay(bytes: Uint8Array): void {
    if (this.#gone) return;
    if (!this.#delivering) {
      this.#queued.push(bytes);
      return;
    }
    const { sink, deadlines, endpoint } = this.#options;
    if (sink.write(bytes) || this.#paused) return;
    this.#paused = true;
    this.#upstream?.pause();
    this.#deadline.dueMs = deadlines.now() + CLIENT_STALL_MS_MAX;
    sink.onDrain(() => {
      this.#paused = false;
      if (this.#gone || this.#mode === 'over') return;
      this.#deadline.dueMs = deadlines.now() + endpoint.silenceMs.idle;
      this.#upstream?.resume();
    });
  }

  /** The client has left: what happens to the upstream is the provider's habit. */
  clientGone(): void {
    if (this.#mode === 'over' || this.#gone) return;
    this.#gone = true;
    this.#paused = false;
    if (this.#mode === 'error') {
      // It has refused already: that is known, and free, whatever its body would say.
      this.#endError();
      return;
    }
    const { endpoint, deadlines, limits } = this.#options;
    if (endpoint.provider.onCancel === 'stops') {
      this.leave();
      return;
    }
    this.#upstream?.resume();
    this.#deadline.dueMs = deadlines.now() + limits.drainMsMax;
  }

  #expire(): void {
    if (this.#mode === 'error') {
      this.#endError();
      return;
    }
    if (this.#gone || this.#answer?.ended === true) {
      this.leave();
      return;
    }
    if (this.#paused) {
      // The client's silence is not the upstream's failure: the answer is not free for it.
      this.#options.deadlines.add(this.#deadline);
      this.clientGone();
      this.#options.sink.destroy();
      return;
    }
    if (this.#answer?.complete === true) {
      this.#upstream?.abort();
      this.#endStream();
      return;
    }
    const what = this.firstByteMs === null ? 'the first byte' : 'the next byte';
    this.#fail(fromSilence(what, this.#options.deadlines.now() - this.#startedMs));
  }

  /** Gives the upstream up, for nobody waits for the rest of it. */
  leave(): void {
    if (this.#mode === 'over') return;
    this.#upstream?.abort();
    this.#end();
    this.#reply.resolve({ kind: 'gone', failed: false });
    this.#over?.resolve(this.#gone ? { kind: 'gone' } : { kind: 'complete' });
  }

  #fail(failure: AttemptFailure): void {
    if (this.#mode === 'over') return;
    this.#upstream?.abort();
    this.#end();
    this.#reply.resolve(this.#gone ? { kind: 'gone', failed: true } : { kind: 'failed', failure });
    this.#over?.resolve(this.#gone ? { kind: 'gone' } : { kind: 'broken', failure });
  }

  #end(): void {
    this.#mode = 'over';
    this.#options.deadlines.remove(this.#deadline);
  }
}
