/** What is known of an answer besides its body: ids, cost, and what became of the request. */
import { isRecord } from './json.ts';

export interface ResponseInfo {
  readonly status: number;
  readonly headers: Headers;
  /** `req_...`: what to quote. */
  readonly requestId: string | null;
  /** `gen_...`: for `generations.retrieve`, where something was generated. */
  readonly generationId: string | null;
  /** US dollars, where the answer tells its cost. Of a stream: null until its usage has come. */
  readonly cost: number | null;
  /** The key under which a repetition of this POST would get the same answer. */
  readonly idempotencyKey: string | null;
  /** The kept answer of an earlier request with the same key: nothing ran, nothing is charged. */
  readonly replayed: boolean;
  /** How many times the request was tried again. */
  readonly retries: number;
}

/** A body, with what is known of its answer beside it: not enumerable, so that it stays itself. */
export type Answered<Body> = Body & { readonly response: ResponseInfo };

/** An answer whose head has come. */
export interface AnswerHead {
  readonly response: Response;
  readonly idempotencyKey: string | null;
  readonly retries: number;
}

/** `readCost` is asked each time, because a stream knows its cost only in the end. */
export function toResponseInfo(head: AnswerHead, readCost: () => number | null): ResponseInfo {
  const { response, idempotencyKey, retries } = head;
  const { status, headers } = response;
  return {
    status,
    headers,
    requestId: headers.get('x-request-id'),
    generationId: headers.get('x-generation-id'),
    get cost() {
      return readCost();
    },
    idempotencyKey,
    replayed: headers.get('idempotent-replayed') === 'true',
    retries,
  };
}

/** Puts `response` beside the members of a body. */
export function attachResponse<Body extends object>(
  body: Body,
  response: ResponseInfo,
): asserts body is Answered<Body> {
  Object.defineProperty(body, 'response', { value: response, configurable: true });
}

/** `usage.cost` of a body. */
export function costOf(body: unknown): number | null {
  const usage = isRecord(body) ? body['usage'] : undefined;
  const cost = isRecord(usage) ? usage['cost'] : undefined;
  return typeof cost === 'number' ? cost : null;
}
