/**
 * Tokens that stand in for an operator's secret (Vertex's service accounts and their like): fetched
 * from where the provider says, kept in memory until shortly before they expire, one request for
 * all who wait. Neither secrets nor what the other side says of them reach a log.
 */
import { concatBytes, toBytes } from '#base/bytes.ts';
import type { Deadline, Deadlines } from '#base/deadlines.ts';
import type { Awaitable } from '#base/result.ts';
import type { Transport, TransportFailure, UpstreamHandler } from '#base/transport.ts';
import type { Credentials, HeaderPairs } from '#providers/provider.ts';
import type { Endpoint } from '../endpoint.ts';
import { fromSilence, fromTransport, NotDispatched, unreadable } from './failure.ts';
import type { AttemptFailure } from './failure.ts';

export type TokenRequest = Extract<Credentials, { exchange: unknown }>['exchange'];

const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024;
/** A token is not used so near its end: the request with it still has to arrive. */
const EXPIRY_MARGIN_MS = 30_000;
/** From so long before its end on a new one is fetched, while the old one still serves. */
const RENEWAL_MS = 300_000;
/** After a failure nobody asks again for so long: a broken credential must not become a flood. */
const FAILURE_MS = 1_000;

/** Whoever uses a token: several may share one. */
type Holder = Pick<Endpoint, 'id'>;

interface Token {
  readonly cacheKey: string;
  readonly headers: HeaderPairs;
  readonly renewAtMs: number;
  readonly endAtMs: number;
}

interface Failed {
  readonly failure: AttemptFailure;
  readonly untilMs: number;
}

export class TokenExchange {
  readonly #transport: Transport;
  readonly #deadlines: Deadlines;
  readonly #tokens = new Map<string, Token>();
  /** Which token an endpoint uses, so that nobody signs a request for one that is at hand. */
  readonly #keys = new WeakMap<Holder, string>();
  /** False where no host wants a token: then no request pays for the question. */
  #used = false;
  readonly #flights = new Map<string, Promise<HeaderPairs>>();
  readonly #failed = new Map<string, Failed>();

  constructor(transport: Transport, deadlines: Deadlines) {
    this.#transport = transport;
    this.#deadlines = deadlines;
  }

  /** The endpoint's token, if it has one that need not be renewed yet. */
  held(holder: Holder, nowMs: number): Pick<Token, 'cacheKey' | 'headers'> | null {
    if (!this.#used) return null;
    const key = this.#keys.get(holder);
    const token = key === undefined ? undefined : this.#tokens.get(key);
    return token === undefined || nowMs >= token.renewAtMs ? null : token;
  }

  /** At once where a token is at hand. Rejects with NotDispatched. `nowMs` is the wall clock's. */
  headersFor(holder: Holder, request: TokenRequest, nowMs: number): Awaitable<HeaderPairs> {
    this.#used = true;
    this.#keys.set(holder, request.cacheKey);
    const token = this.#tokens.get(request.cacheKey);
    if (token === undefined || nowMs >= token.endAtMs) return this.#fetch(request, nowMs);
    if (nowMs >= token.renewAtMs) {
      // Whoever comes when the old one has ended will hear of a failure.
      this.#fetch(request, nowMs).catch(() => undefined);
    }
    return token.headers;
  }

  /** The upstream did not take the token: it was revoked, and the next request fetches another. */
  forget(cacheKey: string): void {
    this.#tokens.delete(cacheKey);
  }

  #fetch(request: TokenRequest, nowMs: number): Promise<HeaderPairs> {
    const { cacheKey } = request;
    const running = this.#flights.get(cacheKey);
    if (running !== undefined) return running;
    const failed = this.#failed.get(cacheKey);
    if (failed !== undefined && this.#deadlines.now() < failed.untilMs) {
      return Promise.reject(new NotDispatched(failed.failure));
    }
    const flight = this.#fly(request, nowMs).finally(() => this.#flights.delete(cacheKey));
    this.#flights.set(cacheKey, flight);
    return flight;
  }

