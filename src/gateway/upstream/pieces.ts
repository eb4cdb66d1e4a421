/**
 * One attempt as several calls: the endpoint takes less at once than the request has. All calls
 * must succeed; the first that does not gives the attempt up.
 */
import type { Sink } from '#base/sink.ts';
import type { Transport } from '#base/transport.ts';
import type { WholeAnswer } from '../answer.ts';
import type { InferenceRequest } from '../inference.ts';
import type { Exchange, Reply } from './exchange.ts';
import type { Piece } from './prepare.ts';

export interface PieceWay {
  readonly sink: Sink;
  readonly transport: Transport;
  open(request: InferenceRequest): Exchange;
}

/** Calls of one request that run side by side: enough to be quick, too few to flood a host. */
const CALLS_AT_ONCE_MAX = 8;

export class PieceRun {
  readonly #pieces: readonly Piece[];
  readonly #way: PieceWay;
  readonly #running = new Set<Exchange>();
  readonly #answers = new Map<number, WholeAnswer>();
  #next = 0;
  #ended: Exclude<Reply, { kind: 'whole' }> | null = null;
  /** Monotonic time of the first byte of any answer; null until then. */
  firstByteMs: number | null = null;

  constructor(pieces: readonly Piece[], way: PieceWay) {
    this.#pieces = pieces;
    this.#way = way;
  }

  async run(whole: InferenceRequest): Promise<Reply> {
    const calls = Math.min(CALLS_AT_ONCE_MAX, this.#pieces.length);
    await Promise.all(Array.from({ length: calls }, () => this.#work()));
    if (this.#ended !== null) return this.#ended;
    const [first, ...others] = this.#pieces.flatMap((_, at) => this.#answers.get(at) ?? []);
    if (first === undefined) throw new Error('a request was cut into no pieces');
    return { kind: 'whole', answer: whole.join([first, ...others]) };
  }

  async #work(): Promise<void> {
    const { sink, transport } = this.#way;
    for (let at = this.#take(); at !== null; at = this.#take()) {
      const piece = this.#pieces[at];
      if (piece === undefined) return;
      const exchange = this.#way.open(piece.request);
      this.#running.add(exchange);
      const replying = exchange.run(transport, piece.prepared.request);
      // A sink tells one listener: it tells all of them.
      sink.onGone(() => {
        for (const running of this.#running) running.clientGone();
      });
      const reply = await replying;
      this.#running.delete(exchange);
      this.firstByteMs ??= exchange.firstByteMs;
      if (reply.kind === 'whole') this.#answers.set(at, reply.answer);
      else this.#giveUp(reply);
      // What has not begun need not.
      if (sink.closed) this.#giveUp({ kind: 'gone', failed: false });
    }
  }

  #take(): number | null {
    if (this.#ended !== null || this.#next >= this.#pieces.length) return null;
    this.#next += 1;
    return this.#next - 1;
  }

  #giveUp(reply: Exclude<Reply, { kind: 'whole' }>): void {
    if (this.#ended !== null) return;
    this.#ended = reply;
    for (const running of this.#running) running.leave();
  }
}