  async #fly(request: TokenRequest, nowMs: number): Promise<HeaderPairs> {
    const { cacheKey } = request;
    const answer = await this.#ask(request);
    const read = answer.ok ? readToken(request, answer.body) : answer.failure;
    if ('outcome' in read) {
      this.#failed.set(cacheKey, { failure: read, untilMs: this.#deadlines.now() + FAILURE_MS });
      throw new NotDispatched(read);
    }
    const { headers, expiresAtMs } = read;
    this.#failed.delete(cacheKey);
    this.#tokens.set(cacheKey, { cacheKey, headers, ...lifeOf(expiresAtMs, nowMs) });
    return headers;
  }

  #ask({ url, headers, body }: TokenRequest): Promise<TokenAnswer> {
    const answered: PromiseWithResolvers<TokenAnswer> = Promise.withResolvers();
    const deadlines = this.#deadlines;
    const startedMs = deadlines.now();
    const deadline: Deadline = {
      dueMs: startedMs + ANSWER_MS_MAX,
      expire: () => {
        exchange.abort();
        const failure = fromSilence('a token', deadlines.now() - startedMs);
        answered.resolve({ ok: false, failure });
      },
    };
    const collector = new Collector((answer) => {
      deadlines.remove(deadline);
      answered.resolve(answer);
    });
    deadlines.add(deadline);
    const exchange = this.#transport.send(
      { method: 'POST', url, headers: headers.flat(), body: toBytes(body) },
      collector,
    );
    return answered.promise;
  }
}

/** A short-lived token is still used for a part of its life. */
function lifeOf(expiresAtMs: number, nowMs: number): Pick<Token, 'renewAtMs' | 'endAtMs'> {
  const lifeMs = Math.max(0, expiresAtMs - nowMs);
  return {
    renewAtMs: expiresAtMs - Math.min(RENEWAL_MS, lifeMs / 2),
    endAtMs: expiresAtMs - Math.min(EXPIRY_MARGIN_MS, lifeMs / 4),
  };
}

/** What the operator must mend is called as an upstream's refusal of a key is. */
const REFUSED = 'authentication';

function refused(status: number): AttemptFailure {
  const ours = status >= 400 && status <= 499 && status !== 408 && status !== 429;
  const cause = `the token endpoint answered ${status}`;
  return { ...unreadable(ours ? REFUSED : 'token_exchange', cause), status };
}

function readToken(
  request: TokenRequest,
  body: Uint8Array,
): { readonly headers: HeaderPairs; readonly expiresAtMs: number } | AttemptFailure {
  const none = unreadable(REFUSED, 'the token endpoint answered without a token');
  try {
    return request.read(body) ?? none;
  } catch {
    return none;
  }
}

type TokenAnswer =
  | { readonly ok: true; readonly body: Uint8Array }
  | { readonly ok: false; readonly failure: AttemptFailure };

class Collector implements UpstreamHandler {
  readonly #done: (answer: TokenAnswer) => void;
  #status = 0;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(done: (answer: TokenAnswer) => void) {
    this.#done = done;
  }

  onHead(status: number): void {
    this.#status = status;
  }

  onData(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= ANSWER_BYTES_MAX) this.#parts.push(bytes);
  }

  onEnd(): void {
    if (this.#status < 200 || this.#status > 299) {
      this.#done({ ok: false, failure: refused(this.#status) });
    } else if (this.#bytes > ANSWER_BYTES_MAX) {
      const failure = unreadable('token_exchange', 'the token endpoint answered too much');
      this.#done({ ok: false, failure });
    } else {
      this.#done({ ok: true, body: concatBytes(this.#parts) });
    }
  }

  onFail(failure: TransportFailure): void {
    this.#done({ ok: false, failure: fromTransport(failure) });
  }
}
